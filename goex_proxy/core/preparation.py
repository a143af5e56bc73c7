"""Is everything on record before it goes?

The images are taken, the decision is made again with them (it may only tighten), the
upstream is reached and verified, and `Sent` is what the journal must hold before a byte
leaves. Steps of an undo come the same way, by the rule of their entry's day.
"""

from collections.abc import Mapping
from dataclasses import replace

from goex_proxy.core.admission import Arrival, arrive, keepable, refusal
from goex_proxy.core.book import Book
from goex_proxy.core.catalog import Classified
from goex_proxy.core.command import Append, Asking, Dial, DialFailed, Load, Lock, Phase
from goex_proxy.core.deciding import decide, foreseen
from goex_proxy.core.decision import Auth, Decision, Effect
from goex_proxy.core.entry import Entry
from goex_proxy.core.event import Abandoned, Event, Held, Refused, Sent
from goex_proxy.core.expression import ExpressionError
from goex_proxy.core.image import Image
from goex_proxy.core.operation import Operation, Undo
from goex_proxy.core.reading import ImageFailed, locate, look
from goex_proxy.core.resource import Form
from goex_proxy.core.service import Service, Trust
from goex_proxy.core.subject import Subject
from goex_proxy.core.subjects import rule_text
from goex_proxy.core.template import PathTemplate
from goex_proxy.core.undoing import recheck
from goex_proxy.core.value import minus, same, without


def prepare(entry: Entry, book: Book, known: Arrival | None = None) -> Phase:
    """The phase of an admitted call: images, the second decision, the dial, `Sent`.

    `known`: as it arrived, if that was in this process.
    """
    call = entry.call
    arrival = known if known is not None and known.book is book else arrive(call, book)
    seen = arrival.seen
    if seen is None:
        return Append(events=(refusal(arrival.problem),))
    try:
        subject = arrival.subject
    except ExpressionError as error:
        return Append(events=(refusal(str(error)),))
    if call.is_undo:
        return (yield from _send_undo(entry, seen, book))
    if seen.name != entry.opened.operation or seen.promise.rank > entry.opened.fidelity.rank:
        why = f"since it was decided the rules have changed: now it is {seen.name}, {seen.promise}"
        return Append(events=(refusal(why),))
    images: tuple[Image, ...] = ()
    if subject is not None and call.auth is not Auth.FOREIGN:
        try:
            images = yield from _locked_images(subject)
        except ImageFailed as error:
            return Append(events=(Abandoned(reason=f"it could not be read beforehand: {error}"),))
    decision, again = _second_decision(entry, arrival, seen, images)
    if again is not None:
        return Append(events=(keepable(again, call),))
    rule = rule_text(subject) if subject is not None else None
    return (yield from _dial(Sent(decision=decision, rule=rule, images=images)))


def _second_decision(
    entry: Entry, arrival: Arrival, seen: Classified, images: tuple[Image, ...]
) -> tuple[Decision, Event | None]:
    """Decide again with all that is known; what a person approved passes, if it is still that."""
    subject = arrival.subject
    decision = arrival.decide(foreseen(subject, images) if subject is not None else seen.promise)
    if decision.effect is Effect.DENY:
        return decision, Refused(decision=decision)
    if not entry.approved_by:
        held = decision.effect is Effect.HOLD
        return decision, Held(decision=decision, images=images) if held else None
    if entry.held_images and not _same_images(entry.held_images, images, subject):
        again = "what it would change has changed since it was approved"
        return decision, Held(decision=decision, images=images, again=again)
    if decision.effect is Effect.HOLD and entry.decision and decision.rule != entry.decision.rule:
        again = f"another rule holds it since it was approved: {decision.reason}"
        return decision, Held(decision=decision, images=images, again=again)
    approved = replace(decision, effect=Effect.ALLOW, reason=f"approved by {entry.approved_by}")
    return approved, None


def _same_images(held: tuple[Image, ...], now: tuple[Image, ...], subject: Subject | None) -> bool:
    if subject is None or len(held) != len(now):
        return len(held) == len(now)
    volatile = {use.name: use.resource.volatile for use in subject.operation.images}
    return all(_same_image(one, other, volatile) for one, other in zip(held, now, strict=True))


def _same_image(one: Image, other: Image, volatile: Mapping[str, frozenset[str]]) -> bool:
    if one.instance != other.instance:
        return False
    names = volatile.get(one.instance.use, frozenset())
    left, right = without(one.value, names), without(other.value, names)
    if one.form is Form.SET and isinstance(left, list) and isinstance(right, list):
        return not minus(left, right) and not minus(right, left)
    return same(left, right)


def _send_undo(entry: Entry, seen: Classified, book: Book) -> Phase:
    """A step of an undo is decided and recorded like any call; its rule is its entry's."""
    rule = entry.opened.rule
    if rule is None:
        return Append(events=(refusal("an undo without the rule it goes by"),))
    try:
        service, operation = book.recall(rule)
    except ValueError as error:
        return Append(events=(refusal(f"the rule of its day cannot be read: {error}"),))
    if not _is_step(entry, seen, service, operation):
        return Append(events=(refusal(f"it is {seen.name}, which {rule.name} does not name"),))
    decision = decide(entry.call, seen, book, fidelity=seen.promise)
    if decision.effect is Effect.DENY:
        return Append(events=(Refused(decision=decision),))
    if decision.allowed and decision.rule == "undo" and service.trust is not Trust.REVIEWED:
        reason = "the rule that this undo goes by had not been reviewed in its day"
        decision = replace(decision, effect=Effect.HOLD, reason=reason)
    if entry.approved_by:
        # It has waited: what its undo checked then is checked again.
        undone = yield from Load(entry=entry.call.link.undo_of or 0)
        why = yield from recheck(undone, book, entry.call.link.step)
        if why:
            return Append(events=(Abandoned(reason=why),))
    elif decision.effect is Effect.HOLD:
        return Append(events=(Held(decision=decision),))
    return (yield from _dial(Sent(decision=decision, rule=rule)))


def _is_step(entry: Entry, seen: Classified, service: Service, operation: Operation) -> bool:
    """Whether the rendered inverse is still what its rule names (design, section 9).

    Data may have filled the path: it must match the step's template, and what the catalog
    takes it for must have that template's shape, or be named by `undoes_with`.
    """
    if seen.service is not None and seen.service.name != service.name:
        return False
    if operation.undoes_with:
        return seen.operation is not None and seen.operation.name in operation.undoes_with
    methods, path = _shape_of(operation, entry.call.link.template)
    if path is None or path.match(seen.path) is None or seen.request.method not in methods:
        return False
    return seen.operation is None or seen.operation.match.template.shape == path.shape


def _shape_of(operation: Operation, template: int) -> tuple[frozenset[str], PathTemplate | None]:
    """The methods and the path that one step of the rule's undo may have."""
    match operation.undo:
        case Undo.RESTORE:
            return operation.match.methods | {"DELETE"}, operation.match.template
        case Undo.DELETE if operation.creates is not None:
            return frozenset({"DELETE"}), operation.creates.resource.at
        case tuple() as steps if 0 <= template < len(steps):
            return frozenset({steps[template].method}), steps[template].path
        case _:
            return frozenset(), None


def _dial(sent: Sent) -> Phase:
    try:
        yield from Dial()
    except DialFailed as error:
        return Append(events=(Abandoned(reason=f"the upstream could not be reached: {error}"),))
    return Append(events=(sent,))


_ROUNDS = 4
"""How often what is to be locked may turn out to be something else when it is read."""


def _locked_images(subject: Subject) -> Asking[tuple[Image, ...]]:
    """The images, none of them taken before its resource was locked. Raises `ImageFailed`.

    Which resource a use means may hang on an image before it. So what was read is locked, and
    all is read again, until nothing is named that is not locked.
    """
    locked: frozenset[str] = frozenset()
    keys = _keys(subject)
    for _ in range(_ROUNDS):
        locked |= keys
        yield from Lock(keys=tuple(sorted(locked)))
        images = yield from look(subject, subject.operation.images, subject.names)
        keys = frozenset(image.instance.key(subject.service.name) for image in images)
        if keys <= locked:
            return images
    raise ImageFailed("what it is about became something else each time that it was read")


def _keys(subject: Subject) -> frozenset[str]:
    """Which resources are known to be meant before any of them is read."""
    service = subject.service
    keys = set()
    for use in subject.operation.images:
        try:
            instance = locate(service, replace(use, when=None), subject.names)
        except (ExpressionError, ValueError):
            continue
        if instance is not None:
            keys.add(instance.key(service.name))
    return frozenset(keys)

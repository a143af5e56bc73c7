"""The phases of an undo: check, send step by step, read back, say what came of it.

An undo is requests like any other: each step becomes an entry of its own, decided, recorded
and sent. The entry that is undone only notes the run and its end, so that a crash at any
point is resumed by asking again which steps have their entry.
"""

from dataclasses import replace

from goex_proxy.core import exact
from goex_proxy.core.book import Book
from goex_proxy.core.call import Call, Initiator, Link
from goex_proxy.core.command import Append, Asking, Child, Lock, Phase, Renames, Rest, Spawn
from goex_proxy.core.entry import Entry
from goex_proxy.core.event import (
    Aliased,
    Compensated,
    Conflicted,
    Difference,
    Event,
    Stuck,
    UndoAbandoned,
    Undone,
)
from goex_proxy.core.exchange import Request
from goex_proxy.core.expression import ExpressionError
from goex_proxy.core.footprint import Seen, Standing, achieved, check, member_open
from goex_proxy.core.image import Image, Touch
from goex_proxy.core.inverse import Inverse, InverseStep
from goex_proxy.core.inverting import sights
from goex_proxy.core.journal import State
from goex_proxy.core.operation import Fidelity
from goex_proxy.core.reading import ImageFailed, answer_names, take
from goex_proxy.core.renaming import redirected, renamed
from goex_proxy.core.subject import Subject
from goex_proxy.core.subjects import subject_of


def undo_step(entry: Entry, book: Book) -> Phase:
    """The phase of an entry that is being undone."""
    inverse, progress = entry.inverse, entry.undo
    if inverse is None or progress is None:
        return Append(events=(UndoAbandoned(reason="there is no inverse to send"),))
    try:
        subject = subject_of(entry, book)
    except (ValueError, ExpressionError) as error:
        return Append(events=(UndoAbandoned(reason=f"its rule cannot be read: {error}"),))
    if subject is None:
        return Append(events=(UndoAbandoned(reason="it has no rule to go by"),))
    subject = _for(subject, progress.by)
    children = yield from _children(progress.run, len(inverse.steps))
    renames = yield from Renames(service=entry.opened.service)
    yield from Lock(keys=lock_keys(entry, subject))
    try:
        seen = yield from _look_again(entry, subject, children, renames)
    except ImageFailed as error:
        return _unreadable(children, str(error))
    return _next(entry, inverse, subject, seen, children, renames)


def standing(entry: Entry, book: Book) -> Asking[tuple[Standing, tuple[Event, ...]]]:
    """For a plan: how the entry's footprint stands now. Sends no write. Raises `ImageFailed`."""
    subject = subject_of(entry, book)
    if subject is None or entry.inverse is None:
        return Standing.CONFLICT, ()
    renames = yield from Renames(service=entry.opened.service)
    seen = yield from _look_again(entry, subject, (), renames)
    found = check(entry.inverse.touches, seen)
    return found.standing, (Conflicted(differences=found.differences),)


def _for(subject: Subject, by: str) -> Subject:
    """Reads of an undo carry the entry's credential, on behalf of who undoes."""
    return replace(subject, call=replace(subject.call, link=Link()))


def _children(run: str, steps: int) -> Asking[tuple[Entry, ...]]:
    """The entries that the steps of this run have become so far, in order."""
    out = []
    for number in range(steps):
        child = yield from Child(run=run, step=number)
        if child is not None:
            out.append(child)
    return tuple(out)


def _unreadable(children: tuple[Entry, ...], why: str) -> Append:
    if any(child.state is State.APPLIED for child in children):
        return Append(events=(Stuck(reason=f"it was sent, and could not be read back: {why}"),))
    return Append(events=(UndoAbandoned(reason=f"it could not be checked: {why}"),))


def _next(
    entry: Entry,
    inverse: Inverse,
    subject: Subject,
    seen: dict[str, Seen],
    children: tuple[Entry, ...],
    renames: tuple[Aliased, ...],
) -> Append | Spawn | Rest:
    progress = entry.undo
    assert progress is not None  # noqa: S101 - the caller looked
    if not children:
        found = check(inverse.touches, seen)
        if found.standing is Standing.ALREADY:
            return Append(events=_done(entry, already=True))
        if found.standing is Standing.CONFLICT and not progress.force:
            now = tuple(s.now for s in seen.values() if s.now is not None)
            return Append(events=(Conflicted(differences=found.differences, now=now),))
    if children and children[-1].state is State.FAILED:
        return _failed(entry, inverse, seen, children[-1])
    if children and (stop := _stopped(children[-1], len(children) > 1)) is not None:
        return stop
    taken = {child.call.link.step for child in children}
    for number, step in enumerate(inverse.steps):
        if number in taken or (children and number < max(taken)):
            continue
        if _is_open(step, inverse.touches, seen):
            renewed = replace(step, request=redirected(step.request, renames))
            return _spawn(entry, subject, number, renewed, seen)
    return _arrived(entry, inverse, subject, seen, children)


def _stopped(child: Entry, later: bool) -> Append | Rest | None:
    """What the latest step's entry means for the run; None: go on."""
    match child.state:
        case State.APPLIED:
            return None
        case State.HELD:
            return Rest(why=f"{child.name} waits for approval")
        case State.IN_DOUBT:
            return Rest(why=f"{child.name} is in doubt")
        case State.REFUSED | State.ABANDONED if not later:
            refused = child.state is State.REFUSED
            return Append(events=(UndoAbandoned(reason=child.reason, refused=refused),))
        case State.REFUSED | State.ABANDONED:
            return Append(events=(Stuck(reason=f"{child.name}: {child.reason}"),))
        case _:
            return Rest(why=f"{child.name} is under way")


def _failed(entry: Entry, inverse: Inverse, seen: dict[str, Seen], child: Entry) -> Append:
    """The service said no to a step: it was done already, somebody was quicker, or neither."""
    found = check(inverse.touches, seen)
    if found.standing is Standing.ALREADY:
        return Append(events=_done(entry, already=True))
    if found.standing is Standing.CONFLICT:
        return Append(events=(Conflicted(differences=found.differences),))
    if child.response is not None and child.response.status in {409, 412}:
        why = f"was refused by the service ({child.response.status}): it has changed since"
        return Append(events=(Conflicted(differences=(Difference(use="", field="", why=why),)),))
    return Append(events=(Stuck(reason=f"{child.name}: {child.reason}"),))


def _is_open(step: InverseStep, touches: tuple[Touch, ...], seen: dict[str, Seen]) -> bool:
    if step.member is None:
        return True
    use, member = step.member
    touch = next(t for t in touches if t.use == use)
    return member_open(touch, seen[use], member, step.restores)


def _spawn(
    entry: Entry, subject: Subject, number: int, step: InverseStep, seen: dict[str, Seen]
) -> Append | Spawn:
    progress, rule = entry.undo, entry.rule
    assert progress is not None  # noqa: S101 - the caller looked
    if rule is None:
        return Append(events=(UndoAbandoned(reason="it has no rule to go by"),))
    try:
        request = _guarded(step, subject, seen)
    except ExpressionError as error:
        return Append(events=(UndoAbandoned(reason=f"its guard cannot be read: {error}"),))
    agent = progress.by.startswith("agent:")
    call = Call(
        request=entry.call.signed(request),
        caller=entry.call.caller,
        auth=entry.call.auth,
        credential=entry.call.credential,
        credential_name=entry.call.credential_name,
        credential_labels=entry.call.credential_labels,
        principal=entry.call.principal,
        initiator=Initiator.AGENT if agent else Initiator.PERSON,
        link=Link(undo_of=entry.id, run=progress.run, step=number, template=step.template),
    )
    return Spawn(call=call, rule=rule)


def _guarded(step: InverseStep, subject: Subject, seen: dict[str, Seen]) -> Request:
    """The request with the precondition that nobody writes between our check and it."""
    request = step.request
    images = seen.get(step.guard) if step.guard is not None else None
    if images is None or images.now is None or not images.now.present:
        return request
    names = {"etag": None, **images.now.tags, "it": images.now.value}
    scope = subject.service.language.scope(names)
    for place, name, expression in images.resource.guard:
        value = expression.evaluate(scope)
        if value is None:
            continue
        request = _placed(request, place, name, value)
    return request


def _placed(request: Request, place: str, name: str, value: object) -> Request:

    if place == "header":
        return replace(request, headers=request.headers.set(name, str(value)))
    if place == "query":
        mark = "&" if "?" in request.target else "?"
        return replace(request, target=f"{request.target}{mark}{name}={value}")
    body = exact.loads(request.body) if request.body else {}
    fields = body if isinstance(body, dict) else {}
    return request.with_body(exact.dumps({**fields, name: value}), "application/json")


def _arrived(
    entry: Entry,
    inverse: Inverse,
    subject: Subject,
    seen: dict[str, Seen],
    children: tuple[Entry, ...],
) -> Append:
    """Every step went out: is it as it should be? `seen` was read after the last of them."""
    aliased = tuple(_aliases(entry, subject, children))
    try:
        missing = achieved(inverse.touches, seen)
    except ExpressionError as error:
        return Append(events=(*aliased, Stuck(reason=f"it could not be compared: {error}")))
    if missing:
        reason = "it was sent, and what it should restore reads otherwise"
        return Append(events=(*aliased, Stuck(reason=reason, differences=missing)))
    return Append(events=(*aliased, *_done(entry, already=False)))


def _done(entry: Entry, *, already: bool) -> tuple[Event, ...]:
    if entry.fidelity in {Fidelity.EXACT, Fidelity.EQUIVALENT}:
        return (Undone(already=already, residue=entry.residue),)
    return (Compensated(already=already, residue=entry.residue),)


def _look_again(
    entry: Entry, subject: Subject, children: tuple[Entry, ...], renames: tuple[Aliased, ...]
) -> Asking[dict[str, Seen]]:
    """Every touched resource as it is now, under its new id if a step has made it anew."""
    inverse = entry.inverse
    assert inverse is not None  # noqa: S101 - the caller looked
    resources = sights(subject, entry.before, entry.after)
    known_as = (*renames, *_aliases(entry, subject, children))
    now: list[Image] = []
    for touch in inverse.touches:
        images = resources[touch.use]
        known = images.left or images.before
        if known is None:
            continue
        instance = renamed(known.instance, known_as)
        now.append((yield from take(subject, images.resource, instance)))
    return sights(subject, entry.before, entry.after, now)


def _aliases(entry: Entry, subject: Subject, children: tuple[Entry, ...]) -> list[Aliased]:
    """The new ids of what the steps made anew."""
    steps = subject.operation.undo
    out = []
    for child in children:
        template = child.call.link.template
        if not isinstance(steps, tuple) or template < 0 or child.response is None:
            continue
        remakes = steps[template].remakes
        if remakes is None or child.state is not State.APPLIED:
            continue
        use, params = remakes
        images = sights(subject, entry.before, entry.after)[use]
        known = images.before or images.left
        if known is None:
            continue
        names = {**subject.names, **answer_names(child.response, subject.book)}
        scope = subject.service.language.scope(names)
        new = {key: str(value.evaluate(scope)) for key, value in params.items()}
        old = dict(known.instance.params)
        at = images.resource.at
        out.append(
            Aliased(
                resource=images.resource.name,
                old=old,
                new={**old, **new},
                old_path=at.fill(old) if at is not None else "",
                new_path=at.fill({**old, **new}) if at is not None else "",
            )
        )
    return out


def lock_keys(entry: Entry, subject: Subject) -> tuple[str, ...]:
    """The resources that an undo of this entry writes."""
    images = {*(i.instance.key(subject.service.name) for i in (*entry.before, *entry.after))}
    return tuple(sorted(images))

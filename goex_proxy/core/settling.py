"""What an answer means: the outcome, the after-images, the inverse.

Outcome by default: 2xx applied; 3xx and 4xx failed, but 408 in doubt; 5xx in doubt. A
service's `done` may know better (Slack says ok:false with 200).
"""

from collections.abc import Mapping
from dataclasses import replace

from goex_proxy.core.admission import Arrival
from goex_proxy.core.attributing import ours
from goex_proxy.core.book import Book
from goex_proxy.core.command import Append, Asking, Phase
from goex_proxy.core.decision import Auth
from goex_proxy.core.delta import delta
from goex_proxy.core.entry import Entry
from goex_proxy.core.event import Applied, Doubted, Event, Failed
from goex_proxy.core.evidence import Verdict, weigh
from goex_proxy.core.exchange import Response
from goex_proxy.core.expression import Expression, ExpressionError
from goex_proxy.core.image import Image
from goex_proxy.core.inverting import NoInverse, invert, unreadable
from goex_proxy.core.operation import Fidelity, Kind, worst
from goex_proxy.core.reading import ImageFailed, answer_names, before_name, look, look_again
from goex_proxy.core.rendering import RenderError
from goex_proxy.core.staleness import UNSEEN, is_stale
from goex_proxy.core.subject import Subject
from goex_proxy.core.subjects import subject_of


def settle(entry: Entry, book: Book, known: Arrival | None = None) -> Phase:
    """The phase of an answered call. `known`: as it arrived, if that was in this process."""
    response = entry.response
    assert response is not None  # noqa: S101 - the state says so
    try:
        subject = _known_subject(entry, known) or subject_of(entry, book)
    except (ValueError, ExpressionError) as error:
        return Append(events=(_plain(response, f"its rule cannot be read: {error}"),))
    if subject is None:
        return Append(events=(_undescribed(entry, response),))
    said = answer_names(response, subject.book)
    verdict = _verdict(subject, entry, response, said)
    if verdict is not None:
        return Append(events=(verdict,))
    if entry.call.auth is Auth.FOREIGN:
        why = "it carried a credential that is not ours, so nothing can be read or sent for it"
        return Append(events=(Applied(why=why),))
    if entry.call.is_undo:
        fidelity = subject.operation.promise
        return Append(events=(Applied(fidelity=fidelity, why="it is itself an undo"),))
    applied = yield from conclude(entry, subject, response, said=said)
    return Append(events=(applied,))


def _known_subject(entry: Entry, known: Arrival | None) -> Subject | None:
    """The subject that it was sent by, if its rule is the one in the journal."""
    if known is None or entry.rule is None or entry.call.is_undo or known.subject is None:
        return None
    same_rule = known.subject.operation.digest == entry.rule.digest
    return known.subject if same_rule else None


def said_applied(entry: Entry, book: Book, by: str) -> Asking[Applied]:
    """A person says that a call in doubt took effect: what it left, and its inverse if any."""
    evidence = f"{by} said so"
    try:
        subject = subject_of(entry, book)
    except (ValueError, ExpressionError) as error:
        return Applied(by=by, evidence=evidence, why=f"its rule cannot be read: {error}")
    if subject is None:
        return Applied(by=by, evidence=evidence, why="no reverser rule describes this call")
    if entry.call.is_undo:
        return Applied(by=by, evidence=evidence, why="it is itself an undo")
    applied = yield from conclude(entry, subject, entry.response, evidence)
    return replace(applied, by=by)


def _undescribed(entry: Entry, response: Response) -> Event:
    if entry.opened.kind is not Kind.READ:
        return _plain(response, "no reverser rule describes this call")
    if response.ok:
        return Applied(fidelity=Fidelity.EXACT, why="it only reads")
    return Failed(reason=f"the service answered {response.status}")


def _plain(response: Response, why: str) -> Event:
    """The outcome by status alone, where no rule speaks."""
    if response.ok:
        why = f"{_ACCEPTED}; {why}" if response.status == 202 else why
        return Applied(fidelity=Fidelity.NONE, why=why)
    return _not_done(response, "")


_ACCEPTED = "the service has accepted it (202); that it was carried out was not seen"


def _not_done(response: Response, detail: str) -> Event:
    said = f"the service answered {response.status}{detail}"
    if response.status == 408 or response.status >= 500:
        return Doubted(reason=said)
    return Failed(reason=said)


def _verdict(
    subject: Subject, entry: Entry, response: Response, said: Mapping[str, object]
) -> Event | None:
    """`Failed` or `Doubted`; None if the service did it. `said`: what the answer says."""
    done = subject.service.done
    if entry.call.is_undo and isinstance(subject.operation.undo, tuple):
        step = subject.operation.undo[entry.call.link.template]
        done = step.ok or done
    if done is None:
        return None if response.ok else _not_done(response, "")
    try:
        good = done.evaluate(subject.service.language.scope({**subject.names, **said}))
    except ExpressionError as error:
        if response.ok:
            return Doubted(reason=f"the answer does not say whether it was done ({error.why})")
        good = False
    if good is True:
        return None
    if response.ok:
        return Failed(reason=f"the service said no{_detail(said['res'])}")
    return _not_done(response, "")


def _detail(res: object) -> str:
    said = res.get("error") if isinstance(res, dict) else None
    return f": {said[:100]}" if isinstance(said, str) else ""


def conclude(
    entry: Entry,
    subject: Subject,
    response: Response | None,
    evidence: str = "",
    *,
    said: Mapping[str, object] | None = None,
) -> Asking[Applied]:
    """What a call that took effect has left, and its inverse.

    `response` is None if it was lost and the effect was found by evidence; `said`: what it says,
    if it was read already.
    """
    operation = subject.operation
    names: dict[str, object] = {**subject.names, **before_name(entry.before), "res": None}
    if response is not None:
        names |= said if said is not None else answer_names(response, subject.book)
    if response is not None and _true(operation.noop, subject, names):
        return Applied(fidelity=Fidelity.EXACT, why="the service says that nothing changed")
    after, trouble = yield from _after(entry, subject, names, response)
    names["after"] = before_name(after)["before"]
    change = delta(subject, entry.before, after, names)
    names |= {"added": change.added, "removed": change.removed}
    lost = unreadable(subject, entry.before, after)
    fidelity = worst((_fidelity(subject, names), Fidelity.COMPENSATING if lost else Fidelity.EXACT))
    applied = Applied(
        after=after,
        fidelity=fidelity,
        residue=(*operation.residue, *(f"{name} cannot be read, so not restored" for name in lost)),
        evidence=evidence,
        why=trouble,
    )
    if operation.undo is None:
        why = "this operation has no inverse"
        unseen = response is not None and response.status == 202 and not after
        why = f"{_ACCEPTED}; {why}" if unseen else why
        return replace(applied, fidelity=Fidelity.NONE, why=why)
    if fidelity is Fidelity.NONE:
        return replace(applied, why=trouble or "in this case the rule knows no inverse")
    if change.doubt:
        return replace(applied, fidelity=Fidelity.NONE, why=trouble or change.doubt)
    proved = (yield from _proved(entry, subject, after)) if evidence else None
    try:
        inverse = invert(entry, subject, names, after)
        if evidence and not ours(entry, subject, inverse, after, proved=proved):
            raise NoInverse(
                "what others may have changed meanwhile cannot be told from what it did"
            )
    except NoInverse as none:
        settled = _without_inverse(applied, none, response, unread=bool(lost))
        if settled.fidelity is Fidelity.EXACT and response is not None:
            stale = yield from is_stale(entry, subject, names, after)
            return replace(settled, fidelity=Fidelity.NONE, why=UNSEEN) if stale else settled
        return settled
    except (ExpressionError, RenderError, ValueError) as error:
        return replace(applied, fidelity=Fidelity.NONE, why=f"its inverse cannot be made: {error}")
    return replace(applied, inverse=inverse)


def _proved(entry: Entry, subject: Subject, after: tuple[Image, ...]) -> Asking[bool | None]:
    """Whether the rule's own evidence still holds of what was read last; None: it has none."""
    evidence = subject.operation.evidence
    if evidence is None or evidence.applied is None:
        return None
    try:
        verdict, _ = yield from weigh(entry, subject, evidence, after)
    except ImageFailed:
        return False  # what cannot be read is not proved
    return verdict is Verdict.APPLIED


def _without_inverse(
    applied: Applied, none: NoInverse, response: Response | None, *, unread: bool
) -> Applied:
    """Nothing to undo is exact only if all that the call wrote can be seen to be unchanged."""
    if none.unchanged and response is not None and response.status == 202:
        why = "the service has accepted it (202), and nothing had changed yet when it was read"
        return replace(applied, fidelity=Fidelity.NONE, why=why)
    if none.unchanged and not unread:
        return replace(applied, fidelity=Fidelity.EXACT, why=str(none))
    why = "what it wrote cannot be read" if none.unchanged else str(none)
    return replace(applied, fidelity=Fidelity.NONE, why=applied.why or why)


def _after(
    entry: Entry, subject: Subject, names: Mapping[str, object], response: Response | None
) -> Asking[tuple[tuple[Image, ...], str]]:
    """The after-images; and what went wrong, which leaves the undo unable to check."""
    creates = subject.operation.creates
    try:
        images = yield from look_again(subject, entry.before)
        if creates is not None and response is not None:
            created = yield from look(subject, [replace(creates, when=None)], names)
            images = (*images, *created)
    except ImageFailed as error:
        return (), f"what it left could not be read: {error}"
    return images, ""


def _fidelity(subject: Subject, names: Mapping[str, object]) -> Fidelity:
    """What the rule says now that all is known; never better than it can be proved."""
    rule = subject.operation.fidelity
    if isinstance(rule, Fidelity):
        return rule
    try:
        return Fidelity(str(rule.evaluate(subject.service.language.scope(names))))
    except (ExpressionError, ValueError):
        return worst((subject.operation.promise, Fidelity.NONE))


def _true(expression: Expression | None, subject: Subject, names: Mapping[str, object]) -> bool:
    if expression is None:
        return False
    try:
        return expression.evaluate(subject.service.language.scope(names)) is True
    except ExpressionError:
        return False

"""May it go? Classify a call, decide it, and begin its entry if it must be on record."""

from dataclasses import dataclass, field
from functools import cached_property

from goex_proxy.core.book import Book
from goex_proxy.core.call import Call, Initiator, targets
from goex_proxy.core.catalog import Classified, Unreadable
from goex_proxy.core.command import Append, Asking, Pass, Phase
from goex_proxy.core.deciding import decide, foreseen
from goex_proxy.core.decision import Auth, Decision, Effect
from goex_proxy.core.decoded import BodyState
from goex_proxy.core.event import Admitted, Event, Held, Opened, Refused
from goex_proxy.core.expression import ExpressionError
from goex_proxy.core.fingerprint import fingerprint
from goex_proxy.core.image import Image
from goex_proxy.core.operation import Fidelity, Kind
from goex_proxy.core.reading import ImageFailed, look
from goex_proxy.core.subject import Subject
from goex_proxy.core.subjects import subject_now


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A call that has been classified. Lives as long as the call is under way in this process:
    what was found once, by one book, is not looked for again."""

    call: Call
    book: Book
    seen: Classified | None
    """None: two readers could take it for two different requests."""
    problem: str = ""
    targets: tuple[str, ...] = ()
    kept: bool = True
    foreign: str = ""
    """What tells the credentials apart that its call is recorded without; '' if there are none."""
    _decisions: dict[Fidelity, Decision] = field(default_factory=dict, repr=False)

    @cached_property
    def opened(self) -> Opened:
        """How its entry begins, if it gets one."""
        call, seen = self.call, self.seen
        if seen is None:
            return Opened(
                call=call,
                service="",
                operation="http.unreadable",
                kind=Kind.UNKNOWN,
                fidelity=Fidelity.NONE,
                kept=False,
            )
        return Opened(
            by=call.caller.agent if call.initiator is Initiator.AGENT else call.initiator.value,
            call=call,
            service=seen.service.name if seen.service else "",
            operation=seen.name,
            kind=seen.kind,
            fidelity=seen.promise,
            residue=seen.operation.residue if seen.operation else (),
            targets=self.targets,
            fingerprint=fingerprint(call, seen, self.foreign),
            kept=self.kept,
        )

    @cached_property
    def subject(self) -> Subject | None:
        """Raises `ExpressionError`."""
        return subject_now(self.call, self.seen, self.book) if self.seen is not None else None

    def decide(self, fidelity: Fidelity) -> Decision:
        """The decision at this fidelity: all else it hangs on stands in the call and the book."""
        if self.seen is None:
            return refusal(self.problem).decision
        found = self._decisions.get(fidelity)
        if found is None:
            found = decide(self.call, self.seen, self.book, fidelity=fidelity)
            self._decisions[fidelity] = found
        return found


def arrive(call: Call, book: Book, *, kept: bool = True, foreign: str = "") -> Arrival:
    """Classify a call. Never raises: what cannot be read is refused by `admit`."""
    try:
        seen = book.catalog.classify(call.request, book.decode)
        problem = call.problem or _doubtful(seen)
        where = tuple(targets(seen))
    except (Unreadable, ExpressionError) as error:
        return Arrival(call=call, book=book, seen=None, problem=str(error), kept=False)
    return Arrival(
        call=call,
        book=book,
        seen=seen,
        problem=problem,
        targets=where,
        kept=kept,
        foreign=foreign,
    )


def _doubtful(seen: Classified) -> str:
    """Why it cannot be said what a call does: its body has no one meaning, or comes in frames."""
    if seen.request.headers.has("upgrade") and seen.read is None:
        return (
            "a WebSocket whose messages nobody here can read, and no reverser file names it a read"
        )
    if seen.doubt:
        return f"which operation it is hangs on its body, and {seen.doubt}"
    if seen.kind is Kind.READ or (seen.service is None and not seen.decoded.ambiguous):
        return ""
    if seen.decoded.state is BodyState.INVALID:
        return f"its body cannot be read: {seen.decoded.why}"
    operation = seen.operation
    if operation is None or operation.promise is Fidelity.NONE:
        return ""  # nothing is promised of what it wrote; policies cannot ask for its arguments
    return seen.unread


def admit(arrival: Arrival) -> Phase:
    """The phase of a new call: `Pass` for an allowed read, else events that begin an entry."""
    seen = arrival.seen
    if arrival.problem or seen is None:
        return Append(events=(arrival.opened, refusal(arrival.problem)))
    try:
        decision, images = yield from _first_decision(arrival, seen)
    except ImageFailed as error:
        refused = refusal(f"it could not be read beforehand: {error}")
        return Append(events=(arrival.opened, refused))
    match decision.effect:
        case Effect.DENY:
            return Append(events=(arrival.opened, Refused(decision=decision)))
        case Effect.HOLD:
            held = keepable(Held(decision=decision, images=images), arrival.call)
            return Append(events=(arrival.opened, held))
        case Effect.ALLOW if seen.kind is Kind.READ and not arrival.call.is_undo:
            return Pass()  # a step of an undo is on record, whatever it is taken for
        case _:
            return Append(events=(arrival.opened, Admitted(decision=decision)))


def refusal(reason: str, rule: str = "goex") -> Refused:
    """A refusal of the gateway's own: no policy was asked."""
    return Refused(decision=Decision(effect=Effect.DENY, rule=rule, reason=reason))


def keepable(event: Event, call: Call) -> Event:
    """A hold that could never be sent later is a refusal: its body was too large to keep."""
    if not isinstance(event, Held) or call.request.body is not None:
        return event
    decision = event.decision
    reason = f"{decision.reason}; its body is too large to be held"
    return refusal(reason, decision.rule)


def _first_decision(
    arrival: Arrival, seen: Classified
) -> Asking[tuple[Decision, tuple[Image, ...]]]:
    """Decide; with the images if a person will see them or the fidelity hangs on them."""
    call, operation = arrival.call, seen.operation
    decision = arrival.decide(seen.promise)
    if decision.allowed or seen.kind is Kind.READ or call.auth is Auth.FOREIGN:
        return decision, ()
    best = arrival.decide(Fidelity.EXACT)
    if operation is None or call.is_undo or best.effect is Effect.DENY:
        return decision, ()
    subject = arrival.subject
    assert subject is not None  # noqa: S101 - it has an operation
    images = yield from look(subject, operation.images, subject.names)
    if operation.reads_before:
        decision = arrival.decide(foreseen(subject, images))
    return decision, images

"""May it go? Classify a call, decide it, and begin its entry if it must be on record."""

from dataclasses import dataclass

from goex_proxy.core.book import Book
from goex_proxy.core.call import Call, Initiator, targets
from goex_proxy.core.catalog import Classified, Unreadable
from goex_proxy.core.command import Append, Asking, Pass, Phase
from goex_proxy.core.deciding import decide, foreseen
from goex_proxy.core.decision import Auth, Decision, Effect
from goex_proxy.core.decoded import BodyState
from goex_proxy.core.event import Admitted, Held, Opened, Refused
from goex_proxy.core.expression import ExpressionError
from goex_proxy.core.fingerprint import fingerprint
from goex_proxy.core.image import Image
from goex_proxy.core.operation import Fidelity, Kind
from goex_proxy.core.reading import ImageFailed, look
from goex_proxy.core.subjects import subject_now


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A call that has been classified: what the screening of a gateway hands on."""

    opened: Opened
    seen: Classified | None
    """None: two readers could take it for two different requests."""
    problem: str = ""


def arrive(call: Call, book: Book, *, kept: bool = True) -> Arrival:
    """Classify a call. Never raises: what cannot be read is refused by `admit`."""
    try:
        seen = book.catalog.classify(call.request, book.decode)
        problem = call.problem or _doubtful(seen)
        where = tuple(targets(seen))
    except (Unreadable, ExpressionError) as error:
        opened = Opened(
            call=call,
            service="",
            operation="http.unreadable",
            kind=Kind.UNKNOWN,
            fidelity=Fidelity.NONE,
            kept=False,
        )
        return Arrival(opened=opened, seen=None, problem=str(error))
    opened = Opened(
        by=call.caller.agent if call.initiator is Initiator.AGENT else call.initiator.value,
        call=call,
        service=seen.service.name if seen.service else "",
        operation=seen.name,
        kind=seen.kind,
        fidelity=seen.promise,
        residue=seen.operation.residue if seen.operation else (),
        targets=where,
        fingerprint=fingerprint(call, seen),
        kept=kept,
    )
    return Arrival(opened=opened, seen=seen, problem=problem)


def _doubtful(seen: Classified) -> str:
    """Why a mutating call's body cannot be trusted to mean one thing."""
    decoded = seen.decoded
    if seen.kind is Kind.READ or seen.service is None:
        return ""
    if decoded.state is BodyState.INVALID:
        return f"its body cannot be read: {decoded.why}"
    return ""


def admit(arrival: Arrival, book: Book) -> Phase:
    """The phase of a new call: `Pass` for an allowed read, else events that begin an entry."""
    call, opened, seen = arrival.opened.call, arrival.opened, arrival.seen
    if arrival.problem or seen is None:
        return Append(events=(opened, refusal(arrival.problem)))
    try:
        decision, images = yield from _first_decision(call, seen, book)
    except ImageFailed as error:
        return Append(events=(opened, refusal(f"it could not be read beforehand: {error}")))
    match decision.effect:
        case Effect.DENY:
            return Append(events=(opened, Refused(decision=decision)))
        case Effect.HOLD:
            return Append(events=(opened, Held(decision=decision, images=images)))
        case Effect.ALLOW if seen.kind is Kind.READ:
            return Pass()
        case _:
            return Append(events=(opened, Admitted(decision=decision)))


def refusal(reason: str, rule: str = "goex") -> Refused:
    """A refusal of the gateway's own: no policy was asked."""
    return Refused(decision=Decision(effect=Effect.DENY, rule=rule, reason=reason))


def _first_decision(
    call: Call, seen: Classified, book: Book
) -> Asking[tuple[Decision, tuple[Image, ...]]]:
    """Decide; with the images if a person will see them or the fidelity hangs on them."""
    decision = decide(call, seen, book, fidelity=seen.promise)
    if decision.allowed or seen.kind is Kind.READ or call.auth is Auth.FOREIGN:
        return decision, ()
    operation = seen.operation
    best = decide(call, seen, book, fidelity=Fidelity.EXACT)
    if operation is None or call.is_undo or best.effect is Effect.DENY:
        return decision, ()
    subject = subject_now(call, seen, book)
    assert subject is not None  # noqa: S101 - it has an operation
    images = yield from look(subject, operation.images, subject.names)
    if operation.reads_before:
        decision = decide(call, seen, book, fidelity=foreseen(subject, images))
    return decision, images

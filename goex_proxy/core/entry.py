"""An entry: the fold of its events. Nothing is known of it that its events do not say."""

from collections.abc import Iterable
from dataclasses import dataclass

from goex_proxy.core.call import Call
from goex_proxy.core.decision import Decision
from goex_proxy.core.event import (
    Abandoned,
    Admitted,
    Aliased,
    Answered,
    Applied,
    Approved,
    Compensated,
    Conflicted,
    Delivered,
    Difference,
    Event,
    Failed,
    Held,
    Opened,
    Partial,
    Redone,
    Refused,
    Rejected,
    RuleText,
    Sent,
    Stuck,
    UndoAbandoned,
    Undone,
    UndoStarted,
)
from goex_proxy.core.exchange import Response
from goex_proxy.core.image import Image
from goex_proxy.core.inverse import Inverse
from goex_proxy.core.journal import State, advance
from goex_proxy.core.operation import Fidelity
from goex_proxy.core.value import changed


@dataclass(frozen=True, kw_only=True)
class UndoProgress:
    """How an undo of the entry stands."""

    run: str
    by: str
    force: bool = False
    stuck: bool = False
    """Whether an earlier run went out and did not arrive where it should."""
    outcome: str = ""
    differences: tuple[Difference, ...] = ()
    residue: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One journaled call, as it now stands. `id` is 0 until it was appended."""

    opened: Opened
    id: int = 0
    state: State = State.NEW
    events: int = 1
    """How many events it has: what a writer must have seen to append to it."""
    decision: Decision | None = None
    approved_by: str = ""
    held_images: tuple[Image, ...] | None = None
    before: tuple[Image, ...] = ()
    after: tuple[Image, ...] = ()
    rule: RuleText | None = None
    response: Response | None = None
    inverse: Inverse | None = None
    fidelity: Fidelity | None = None
    """Delivered; None until the outcome is known."""
    residue: tuple[str, ...] = ()
    reason: str = ""
    """The latest in words: why refused, failed, in doubt, without an inverse."""
    undo: UndoProgress | None = None
    delivered: bool = False
    redone: tuple[int, ...] = ()
    aliases: tuple[Aliased, ...] = ()

    @property
    def call(self) -> Call:
        return self.opened.call

    @property
    def name(self) -> str:
        """How people name it: `e1042`."""
        return f"e{self.id}"


def fold(events: Iterable[Event], entry_id: int = 0) -> Entry:
    """The entry that these events make. Raises `JournalError` on an impossible one."""
    entry: Entry | None = None
    for event in events:
        entry = _first(event, entry_id) if entry is None else apply(entry, event)
    if entry is None:
        raise ValueError("an entry without events")
    return entry


def _first(event: Event, entry_id: int) -> Entry:
    advance(None, event)
    assert isinstance(event, Opened)  # noqa: S101 - the table admits nothing else
    return Entry(opened=event, id=entry_id)


def apply(entry: Entry, event: Event) -> Entry:
    """The entry after one more event."""
    state = advance(entry.state, event)
    altered = _changed(entry, event)
    return changed(altered, state=state, events=entry.events + 1)


def _changed(entry: Entry, event: Event) -> Entry:  # noqa: C901, PLR0911 - one line an event
    match event:
        case Refused() | Admitted():
            return changed(entry, decision=event.decision, reason=event.decision.reason)
        case Held():
            reason = event.again or event.decision.reason
            held = changed(entry, decision=event.decision, reason=reason, approved_by="")
            return changed(held, held_images=event.images)
        case Approved():
            return changed(entry, approved_by=event.by)
        case Rejected():
            return changed(entry, reason=event.reason or f"rejected by {event.by}")
        case Sent():
            return changed(
                entry, decision=event.decision, rule=event.rule, before=event.images, reason=""
            )
        case Answered():
            return changed(entry, response=event.response)
        case Applied() | Partial():
            return changed(
                entry,
                after=event.after,
                inverse=event.inverse,
                fidelity=event.fidelity,
                residue=event.residue,
                reason=event.why,
            )
        case Delivered():
            return changed(entry, delivered=True)
        case Redone():
            return changed(entry, redone=(*entry.redone, event.entry))
        case Aliased():
            return changed(entry, aliases=(*entry.aliases, event))
        case _:
            return _undoing(entry, event)


def _undoing(entry: Entry, event: Event) -> Entry:
    if isinstance(event, UndoStarted):
        stuck = entry.state is State.STUCK or (entry.undo is not None and entry.undo.stuck)
        progress = UndoProgress(run=event.run, by=event.by, force=event.force, stuck=stuck)
        return changed(entry, undo=progress)
    progress = entry.undo or UndoProgress(run="", by="")
    match event:
        case Undone() | Compensated():
            outcome = "already" if event.already else type(event).__name__.lower()
            done = changed(progress, outcome=outcome, residue=event.residue)
            return changed(entry, undo=done, reason="")
        case Conflicted():
            done = changed(progress, outcome="conflict", differences=event.differences)
            return changed(entry, undo=done, reason=differences_in_words(event.differences))
        case Stuck():
            done = changed(progress, outcome="failed", reason=event.reason)
            return changed(entry, undo=done, reason=event.reason)
        case UndoAbandoned():
            outcome = "refused" if event.refused else "failed"
            done = changed(progress, outcome=outcome, reason=event.reason)
            return changed(entry, undo=done, reason=event.reason)
        case _:
            return changed(entry, reason=_why(event) or entry.reason)


def _why(event: Event) -> str:
    if isinstance(event, Failed | Abandoned):
        return event.reason
    return str(getattr(event, "reason", "") or getattr(event, "evidence", ""))


def differences_in_words(differences: Iterable[Difference]) -> str:
    return "; ".join(f"{d.field or d.use or 'it'} {d.why}" for d in differences)

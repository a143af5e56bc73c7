"""The journal as the engine sees it: entries in, entries out; rows are the store's business."""

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from goex_proxy.core.call import Caller
from goex_proxy.core.entry import Entry, apply, fold
from goex_proxy.core.event import Aliased, Event, Opened
from goex_proxy.core.journal import State, advance
from goex_proxy.core.value import changed
from goex_proxy.home import read_entry
from goex_proxy.stores.event_codec import to_row
from goex_proxy.stores.journal import Journal
from goex_proxy.stores.rows import JSON, Append, Fence, Filters, LogRow

_NOT_SENT = {State.NEW, State.HELD, State.ADMITTED, State.REFUSED, State.ABANDONED}
_AFTER_THE_WIRE = {State.ANSWERED, State.APPLIED, State.FAILED, State.IN_DOUBT, State.PARTIAL}


class Ledger:
    """Reads and appends entries. Errors are the store's `JournalError`s: nothing was written."""

    def __init__(self, journal: Journal, undo_window: float) -> None:
        self._journal = journal
        self._window = undo_window

    @property
    def journal(self) -> Journal:
        return self._journal

    def load(self, entry: int) -> Entry | None:
        """An entry as it stands; None if there is none."""
        return read_entry(self._journal, entry)

    async def append(
        self,
        entry: Entry | None,
        events: Sequence[Event],
        fence: Fence | None = None,
        *,
        after: Entry | None = None,
    ) -> Entry:
        """Make these events durable, in one commit, and return the entry that they make.

        `entry` None begins a new one; `after`: what they make, where that is known already.
        Raises `JournalError`: then nothing was written.
        """
        if after is None:
            after = advanced(entry, events)
        elif _led_to(entry, events) is not after.state:
            raise ValueError(f"{after.name} cannot be {after.state} by these events")
        id_ = await self._journal.append(self._request(entry, after, events, fence))
        return _numbered(after, id_)

    def _request(
        self,
        entry: Entry | None,
        after: Entry,
        events: Sequence[Event],
        fence: Fence | None = None,
    ) -> Append:
        return Append(
            entry=entry.id if entry is not None else None,
            expected=entry.events if entry is not None else 0,
            rows=tuple(to_row(event) for event in events),
            index=self._index(after, new=entry is None),
            essential=after.state in _AFTER_THE_WIRE,
            fence=fence,
        )

    def in_states(self, states: Iterable[State]) -> list[Entry]:
        """Every entry in one of these states, oldest first."""
        rows = self._journal.open_entries([state.value for state in states])
        return [entry for row in rows if (entry := self.load(row.id)) is not None]

    def child(self, run: str, step: int) -> Entry | None:
        """What a step of an undo run has become."""
        rows = self._journal.find(run=run, step=str(step))
        return self.load(rows[0].id) if rows else None

    def renames(self, service: str) -> tuple[Aliased, ...]:
        """What undos of a service's entries had to make anew, oldest first."""
        made = (State.UNDONE.value, State.COMPENSATED.value, State.UNDOING.value, State.STUCK.value)
        out: list[Aliased] = []
        for row in self._journal.log(Filters(service=service, states=made)):
            if _extra(row).get("renamed"):
                entry = self.load(row.id)
                out += entry.aliases if entry is not None else ()
        return tuple(out)

    def held_too_long(self) -> list[Entry]:
        """Holds whose time is over."""
        rows = self._journal.open_entries([State.HELD.value])
        now = _now()
        late = [row.id for row in rows if str(_extra(row).get("until") or "z") < now]
        return [entry for id_ in late if (entry := self.load(id_)) is not None]

    def is_late(self, entry: Entry) -> bool:
        """Whether the time in which a hold can be approved has passed."""
        until = _until(entry)
        return until is not None and until < _now()

    def ids_in(self, state: State) -> list[int]:
        """The entries in a state, oldest first, without reading them."""
        return [row.id for row in self._journal.open_entries([state.value])]

    def undelivered(self, last: int = 2000) -> list[Entry]:
        """Of the newest entries those whose kept answer no agent has come for yet."""
        rows = self._journal.log(Filters(last=last))
        ids = [row.id for row in rows if _extra(row).get("waits")]
        return [entry for id_ in ids if (entry := self.load(id_)) is not None]

    def sent_by(self, caller: Caller) -> int:
        """How many changes of a session, or of an agent without one, were sent; undo is not."""
        return self._journal.count(
            session=caller.session,
            agent=caller.agent,
            since=caller.started,
            states=[state.value for state in State if state not in _NOT_SENT],
        )

    def is_over(self, entry: Entry) -> bool:
        """Whether the window in which it can be undone has passed."""
        row = self._journal.entry(entry.id)
        expires = row.columns["expires"] if row is not None else None
        return isinstance(expires, str) and expires < _now()

    def is_surely_over(self, entry: Entry) -> bool:
        """Whether the window has passed by the machine's monotonic clock, too: what is appended
        for good must not hang on a wall clock that may have jumped."""
        row, events = self._journal.entry(entry.id), self._journal.events(entry.id)
        expires = row.columns["expires"] if row is not None else None
        applied = [event for event in events if event.type == "Applied"]
        if not isinstance(expires, str) or not applied:
            return False
        window = datetime.fromisoformat(expires) - datetime.fromisoformat(applied[-1].at)
        return _since(applied[-1].mono) >= window.total_seconds()

    def elapsed(self, entry: int) -> float:
        """Seconds since it was sent, at least: a clock that jumps, or a restart of the
        machine, can make this too small, never too large."""
        sent = [e for e in self._journal.events(entry) if e.type == "Sent"]
        return _since(sent[-1].mono) if sent else 0.0

    def _index(self, entry: Entry, *, new: bool) -> dict[str, JSON]:
        columns: dict[str, JSON] = {
            "state": entry.state.value,
            "fidelity": (entry.fidelity or entry.opened.fidelity).value,
            "reason": entry.reason,
            "residue": list(entry.residue or entry.opened.residue),
        }
        if entry.state in {State.UNDONE, State.COMPENSATED} and entry.undo is not None:
            steps = self._journal.find(run=entry.undo.run)
            columns["undone_by"] = steps[0].id if steps else None
        if entry.decision is not None:
            columns["effect"] = str(entry.decision.effect)
            columns["rule"] = entry.decision.rule
        if entry.response is not None:
            columns["status"] = entry.response.status
        waits = bool(entry.approved_by) and entry.opened.kept and not entry.delivered
        if entry.aliases or entry.approved_by or entry.state is State.HELD:
            columns["extra"] = {
                "renamed": len(entry.aliases),
                "waits": waits,
                "until": _until(entry),
            }
        if (image := next(iter((*entry.before, *entry.after)), None)) is not None:
            columns["resource"] = image.instance.key(entry.opened.service)
        if entry.inverse is not None:
            columns["guarded"] = int(entry.inverse.guarded)
        if entry.state is State.APPLIED and entry.undo is None:
            # From the moment it took effect: it may have been held for longer than the window.
            columns["expires"] = _text(datetime.now(UTC) + timedelta(seconds=self._window))
        return _opening(entry.opened) | columns if new else columns


def advanced(entry: Entry | None, events: Sequence[Event]) -> Entry:
    """The entry after these events. Raises `core.journal.JournalError` on an impossible one."""
    if entry is None:
        return fold(events)
    for event in events:
        entry = apply(entry, event)
    return entry


def _led_to(entry: Entry | None, events: Sequence[Event]) -> State | None:
    """The state after these events. Raises `core.journal.JournalError` on an impossible one."""
    state = entry.state if entry is not None else None
    for event in events:
        state = advance(state, event)
    return state


def _numbered(entry: Entry, id_: int) -> Entry:
    return entry if entry.id == id_ else changed(entry, id=id_)


def _opening(opened: Opened) -> dict[str, JSON]:
    call = opened.call
    request, link = call.request, call.link
    return {
        "session": call.caller.session,
        "agent": call.caller.agent,
        "actor": call.initiator.value,
        "service": opened.service,
        "operation": opened.operation,
        "scheme": request.origin.scheme,
        "method": request.method,
        "host": request.origin.authority,
        "path": request.path,
        "credential": call.credential_name,
        "auth": call.auth.value,
        "fingerprint": opened.fingerprint,
        "undo_of": link.undo_of,
        "redo_of": link.redo_of,
        "run": link.run or None,
        "step": str(link.step) if link.run else None,
    }


def _extra(row: LogRow) -> Mapping[str, JSON]:
    extra = row.columns["extra"]
    return extra if isinstance(extra, dict) else {}


def _since(mono: int) -> float:
    """Seconds since then, at least. After a restart of the machine its clock began anew."""
    now = time.monotonic_ns() // 1000
    return (now - mono if now >= mono else now) / 1e6


def _now() -> str:
    return _text(datetime.now(UTC))


def _until(entry: Entry) -> str | None:
    """When a hold is refused by itself; None: it waits."""
    timeout = entry.decision.timeout if entry.decision is not None else None
    return _later(entry.call.at, timeout) if timeout is not None and entry.call.at else None


def _later(at: str, seconds: float) -> str:
    return _text(datetime.fromisoformat(at) + timedelta(seconds=seconds))


def _text(moment: datetime) -> str:
    """RFC 3339, UTC, microseconds. `moment` is in UTC."""
    return moment.isoformat(timespec="microseconds")[:26] + "Z"

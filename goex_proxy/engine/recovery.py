"""After a stop, and while running: no entry stays where only a running call could be.

What was sent and not answered becomes in doubt, and what is in doubt is probed; what was
approved and not sent goes out, once; an undo that was cut goes on from its last step.
"""

import asyncio

from goex_proxy.core.entry import Entry
from goex_proxy.core.event import Lost, Rejected
from goex_proxy.core.journal import State
from goex_proxy.engine.engine import Engine
from goex_proxy.engine.joins import Joins
from goex_proxy.stores.journal_errors import JournalBusy, Stale

_EVERY = 2.0
_PROBE_EVERY = 30.0


class Recovery:
    def __init__(self, engine: Engine, joins: Joins | None = None) -> None:
        self._engine = engine
        self._joins = joins
        self._probed: dict[int, float] = {}

    async def start(self) -> int:
        """Settle what an earlier process left; how many entries that were."""
        entries = self._engine.ledger.in_states(
            (State.SENT, State.ANSWERED, State.ADMITTED, State.UNDOING, State.IN_DOUBT)
        )
        # Children of an undo first: the entry that is undone asks how they stand.
        for entry in sorted(entries, key=lambda e: (not e.call.is_undo, e.id)):
            await self._settle(entry, "the gateway stopped before it was answered")
        self._remember()
        return len(entries)

    def _remember(self) -> None:
        """Retries of what an earlier process held, doubted or kept an answer of join it."""
        if self._joins is None:
            return
        ledger = self._engine.ledger
        waiting = ledger.in_states((State.HELD, State.ADMITTED, State.IN_DOUBT))
        for entry in (*ledger.undelivered(), *waiting):
            self._joins.remember(entry.opened.fingerprint, entry.id)

    async def watch(self) -> None:
        """Sweep for ever; until the task is cancelled."""
        while True:
            await asyncio.sleep(_EVERY)
            try:
                await self.sweep()
            except Exception as error:  # noqa: BLE001 - counted and shown; the next sweep tries again
                self._engine.failed(f"sweep: {type(error).__name__}")

    async def sweep(self) -> None:
        """What vanished turns in doubt, holds run out, doubts are looked at again."""
        timeout = self._engine.shelf.book.limits.upstream_timeout
        ledger, live = self._engine.ledger, self._engine.live
        for id_ in ledger.ids_in(State.SENT):
            if id_ not in live and ledger.elapsed(id_) >= timeout:
                await self._again(id_, State.SENT, "no answer came in time")
        for id_ in ledger.ids_in(State.IN_DOUBT):
            if id_ not in live and self._due(id_):
                await self._again(id_, State.IN_DOUBT, "")
        for entry in ledger.held_too_long():
            reason = "nobody approved it in time"
            await self._engine.resume(entry, (Rejected(by="timeout", reason=reason),))

    async def _again(self, id_: int, state: State, reason: str) -> None:
        entry = self._engine.ledger.load(id_)
        if entry is not None and entry.state is state:
            await self._settle(entry, reason)

    def _due(self, entry: int) -> bool:
        now = asyncio.get_running_loop().time()
        if now - self._probed.get(entry, -_PROBE_EVERY) < _PROBE_EVERY:
            return False
        self._probed[entry] = now
        return True

    async def _settle(self, entry: Entry, reason: str) -> None:
        if entry.state is State.ADMITTED and not entry.opened.kept:
            return  # it waits for its agent, who alone has the credential
        events = (Lost(reason=reason),) if entry.state is State.SENT else ()
        fence = None
        try:
            if entry.state is State.UNDOING and entry.undo is not None:
                leases = self._engine.ledger.journal.leases
                lease = leases.acquire(f"undo:{entry.name}", "recovery", 900.0)
                fence = lease.fence
            await self._engine.resume(entry, events, fence)
            if fence is not None:
                leases.release(lease)
        except (Stale, JournalBusy):
            return  # another process has moved it on

"""After a stop, and while running: no entry stays where only a running call could be.

What was sent and not answered becomes in doubt, and what is in doubt is probed; what was
approved and not sent goes out, once; an undo that was cut goes on from its last step.
"""

import asyncio

from goex_proxy.core.entry import Entry
from goex_proxy.core.event import Event, Lost, Rejected
from goex_proxy.core.journal import State
from goex_proxy.engine.engine import Engine
from goex_proxy.engine.joins import Joins
from goex_proxy.engine.undo_run import go_on, take_up
from goex_proxy.stores.journal_errors import Stale

_EVERY = 2.0
_PROBE_EVERY = 30.0
_AT_ONCE = 64
"""Entries that a sweep looks at beside one another."""


class Recovery:
    def __init__(self, engine: Engine, joins: Joins | None = None) -> None:
        self._engine = engine
        self._joins = joins
        self._probed: dict[int, tuple[float, float]] = {}
        self._running: set[int] = set()

    async def start(self) -> int:
        """Settle what an earlier process left; how many entries that were."""
        entries = self._engine.ledger.in_states(
            (State.SENT, State.ANSWERED, State.ADMITTED, State.UNDOING, State.IN_DOUBT)
        )
        # Steps of an undo first: the entry that is undone asks how they stand.
        for entry in sorted(entries, key=lambda e: (not e.call.is_undo, e.id)):
            try:
                await self._settle(entry, "the gateway stopped before it was answered")
            except Exception as error:  # noqa: BLE001 - one that cannot be settled stops no other
                self._engine.failed(f"recovery of {entry.name}: {type(error).__name__}")
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
        """What vanished turns in doubt, holds run out, doubts are looked at again.

        Each beside the others: one that waits, for a resource or a slow service, keeps no other.
        """
        timeout = self._engine.shelf.book.limits.upstream_timeout
        ledger, live = self._engine.ledger, self._engine.live
        for id_ in ledger.ids_in(State.SENT):
            if id_ not in live and self._has_room(id_) and ledger.elapsed(id_) >= timeout:
                self._begin(id_, State.SENT, "no answer came in time")
        # Steps of an undo are among these: they come before the undo itself.
        for state in (State.ADMITTED, State.ANSWERED, State.IN_DOUBT, State.UNDOING):
            for id_ in ledger.ids_in(state):
                if id_ not in live and self._has_room(id_) and self._due(id_):
                    self._begin(id_, state, "")
        for entry in ledger.held_too_long():
            if self._has_room(entry.id):
                self._begin(entry.id, State.HELD, "nobody approved it in time")

    def _has_room(self, id_: int) -> bool:
        return id_ not in self._running and len(self._running) < _AT_ONCE

    def _begin(self, id_: int, state: State, reason: str) -> None:
        self._running.add(id_)
        self._engine.background(self._again(id_, state, reason), f"sweep of e{id_}")

    async def _again(self, id_: int, state: State, reason: str) -> None:
        try:
            entry = self._engine.ledger.load(id_)
            if entry is not None and entry.state is state:
                await self._settle(entry, reason)
        except Exception as error:  # noqa: BLE001 - one that cannot be settled stops no other
            self._engine.failed(f"sweep of e{id_}: {type(error).__name__}")
        finally:
            self._running.discard(id_)

    def _due(self, entry: int) -> bool:
        """Whether to look again: soon at first, then ever more seldom."""
        now = asyncio.get_running_loop().time()
        at, wait = self._probed.get(entry, (now, _EVERY))
        if now < at:
            return False
        self._probed[entry] = (now + wait, min(2 * wait, _PROBE_EVERY))
        return True

    async def _settle(self, entry: Entry, reason: str) -> None:
        if entry.state is State.ADMITTED and not entry.opened.kept:
            return  # it waits for its agent, who alone has the credential
        if entry.state is State.UNDOING:
            await take_up(self._engine, entry)
            return
        events: tuple[Event, ...] = ()
        if entry.state is State.SENT:
            events = (Lost(reason=reason),)
        elif entry.state is State.HELD:
            events = (Rejected(by="timeout", reason=reason),)
        try:
            settled = await self._engine.resume(entry, events)
        except Stale:
            return  # another process, or a person, has moved it on
        await go_on(self._engine, settled)

"""What a person can have done: approve, reject, undo, redo, keep, resolve, pause.

The control socket and the commands without a gateway call the same methods. Each raises
`ActionError` with what is wrong and the exit code it stands for.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from goex_proxy.core.call import Initiator, Link
from goex_proxy.core.entry import Entry
from goex_proxy.core.event import Approved, Event, Failed, Kept, Redone, Rejected
from goex_proxy.core.expression import ExpressionError
from goex_proxy.core.footprint import Standing
from goex_proxy.core.journal import State
from goex_proxy.core.reading import ImageFailed
from goex_proxy.core.settling import said_applied
from goex_proxy.core.undoing import standing
from goex_proxy.engine.dependents import UNDOABLE, standing_redo
from goex_proxy.engine.engine import Engine, wall_clock
from goex_proxy.engine.undo_run import Undoer, UndoRun, give_back, go_on
from goex_proxy.stores.rows import Filters

FAILED, USAGE, REFUSED, CONFLICT, IN_DOUBT = 1, 2, 3, 4, 5

_LEASE = 900.0
"""Seconds for which a redo may run before another may be tried."""


class ActionError(Exception):
    """An action that was not done: what happened, what to do, and the exit code."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which entries a person means."""

    ids: tuple[int, ...] = ()
    session: str | None = None
    since: str | None = None
    last: int | None = None


class Actions:
    """Not for agents: whoever reaches this is a person at the home's owner's shell."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._undoer = Undoer(engine)

    def select(self, selection: Selection, also: tuple[State, ...] = ()) -> list[int]:
        """The entries that are meant: changes that can still be undone, and those in `also`.
        With nothing given, those of the last session."""
        if selection.ids:
            return list(selection.ids)
        journal = self._engine.ledger.journal
        if selection.session is not None:
            self._require_session(selection.session)
        states = tuple(state.value for state in (*UNDOABLE, *also))
        session = selection.session
        if session is None and selection.since is None and selection.last is None:
            newest = list(journal.log(Filters(states=states, last=1)))
            if not newest:
                return []
            session = str(newest[0].columns["session"])
        filters = Filters(
            states=states,
            session=session,
            since=selection.since,
            no_steps=True,
            last=selection.last,
        )
        return [row.id for row in journal.log(filters)]

    def _require_session(self, name: str) -> None:
        if next(self._engine.ledger.journal.log(Filters(session=name, last=1)), None) is None:
            raise ActionError(f"the journal has no session {name}; goex session list")

    async def plan(self, ids: Sequence[int], *, cascade: bool, force: bool) -> UndoRun:
        return await self._undoer.plan(ids, cascade=cascade, force=force)

    async def undo(
        self,
        ids: Sequence[int],
        *,
        by: str,
        cascade: bool,
        force: bool,
        wanted: Callable[[], bool] = lambda: True,
    ) -> UndoRun:
        self._require_running()
        return await self._undoer.run(ids, by=by, cascade=cascade, force=force, wanted=wanted)

    async def approve(self, id_: int, *, by: str) -> Entry:
        """Send what is held; it goes out once, also if its agent is gone."""
        self._require_running()
        entry = self._in_state(id_, State.HELD, "is not held")
        if self._engine.ledger.is_late(entry):  # no gateway ran to refuse it when it was
            await self.reject(id_, by="timeout", reason="nobody approved it in time")
            raise ActionError(f"{entry.name} was held too long, and is refused now", REFUSED)
        if not entry.opened.kept:
            after = await self._engine.ledger.append(entry, (Approved(by=by),))
            self._engine.changed(id_)
            return after
        sent = await self._engine.resume(entry, (Approved(by=by),))
        await go_on(self._engine, sent)
        return sent

    async def reject(self, id_: int, *, by: str, reason: str) -> Entry:
        entry = self._load(id_)
        if entry.state not in {State.HELD, State.ADMITTED}:
            raise ActionError(f"{entry.name} is not held: it is {entry.state.public}")
        after = await self._engine.ledger.append(entry, (Rejected(by=by, reason=reason),))
        self._engine.changed(id_)
        await go_on(self._engine, after)
        return after

    async def keep(self, ids: Sequence[int], *, by: str) -> list[Entry]:
        """Say that a change is wanted: it can no longer be undone."""
        out = []
        for id_ in ids:
            entry = self._load(id_)
            if entry.state not in {*UNDOABLE, State.EXPIRED}:
                raise ActionError(f"{entry.name} is {entry.state.public}: there is nothing to keep")
            out.append(await self._engine.ledger.append(entry, (Kept(by=by),)))
        return out

    async def resolve(self, id_: int, *, applied: bool, by: str) -> Entry:
        """Say what became of a call in doubt."""
        entry = self._in_state(id_, State.IN_DOUBT, "is not in doubt")
        event: Event = Failed(by=by, reason=f"{by} said that it was not applied")
        if applied:
            course = self._engine.course(entry)
            try:
                event = await course.ask(said_applied(entry, self._engine.shelf.book, by))
            finally:
                course.release()
        after = await self._engine.ledger.append(entry, (event,))
        self._engine.changed(id_)
        await go_on(self._engine, after)
        return after

    async def redo(self, id_: int, *, by: str) -> Entry:
        """Make an undone call again, if nobody has changed what it changes meanwhile."""
        self._require_running()
        leases = self._engine.ledger.journal.leases
        lease = await asyncio.to_thread(leases.acquire, f"redo:e{id_}", by, _LEASE)
        try:
            return await self._redo(id_, by=by)
        finally:
            await give_back(leases, lease)

    async def _redo(self, id_: int, *, by: str) -> Entry:
        entry = self._load(id_)
        if entry.state not in {State.UNDONE, State.COMPENSATED}:
            raise ActionError(f"{entry.name} is {entry.state.public}, not undone")
        if not entry.opened.kept:
            raise ActionError(f"{entry.name} was not kept whole, so it cannot be made again")
        if (again := standing_redo(self._engine.ledger, entry)) is not None:
            how = "" if again.state in UNDOABLE else f", which is {again.state.public}"
            raise ActionError(f"{entry.name} was redone already, as {again.name}{how}")
        await self._require_undone(entry)
        link = Link(redo_of=entry.id)
        call = replace(entry.call, link=link, initiator=Initiator.PERSON, at=wall_clock())
        made = await self._engine.make(call, None)
        if made.state is State.HELD:
            made = await self._engine.resume(made, (Approved(by=by),))
        if made.state is State.APPLIED:
            await self._engine.ledger.append(entry, (Redone(by=by, entry=made.id),))
        return made

    async def _require_undone(self, entry: Entry) -> None:
        """The three-way check, the other way round: it is as the undo left it."""
        course = self._engine.course(entry)
        try:
            found, _ = await course.ask(standing(entry, self._engine.shelf.book))
        except (ImageFailed, ExpressionError, ValueError) as error:
            raise ActionError(f"{entry.name} could not be checked: {error}") from None
        finally:
            course.release()
        if found is not Standing.ALREADY:
            why = "was changed since it was undone, so it is not made again"
            raise ActionError(f"what {entry.name} changes {why}", CONFLICT)

    def pause(self, paused: bool) -> None:
        """Refuse every change at once, or no longer."""
        self._engine.paused = paused

    def _require_running(self) -> None:
        if self._engine.paused:
            raise ActionError("changes are paused, undo and approval too; goex resume", REFUSED)

    def _load(self, id_: int) -> Entry:
        entry = self._engine.ledger.load(id_)
        if entry is None:
            raise ActionError(f"there is no entry e{id_}")
        return entry

    def _in_state(self, id_: int, state: State, why: str) -> Entry:
        entry = self._load(id_)
        if entry.state is not state:
            raise ActionError(f"{entry.name} {why}: it is {entry.state.public}")
        return entry

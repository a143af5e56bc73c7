"""Undo of one entry or many: the plan, its order, and the run.

A plan is made by reading only. The order is newest first, which puts what hangs on a call
before the call itself. Each entry is undone under a lease of its own, so that two processes
never undo it twice, and is resumed after a crash from what the journal says.
"""

import asyncio
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace

from goex_proxy.core.entry import Entry, differences_in_words
from goex_proxy.core.event import Conflicted, Expired, Lost, UndoStarted
from goex_proxy.core.expression import ExpressionError
from goex_proxy.core.footprint import Standing
from goex_proxy.core.journal import JournalError as Impossible
from goex_proxy.core.journal import State
from goex_proxy.core.operation import Fidelity
from goex_proxy.core.reading import ImageFailed
from goex_proxy.core.undoing import standing
from goex_proxy.engine.dependents import (
    UNDOABLE,
    below,
    dependents,
    hangs,
    is_effect,
    standing_redo,
    tenants,
)
from goex_proxy.engine.engine import Engine
from goex_proxy.engine.ledger import Ledger
from goex_proxy.engine.principal import principal_trouble
from goex_proxy.engine.request_lines import request_lines
from goex_proxy.stores.journal_errors import Fenced, JournalBusy, JournalError, Stale
from goex_proxy.stores.leases import Lease, Leases

_LEASE = 900.0
_TRIES = 4
_OVER = {"undone", "compensated", "already", "skipped"}
"""Outcomes after which nothing of an entry is left that an older one's undo could take along."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What became, or would become, of one entry."""

    entry: int
    outcome: str
    """`undone compensated already conflict in_doubt refused failed skipped`; in a plan also
    `todo`."""
    read_back: bool = False
    guarded: bool = False
    residue: tuple[str, ...] = ()
    reason: str = ""
    requests: tuple[str, ...] = ()
    fidelity: str = ""
    operation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoRun:
    run: str
    steps: tuple[Step, ...]


class Undoer:
    """Plans and runs undos. `by` is who wants it: a person's name, or `agent:NAME`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def plan(self, ids: Iterable[int], *, cascade: bool, force: bool) -> UndoRun:
        """What an undo would do now; nothing is written."""
        entries, skipped, _ = self._order(ids, cascade=cascade, force=force)
        steps = list(skipped)
        planned: list[Entry] = []
        stays = [] if force else self._stay(skipped)
        for entry in entries:
            step = _after(await self._foresee(entry), entry, planned)
            if step.outcome != "already":
                step = self._lived_in(entry, stays, force=force) or step
            if step.outcome == "todo":
                planned.append(entry)
            elif step.outcome not in _OVER and not force:
                stays.append(entry)
            steps.append(step)
        return UndoRun(run="", steps=tuple(steps))

    async def run(
        self,
        ids: Iterable[int],
        *,
        by: str,
        cascade: bool,
        force: bool,
        wanted: Callable[[], bool] = lambda: True,
    ) -> UndoRun:
        """Undo these entries, newest first, and begin none of them that is not wanted any more."""
        run, ids = "u" + secrets.token_hex(6), tuple(ids)
        for id_ in ids:
            await self._pick_up(id_)
        entries, skipped, over = self._order(ids, cascade=cascade, force=force)
        for entry in over:
            with suppress(Stale):  # somebody has moved it on: it is looked at the next time
                await self._engine.ledger.append(entry, (Expired(),))
        steps = list(skipped)
        stays = [] if force else self._stay(skipped)
        for entry in entries:
            if not wanted():
                break
            step = self._lived_in(entry, stays, force=force)
            if step is None or (await self._foresee(entry)).outcome == "already":
                step = await self._undo(entry, f"{run}-{entry.id}", by=by, force=force)
            if step.outcome not in _OVER and not force:
                stays.append(entry)
            steps.append(step)
        return UndoRun(run=run, steps=tuple(steps))

    async def _pick_up(self, id_: int) -> None:
        """Go on with an undo that was cut: where no gateway runs, no sweep does."""
        entry = self._engine.ledger.load(id_)
        if entry is not None and entry.state is State.UNDOING:
            await take_up(self._engine, entry, steps=True)

    def _lived_in(self, entry: Entry, stays: Iterable[Entry], *, force: bool) -> Step | None:
        """Why it is not undone: something was done in what it made that stays. Asked again right
        before each undo, for agents go on meanwhile."""
        if force:
            return None
        return _under(entry, stays) or _says(entry, tenants(self._engine.ledger, entry))

    def _stay(self, skipped: Iterable[Step]) -> list[Entry]:
        """Of those that were asked for, the ones that will not be undone and are there."""
        ids = [step.entry for step in skipped if step.outcome not in _OVER]
        return [entry for id_ in ids if (entry := self._engine.ledger.load(id_)) is not None]

    def _order(
        self, ids: Iterable[int], *, cascade: bool, force: bool
    ) -> tuple[list[Entry], list[Step], list[Entry]]:
        """The entries to undo, in order; those that cannot be, each with its reason; and of
        these the ones whose window is over."""
        wanted = sorted(set(ids), reverse=True)
        chosen: dict[int, Entry] = {}
        skipped: list[Step] = []
        over: list[Entry] = []
        for id_ in wanted:
            try:
                entry = self._engine.ledger.load(id_)
            except (ValueError, Impossible, JournalError) as error:
                reason = f"it cannot be read: {error}; run `goex verify`"
                skipped.append(Step(entry=id_, outcome="failed", reason=reason))
                continue
            if entry is None:
                skipped.append(Step(entry=id_, outcome="failed", reason="there is no such entry"))
                continue
            if (settled := _settled(self._engine.ledger, entry)) is not None:
                skipped.append(settled)
                continue
            if self._engine.ledger.is_over(entry):
                if self._engine.ledger.is_surely_over(entry):
                    over.append(entry)
                skipped.append(_step(entry, "refused", "its undo window is over"))
                continue
            later = [e for e in dependents(self._engine.ledger, entry) if e.id not in wanted]
            if later and not cascade and not force:
                names = ", ".join(e.name for e in later[:10])
                reason = f"{names} came after it and hang on it; undo them too: --cascade"
                skipped.append(_step(entry, "conflict", reason))
                continue
            chosen[entry.id] = entry
            if cascade and self._lived_in(entry, (), force=force) is None:
                chosen.update({e.id: e for e in later})
        return [chosen[id_] for id_ in sorted(chosen, reverse=True)], skipped, over

    async def _foresee(self, entry: Entry) -> Step:
        if (trouble := _why_not(entry)) is not None:
            return trouble
        course = self._engine.course(entry)
        try:
            found, events = await course.ask(standing(entry, self._engine.shelf.book))
        except (ImageFailed, ExpressionError, ValueError) as error:
            return _step(entry, "failed", f"it could not be checked: {error}")
        finally:
            course.release()
        match found:
            case Standing.CONFLICT:
                differences = [
                    d for e in events if isinstance(e, Conflicted) for d in e.differences
                ]
                return _step(entry, "conflict", differences_in_words(differences))
            case Standing.ALREADY:
                return _step(entry, "already", "it is as it was before")
            case Standing.TODO:
                return _step(entry, "todo", "")

    async def _undo(self, entry: Entry, run: str, *, by: str, force: bool) -> Step:
        if (trouble := _why_not(entry)) is not None:
            return trouble
        if (reason := await principal_trouble(self._engine, entry)) != "":
            return _step(entry, "refused", reason)
        leases = self._engine.ledger.journal.leases
        try:
            lease = await asyncio.to_thread(leases.acquire, f"undo:{entry.name}", run, _LEASE)
        except JournalBusy as error:
            return self._busy(entry, error)
        try:
            return await self._start(entry.id, UndoStarted(by=by, run=run, force=force), lease)
        except Fenced as error:
            return _step(entry, "in_doubt", str(error))
        finally:
            await give_back(leases, lease)

    def _busy(self, entry: Entry, error: JournalBusy) -> Step:
        """Somebody else undoes it now, or the journal is busy."""
        fresh = self._engine.ledger.load(entry.id) or entry
        return _settled(self._engine.ledger, fresh) or _step(entry, "in_doubt", str(error))

    async def _start(self, id_: int, started: UndoStarted, lease: Lease) -> Step:
        ledger = self._engine.ledger
        for _ in range(_TRIES):
            if (fresh := ledger.load(id_)) is None:
                break
            if (settled := _settled(ledger, fresh)) is not None:
                return settled
            try:
                return result(await self._engine.resume(fresh, (started,), lease.fence))
            except Stale:  # an event of somebody else's came between
                now = ledger.load(id_) or fresh
                if now.undo is not None and now.undo.run == started.run:
                    return result(now)  # it was begun: a sweep goes on with it
        reason = "it is being changed over and over; try again"
        return Step(entry=id_, outcome="failed", reason=reason)


async def go_on(engine: Engine, child: Entry) -> None:
    """A step's entry has settled: go on with the undo that it belongs to, if that waits."""
    parent = child.call.link.undo_of
    entry = engine.ledger.load(parent) if parent is not None else None
    if entry is not None and child.state.settled and child.state is not State.IN_DOUBT:
        await take_up(engine, entry)


async def take_up(engine: Engine, entry: Entry, *, steps: bool = False) -> None:
    """Go on with an undo that nobody runs now. If somebody does, nothing is done.

    `steps`: settle its latest step first, as a sweep would.
    """
    leases = engine.ledger.journal.leases
    try:
        name = f"undo:{entry.name}"
        lease = await asyncio.to_thread(leases.acquire, name, "recovery", _LEASE)
    except JournalBusy:
        return  # whoever has it goes on
    try:
        fresh = engine.ledger.load(entry.id)
        if fresh is None or fresh.state is not State.UNDOING:
            return
        if steps:
            await _settle_steps(engine, fresh)
        await engine.resume(fresh, (), lease.fence)
    except (Fenced, Stale):
        return  # it ran out meanwhile, and passed to another; or somebody has moved it on
    finally:
        await give_back(leases, lease)


async def _settle_steps(engine: Engine, entry: Entry) -> None:
    """Settle what a process that is gone left of the steps of an undo. Its lease is ours."""
    run = entry.undo.run if entry.undo is not None else ""
    for row in engine.ledger.journal.find(run=run):
        step = engine.ledger.load(row.id)
        if step is None or step.id in engine.live or step.state not in _UNSETTLED:
            continue
        lost = Lost(reason="its process ended before it was answered")
        await engine.resume(step, (lost,) if step.state is State.SENT else ())


_UNSETTLED = {State.ADMITTED, State.SENT, State.ANSWERED, State.IN_DOUBT}


async def give_back(leases: Leases, lease: Lease) -> None:
    """Release a lease, also while the journal is busy for a while."""
    for last in (False, False, True):
        try:
            await asyncio.to_thread(leases.release, lease)
        except Fenced:
            return  # another has it; what it does is fenced from us
        except JournalBusy:
            if last:
                return  # it runs out by itself
        else:
            return


def _under(entry: Entry, stays: Iterable[Entry]) -> Step | None:
    """What was done since inside of what this call made, and stays, must not go with it."""
    return _says(entry, [later for later in stays if is_effect(later) and below(later, entry)])


def _says(entry: Entry, inside: list[Entry]) -> Step | None:
    if not inside:
        return None
    names = ", ".join(later.name for later in inside[:10])
    names += f" and {len(inside) - 10} more" if len(inside) > 10 else ""
    reason = f"{names} came after it, hang on it, and are not undone; else: --force"
    return _step(entry, "conflict", reason)


def _after(step: Step, entry: Entry, planned: list[Entry]) -> Step:
    """In a plan: what newer steps of it will have put back by then stands in nobody's way."""
    first = [newer.name for newer in planned if hangs(newer, entry)]
    if not first or step.outcome not in {"conflict", "already"}:
        return step
    more = f" and {len(first) - 1} more" if len(first) > 1 else ""
    return replace(step, outcome="todo", reason=f"after {first[-1]}{more}; checked again then")


_UNDONE_ELSEWHERE = "an undo of it is under way, from another terminal or by the gateway"
_UNDER_WAY = ("in_doubt", "it is under way, and its outcome not known yet; try again when it is")
_SAID = {
    State.KEPT: ("refused", "it was kept"),
    State.EXPIRED: ("refused", "its undo window is over"),
    State.UNDOING: ("in_doubt", _UNDONE_ELSEWHERE),
    State.SENT: _UNDER_WAY,
    State.ANSWERED: _UNDER_WAY,
    State.PENDING: _UNDER_WAY,
}


def _settled(ledger: Ledger, entry: Entry) -> Step | None:
    """Why an entry need not, or cannot, be undone whatever the service says."""
    match entry.state:
        case State.UNDONE | State.COMPENSATED:
            again = standing_redo(ledger, entry)
            if again is not None and again.state is not State.HELD:
                reason = f"it was made again since, as {again.name}: undo that one"
                return _step(entry, "skipped", reason)
            return _step(entry, "already", "it was undone before")
        case state if state in UNDOABLE:
            return None
        case State.IN_DOUBT:
            reason = f"its outcome is not known; settle it first: goex resolve {entry.name}"
            return _step(entry, "in_doubt", reason)
        case state if state in _SAID:
            return _step(entry, *_SAID[state])
        case _:
            return _step(entry, "skipped", f"it is {entry.state.public}: nothing was changed")


def _why_not(entry: Entry) -> Step | None:
    if entry.inverse is None:
        outcome = "already" if entry.fidelity is Fidelity.EXACT else "failed"
        return _step(entry, outcome, entry.reason or "it has no inverse")
    return None


def result(entry: Entry) -> Step:
    """What became of an entry after an undo was started."""
    progress = entry.undo
    match entry.state:
        case State.UNDONE | State.COMPENSATED if progress is not None:
            outcome = "undone" if entry.state is State.UNDONE else "compensated"
            outcome = "already" if progress.outcome == "already" else outcome
            return replace(_step(entry, outcome, ""), read_back=True, residue=entry.residue)
        case State.CONFLICT:
            return _step(entry, "conflict", entry.reason)
        case State.UNDOING:
            return _step(entry, "in_doubt", "a step of it is held or in doubt; see goex show")
        case State.APPLIED if progress is not None and progress.outcome == "refused":
            return _step(entry, "refused", entry.reason)
        case _:
            return _step(entry, "failed", entry.reason)


def _step(entry: Entry, outcome: str, reason: str) -> Step:
    inverse = entry.inverse
    return Step(
        entry=entry.id,
        outcome=outcome,
        guarded=inverse.guarded if inverse is not None else False,
        residue=entry.residue if inverse is not None else (),
        reason=reason,
        requests=request_lines(inverse) if inverse is not None else (),
        fidelity=(entry.fidelity or Fidelity.NONE).value,
        operation=entry.opened.operation,
    )

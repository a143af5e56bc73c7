"""The engine: what every course needs, and the ways to set one going."""

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from goex_proxy.core.admission import arrive
from goex_proxy.core.call import Call
from goex_proxy.core.command import Append, Fetch, FetchFailed
from goex_proxy.core.decision import Decision, Effect
from goex_proxy.core.entry import Entry
from goex_proxy.core.event import Admitted, Event, Opened, RuleText
from goex_proxy.core.exchange import Response
from goex_proxy.core.journal import State
from goex_proxy.engine.callers import Callers
from goex_proxy.engine.course import Course, Stop
from goex_proxy.engine.ledger import Ledger
from goex_proxy.engine.locks import LockTable
from goex_proxy.engine.shelf import Shelf
from goex_proxy.engine.tally import Tally
from goex_proxy.stores.rows import Fence
from goex_proxy.upstream.client import Client
from goex_proxy.upstream.errors import NotSentError, UnreadableError, UpstreamError
from goex_proxy.upstream.sender import Sender


class Engine:
    """One per process. Everything that changes anything goes through it."""

    def __init__(
        self, *, ledger: Ledger, shelf: Shelf, upstream: Client, callers: Callers, pause: Path
    ) -> None:
        self.ledger = ledger
        self.shelf = shelf
        self.upstream = upstream
        self.callers = callers
        self.tally = Tally(ledger.sent_by)
        self.locks = LockTable()
        self._pause = pause
        self._paused = pause.exists()
        self.troubles: dict[str, int] = {}
        self.troubled: dict[str, str] = {}
        """When each of the troubles came last."""
        self.live: set[int] = set()
        """Entries that a course of this process has now: no sweep may take them up."""
        self._tasks: set[asyncio.Task[Any]] = set()
        self._waiting: dict[int, list[asyncio.Event]] = {}

    @property
    def paused(self) -> bool:
        """Whether every change is refused; it outlasts a restart."""
        return self._paused

    @paused.setter
    def paused(self, paused: bool) -> None:
        if paused:
            self._pause.touch(mode=0o600)
        else:
            self._pause.unlink(missing_ok=True)
        self._paused = paused

    def failed(self, what: str) -> None:
        """Count something that broke; shown by `status`."""
        self.troubles[what] = self.troubles.get(what, 0) + 1
        self.troubled[what] = wall_clock()

    def course(self, entry: Entry | None = None, fence: Fence | None = None) -> Course:
        return Course(
            self.ledger,
            self.shelf.book,
            self.fetch,
            lambda call, rule: self.make(call, rule, fence=fence),
            self.locks.holder(),
            entry=entry,
            fence=fence,
        )

    async def fetch(self, command: Fetch) -> Response:
        """A read on the side. Raises `FetchFailed`."""
        try:
            return await self.upstream.fetch(
                command.request, command.credential or None, limit=self.shelf.book.limits.image
            )
        except UpstreamError as error:
            raise FetchFailed(str(error)) from None

    async def make(self, call: Call, rule: RuleText | None, *, fence: Fence | None = None) -> Entry:
        """Make a call of our own, an undo's step or a redo, as an entry, until it rests."""
        book = self.shelf.book
        arrival = arrive(replace(call, at=call.at or wall_clock()), book)
        opened = _with_rule(arrival.opened, rule)
        course = self.course(fence=fence)
        try:
            if rule is not None:
                decision = Decision(effect=Effect.ALLOW, rule="undo", reason="decided when sent")
                course.begin((opened, Admitted(decision=decision)))
            else:
                outcome = await course.decide(arrival)
                if not isinstance(outcome, Append):
                    raise RuntimeError("a call of our own that reads has no entry")
                course.begin(outcome.events)
            return await self.carry(course)
        finally:
            course.release()

    async def carry(self, course: Course) -> Entry:
        """Take a course to its rest, sending with our own client what is to be sent."""
        stop = await course.go()
        while stop is Stop.DIAL:
            call = course.entry.call
            limit = self.shelf.book.limits.image
            sender = self.upstream.sender(call.request, call.credential or None, limit=limit)
            try:
                stop = await self._send(course, sender)
            finally:
                await sender.abandon()
        self.changed(course.entry.id)
        return course.entry

    async def _send(self, course: Course, sender: Sender) -> Stop:
        try:
            await sender.dial()
        except NotSentError as error:
            return await course.undialled(str(error))
        stop = await course.dialled()
        if course.entry.state is not State.SENT:
            return stop
        if not course.entry.call.is_undo:
            self.tally.wrote(course.entry.call.caller)
        with self._taken(course.entry.id):
            try:
                response = await sender.send()
            except NotSentError as error:
                return await course.unsent(str(error))
            except UnreadableError as error:
                return await course.answered(error.response)
            except UpstreamError as error:
                return await course.lost(str(error))
            return await course.answered(response)

    async def resume(
        self, entry: Entry, events: Sequence[Event] = (), fence: Fence | None = None
    ) -> Entry:
        """Go on with an entry of the journal: after an approval, a restart, for an undo."""
        course = self.course(entry, fence)
        with self._taken(entry.id):
            try:
                if events:
                    course.begin(events)
                    await course.flush()
                return await self.carry(course)
            finally:
                course.release()

    @contextmanager
    def _taken(self, entry: int) -> Iterator[None]:
        """Meanwhile no sweep takes it up; who took it first lets go of it."""
        first = entry not in self.live
        self.live.add(entry)
        try:
            yield
        finally:
            if first:
                self.live.discard(entry)

    def background(self, work: Coroutine[Any, Any, object], what: str) -> None:
        """Run beside everything else; what it raises is counted, and shown by `status`."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)

        def done(ended: asyncio.Task[Any]) -> None:
            self._tasks.discard(ended)
            if not ended.cancelled() and ended.exception() is not None:
                self.failed(f"{what}: {type(ended.exception()).__name__}")

        task.add_done_callback(done)

    async def drain(self, seconds: float) -> None:
        """Wait for what runs in the background; then end it."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        for task in self._tasks:
            task.cancel()

    def changed(self, entry: int) -> None:
        """Wake who waits for this entry."""
        for event in self._waiting.pop(entry, ()):
            event.set()

    async def wait_for(self, entry: int, seconds: float) -> bool:
        """Wait until an entry changes here; whether it did."""
        event = asyncio.Event()
        self._waiting.setdefault(entry, []).append(event)
        try:
            await asyncio.wait_for(event.wait(), seconds)
        except TimeoutError:
            return False
        finally:
            waiting = self._waiting.get(entry, [])
            if event in waiting:
                waiting.remove(event)
        return True


def wall_clock() -> str:
    """RFC 3339, UTC, microseconds."""
    return datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _with_rule(opened: Opened, rule: RuleText | None) -> Opened:
    return replace(opened, rule=rule)

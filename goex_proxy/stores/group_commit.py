"""Many appends, few commits.

A commit waits for the disk once, for however many appends it carries. Who commits was measured
(tests/stores/test_speed.py):

- one append that waits alone is committed in the event loop's own thread: handing it to a thread
  and back costs as much as the sync;
- when several wait, when a payload is large, when the disk has been slow or when another process
  has the lock, a writer thread does it, and what arrives meanwhile is the next batch.

An append whose task is cancelled before its batch starts is not written; after that it is.
"""

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from goex_proxy.stores.appending import Outcome, Prepared
from goex_proxy.stores.database import Database
from goex_proxy.stores.journal_errors import JournalBusy, JournalError

INLINE_MOST = 1
"""Appends that are still committed in the loop's thread."""
_INLINE_BYTES = 64 << 10
_INLINE_SECONDS = 0.002


@dataclass(slots=True)
class _Waiting:
    prepared: Prepared
    future: asyncio.Future[Outcome]


class _Batch:
    """Appends on their way to the writer thread. Given up if the lock takes too long: then,
    and only then, nothing of it will be written."""

    def __init__(self, batch: Sequence[Prepared], deliver: Callable[[list[Outcome]], None]) -> None:
        self.batch = batch
        self.deliver = deliver
        self._guard = threading.Lock()
        self._settled = False

    def claim(self) -> bool:
        """For the writer (may it write?) and for the clock (may it give up?): the first wins."""
        with self._guard:
            first, self._settled = not self._settled, True
        return first


class GroupCommit:
    """Commits appends for one event loop, and for threads without one."""

    def __init__(
        self,
        database: Database,
        write: Callable[[sqlite3.Connection, Sequence[Prepared]], list[Outcome]],
        *,
        busy_timeout: float,
        inline_most: int = INLINE_MOST,
    ) -> None:
        self._database = database
        self._write = write
        self._timeout = busy_timeout
        self._inline_most = inline_most
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: list[_Waiting] = []
        self._scheduled = False
        self._current: _Batch | None = None
        self._stuck = False
        self._smoothed = 0.0
        self._queue: queue.SimpleQueue[_Batch | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._closed = False

    async def append(self, prepared: Prepared) -> Outcome:
        """Durable when this returns an entry; not written when it returns an error."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._begin(loop)
        self._refuse_when_unable()
        future: asyncio.Future[Outcome] = loop.create_future()
        self._waiting.append(_Waiting(prepared, future))
        if not self._scheduled and self._current is None:
            self._scheduled = True
            # After the callbacks that are ready now: whoever appends in them joins.
            loop.call_soon(self._flush, loop)
        return await future

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """What a loop that has ended left under way will not come back to this one."""
        self._loop = loop
        self._waiting, self._scheduled, self._current, self._stuck = [], False, None, False

    def append_now(self, prepared: Prepared) -> Outcome:
        """The same without a loop: blocks this thread, by its own time limit for the lock."""
        self._refuse_when_unable()
        done: queue.SimpleQueue[list[Outcome]] = queue.SimpleQueue()
        batch = _Batch([prepared], done.put)
        self._hand_over(batch)
        try:
            return done.get(timeout=self._timeout)[0]
        except queue.Empty:
            if batch.claim():
                return self._busy()
            return done.get()[0]

    def _refuse_when_unable(self) -> None:
        if self._closed:
            raise JournalError(f"{self._path}: the journal was closed")
        if self._stuck:
            raise self._busy()

    @property
    def _path(self) -> Path:
        return self._database.path

    def _busy(self) -> JournalBusy:
        return JournalBusy(
            f"{self._path}: another process held it for more than {self._timeout:g} s; see which"
            f" (`fuser {self._path.with_suffix('.lock')}`)"
        )

    def _flush(self, loop: asyncio.AbstractEventLoop) -> None:
        self._scheduled = False
        waiting = [one for one in self._waiting if not one.future.done()]
        self._waiting = []
        if not waiting:
            return
        batch = [one.prepared for one in waiting]
        if self._may_be_inline(batch):
            try:
                outcomes = self._commit(batch)
            except JournalBusy:
                pass  # not an end: the thread can wait for the lock, the loop cannot
            else:
                _resolve(waiting, outcomes)
                return
        self._commit_in_thread(loop, waiting, batch)

    def _may_be_inline(self, batch: Sequence[Prepared]) -> bool:
        return (
            len(batch) <= self._inline_most
            and self._smoothed < _INLINE_SECONDS
            and sum(prepared.size for prepared in batch) < _INLINE_BYTES
        )

    def _commit(self, batch: Sequence[Prepared]) -> list[Outcome]:
        """In this thread, without waiting for anybody: JournalBusy if there is somebody."""
        started = time.monotonic()
        try:
            with self._database.transaction(wait=False) as connection:
                outcomes = self._write(connection, batch)
        except JournalBusy:
            raise
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it, whatever it is
            return [self._failure(error)] * len(batch)
        self._smooth(time.monotonic() - started)
        return outcomes

    def _smooth(self, took: float) -> None:
        self._smoothed += (took - self._smoothed) / 8

    def _commit_in_thread(
        self,
        loop: asyncio.AbstractEventLoop,
        waiting: list[_Waiting],
        prepared: list[Prepared],
    ) -> None:
        def deliver(outcomes: list[Outcome]) -> None:
            self._stuck = False
            with suppress(RuntimeError):  # it was closed: nobody waits any more
                loop.call_soon_threadsafe(finish, outcomes)

        def finish(outcomes: list[Outcome]) -> None:
            clock.cancel()
            self._current = None
            _resolve(waiting, outcomes)
            self._flush(loop)

        def give_up() -> None:
            if not batch.claim():
                return  # it has the lock: from here only the disk can be slow
            self._stuck = True
            held_up, self._waiting = [*waiting, *self._waiting], []
            _resolve(held_up, [self._busy() for _ in held_up])

        batch = _Batch(prepared, deliver)
        self._current = batch
        clock = loop.call_later(self._timeout, give_up)
        self._hand_over(batch)

    def _hand_over(self, batch: _Batch) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="goex-journal-writer", daemon=True
                )
                self._thread.start()
        self._queue.put(batch)

    def _work(self) -> None:
        while (batch := self._queue.get()) is not None:
            batch.deliver(self._commit_batch(batch))

    def _commit_batch(self, batch: _Batch) -> list[Outcome]:
        try:
            with self._database.locked() as connection:
                if not batch.claim():
                    return []
                started = time.monotonic()
                with self._database.begun(connection):
                    outcomes = self._write(connection, batch.batch)
                self._smooth(time.monotonic() - started)
                return outcomes
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it, whatever it is
            return [self._failure(error)] * len(batch.batch)

    def _failure(self, error: Exception) -> JournalError:
        if isinstance(error, JournalError):
            return error
        return JournalError(f"{self._path}: {type(error).__name__} while writing: {error}")

    def close(self) -> None:
        """Write what was handed over, then stop. What waits in a loop is refused."""
        self._closed = True
        _resolve(self._waiting, [JournalError(f"{self._path}: closed")] * len(self._waiting))
        self._waiting = []
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(self._timeout)


def _resolve(waiting: Sequence[_Waiting], outcomes: Sequence[Outcome]) -> None:
    for one, outcome in zip(waiting, outcomes, strict=False):  # none for a batch given up
        if not one.future.done():
            one.future.set_result(outcome)

"""Many appends, few commits.

A commit waits for the disk once, for however many appends it carries. Who commits was measured
(tests/stores/test_speed.py):

- statements run in the event loop's own thread: a thread beside it would fight with it for the
  interpreter over each of them;
- one append that waits alone is also committed there: handing it to a thread and back costs as
  much as the sync. When several wait or the disk has been slow, a thread waits for the disk, and
  what arrives meanwhile is the next batch;
- when a payload is large or when another process has the lock, the thread does all of it.

An append whose task is cancelled before its batch starts is not written; after that it is.
"""

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from goex_proxy.stores.appending import Outcome, Prepared
from goex_proxy.stores.batch import Batch, Waiting, Written
from goex_proxy.stores.database import Database
from goex_proxy.stores.journal_errors import JournalBusy, JournalError, translate
from goex_proxy.stores.open_transaction import OpenTransaction

INLINE_MOST = 1
"""Appends that are still committed in the loop's thread."""
MOST = 64
"""Appends in one transaction whose statements the loop runs."""
_INLINE_BYTES = 64 << 10
_INLINE_SECONDS = 0.002


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
        self._waiting: list[Waiting] = []
        self._scheduled = False
        self._current: Batch | Written | None = None
        self._stuck = False
        self._smoothed = 0.0
        self._queue: queue.SimpleQueue[Batch | Written | None] = queue.SimpleQueue()
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
        self._waiting.append(Waiting(prepared, future))
        self._schedule(loop)
        return await future

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """What a loop that has ended left under way will not come back to this one."""
        self._loop = loop
        self._waiting, self._scheduled, self._current, self._stuck = [], False, None, False

    def append_now(self, prepared: Prepared) -> Outcome:
        """The same without a loop: blocks this thread, by the database's own time limit. Not
        through the writer thread: it may be waiting for whom that would keep waiting."""
        self._refuse_when_unable()
        try:
            with self._database.transaction() as connection:
                return self._write(connection, [prepared])[0]
        except Exception as error:  # noqa: BLE001 - an outcome like any other
            return self._failure(error)

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
        waiting, self._waiting = waiting[:MOST], waiting[MOST:]
        if not waiting:
            return
        batch = [one.prepared for one in waiting]
        if max(prepared.size for prepared in batch) < _INLINE_BYTES:
            try:
                self._write_here(loop, waiting, batch)
            except JournalBusy:
                pass  # not an end: the thread can wait for the lock, the loop cannot
            else:
                self._schedule(loop)
                return
        self._commit_in_thread(loop, waiting, batch)

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        """After the callbacks that are ready now: whoever appends in them joins."""
        if self._waiting and not self._scheduled and self._current is None:
            self._scheduled = True
            loop.call_soon(self._flush, loop)

    def _write_here(
        self, loop: asyncio.AbstractEventLoop, waiting: list[Waiting], batch: Sequence[Prepared]
    ) -> None:
        """In this thread, without waiting for anybody: JournalBusy if there is somebody."""
        try:
            transaction = self._database.begin_at_once()
            try:
                outcomes = self._write(transaction.connection, batch)
            except sqlite3.Error as error:
                transaction.give_up()
                raise translate(error, self._path) from error
            except BaseException:
                transaction.give_up()
                raise
        except JournalBusy:
            raise
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it, whatever it is
            _resolve(waiting, [self._failure(error)] * len(batch))
            return
        if len(batch) <= self._inline_most and self._smoothed < _INLINE_SECONDS:
            _resolve(waiting, self._committed(transaction, outcomes))
        else:
            self._commit_beside(loop, waiting, transaction, outcomes)

    def _commit_beside(
        self,
        loop: asyncio.AbstractEventLoop,
        waiting: list[Waiting],
        transaction: OpenTransaction,
        outcomes: list[Outcome],
    ) -> None:
        """The thread waits for the disk; only that can be slow now."""

        def finish(outcomes: list[Outcome]) -> None:
            self._current = None
            _resolve(waiting, outcomes)
            self._flush(loop)

        def deliver(outcomes: list[Outcome]) -> None:
            with suppress(RuntimeError):  # the loop was closed: nobody waits any more
                loop.call_soon_threadsafe(finish, outcomes)

        written = self._current = Written(transaction, outcomes, deliver)
        self._hand_over(written)

    def _committed(self, transaction: OpenTransaction, outcomes: list[Outcome]) -> list[Outcome]:
        started = time.monotonic()
        try:
            transaction.commit()
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it, whatever it is
            return [self._failure(error)] * len(outcomes)
        self._smooth(time.monotonic() - started)
        return outcomes

    def _smooth(self, took: float) -> None:
        self._smoothed += (took - self._smoothed) / 8

    def _commit_in_thread(
        self,
        loop: asyncio.AbstractEventLoop,
        waiting: list[Waiting],
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

        batch = Batch(prepared, deliver)
        self._current = batch
        clock = loop.call_later(self._timeout, give_up)
        self._hand_over(batch)

    def _hand_over(self, batch: Batch | Written) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="goex-journal-writer", daemon=True
                )
                self._thread.start()
        self._queue.put(batch)

    def _work(self) -> None:
        while (batch := self._queue.get()) is not None:
            if isinstance(batch, Written):
                batch.deliver(self._committed(batch.transaction, batch.outcomes))
            else:
                batch.deliver(self._commit_batch(batch))

    def _commit_batch(self, batch: Batch) -> list[Outcome]:
        try:
            with self._database.locked() as connection:
                if not batch.claim():
                    return []
                with self._database.begun(connection):
                    return self._write(connection, batch.batch)
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


def _resolve(waiting: Sequence[Waiting], outcomes: Sequence[Outcome]) -> None:
    for one, outcome in zip(waiting, outcomes, strict=False):  # none for a batch given up
        if not one.future.done():
            one.future.set_result(outcome)

"""The journal: events appended for good, their payloads encrypted, a list kept beside them.

It knows rows, not what they mean: states and transitions are core/journal.py's. An append is
durable when it returns; what is not written raises a JournalError, and nothing of it is there.
"""

import asyncio
import os
import sqlite3
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from goex_proxy.stores.appending import KeyMoved, Outcome, Prepared, Transaction, prepare
from goex_proxy.stores.database import Database
from goex_proxy.stores.group_commit import INLINE_MOST, GroupCommit
from goex_proxy.stores.housekeeper import Chore, Housekeeper
from goex_proxy.stores.journal_errors import JournalBusy, JournalCorrupt, JournalError, translate
from goex_proxy.stores.key_store import KeyStore
from goex_proxy.stores.leases import Leases
from goex_proxy.stores.reader import JOURNAL_FILE, KEYS_FILE, JournalReader
from goex_proxy.stores.rows import Append, Options, Upcast, as_it_is, frame_id
from goex_proxy.stores.sealing import EntryKey
from goex_proxy.stores.upgrade import bring_up_to_date
from goex_proxy.stores.wholeness import require_pages, require_tail

_LOG_BYTES = 16 << 20
_SEAL_IN_THREAD = 256 << 10
_TRIES = 4
_WAKE_EVERY = 64


class Journal(JournalReader):
    """The journal in a folder, for writing. One per process; one event loop at a time.

    Several processes may have it open. Close it, after the last append.
    """

    def __init__(
        self,
        folder: Path,
        *,
        upcast: Upcast = as_it_is,
        options: Options = Options(),  # noqa: B008 - immutable
        inline_most: int = INLINE_MOST,
    ) -> None:
        """Open it; create or migrate the files if need be (the folder must exist).

        JournalMissing, JournalNewer, JournalCorrupt (also if it was cut short), JournalBusy.
        """
        super().__init__(folder, upcast=upcast)
        self._options = options
        timeout = options.busy_timeout
        self._database = Database(folder / JOURNAL_FILE, busy_timeout=timeout)
        self._key_store = KeyStore(folder / KEYS_FILE, pool=options.key_pool, busy_timeout=timeout)
        self.leases = Leases(self._database)
        self._commits = 0
        self._group = GroupCommit(
            self._database, self._write, busy_timeout=timeout, inline_most=inline_most
        )
        self._housekeeper = Housekeeper(
            [
                Chore("keys", lambda: True, self._key_store.refill),
                Chore(
                    "journal.db", lambda: self._database.wal_bytes() > _LOG_BYTES, self._checkpoint
                ),
            ]
        )
        self._key_store.wake = self._housekeeper.wake
        try:
            self._database.create()
            bring_up_to_date(self._database, "journal")
            self._require_whole()
            self._key_store.open()
        except BaseException:
            self._database.close()
            self._key_store.close()
            raise

    def _require_whole(self) -> None:
        connection = self._database.connection()
        try:
            require_pages(connection, self.path)
            require_tail(connection, self.path)
        except JournalCorrupt:
            # What is left is left as it is, for whoever repairs it.
            connection.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, True)
            raise
        except sqlite3.Error as error:
            raise translate(error, self.path) from error

    async def append(self, append: Append) -> int:
        """Write these events; the id of their entry, once they are durable.

        Stale, Taken, Fenced, JournalFull, JournalBusy, ...: nothing was written. ValueError: it
        never can be (unknown column, NaN, too many or too large blobs). If the task is cancelled
        while it waits here, the events may or may not have been written: shield it.
        """
        for _ in range(_TRIES):
            if _bytes(append) > _SEAL_IN_THREAD:
                prepared = await asyncio.to_thread(self._prepare, append)
            else:
                prepared = self._prepare(append)
            outcome = await self._group.append(prepared)
            if not isinstance(outcome, KeyMoved):
                return self._done(prepared, outcome)
            self._moved(prepared)
        raise JournalBusy(f"e{append.entry} is being shredded over and over; retry")

    def append_now(self, append: Append) -> int:
        """The same for a thread without an event loop."""
        for _ in range(_TRIES):
            prepared = self._prepare(append)
            outcome = self._group.append_now(prepared)
            if not isinstance(outcome, KeyMoved):
                return self._done(prepared, outcome)
            self._moved(prepared)
        raise JournalBusy(f"e{append.entry} is being shredded over and over; retry")

    def _prepare(self, append: Append) -> Prepared:
        try:
            key, fresh = self._key_for(append)
        except sqlite3.Error as error:
            raise JournalError(f"{self._keys_path}: {error}") from error
        return prepare(append, key, fresh=fresh)

    def _key_for(self, append: Append) -> tuple[EntryKey | None, bool]:
        if not any(row.blobs for row in append.rows):
            return None, False
        if append.entry is not None:
            known = self._key_store.remembered(append.entry) or self._key_of(append.entry)
            if known is not None:
                return known, False
        return self._key_store.take(), True

    def _key_of(self, entry: int) -> EntryKey | None:
        rows = list(self.rows("SELECT key FROM entry WHERE id = ?", (entry,)))
        return self._key_store.get(rows[0][0]) if rows and rows[0][0] is not None else None

    def _moved(self, prepared: Prepared) -> None:
        if prepared.append.entry is not None:
            self._key_store.forget(prepared.append.entry)

    def _done(self, prepared: Prepared, outcome: Outcome) -> int:
        if isinstance(outcome, JournalError):
            # Several callers may share an error; each raises its own, with its own traceback.
            raise type(outcome)(*outcome.args) from outcome
        if prepared.key is not None:
            self._key_store.remember(outcome, prepared.key)
        return outcome

    def _write(self, connection: sqlite3.Connection, batch: Sequence[Prepared]) -> list[Outcome]:
        self._commits += 1
        if self._commits % _WAKE_EVERY == 0 or any(one.size > _LOG_BYTES for one in batch):
            self._housekeeper.wake()
        disk = os.statvfs(self.path.parent)
        free = disk.f_bavail * disk.f_frsize - self._options.reserve
        return Transaction(connection, self._key_store, free).write(batch)

    def _checkpoint(self) -> None:
        self._database.checkpoint()
        self._key_store.checkpoint()

    def shred(self, entry: int) -> None:
        """Make the payloads of an entry unreadable for good; its events stay.

        First the entry lets go of its key, then the keys are destroyed, last the frames deleted:
        whenever this is cut off, it can be run again to the end. JournalBusy: a reader keeps a
        log open, run it again. Another process that has the key in memory cannot use it for new
        payloads: they would not match the entry.
        """
        self._key_store.forget(entry)
        with self._database.transaction() as connection:
            row = connection.execute("SELECT key FROM entry WHERE id = ?", (entry,)).fetchone()
            connection.execute("UPDATE entry SET key = NULL WHERE id = ?", (entry,))
        keys = {row[0]} if row and row[0] is not None else set()
        events = self.events(entry)
        keys |= {ref.key for event in events for ref in event.blobs}
        self._key_store.destroy(keys)
        with self._database.transaction() as connection:
            connection.executemany(
                "DELETE FROM frame WHERE id >= ? AND id < ?",
                [(frame_id(event.seq, 0), frame_id(event.seq + 1, 0)) for event in events],
            )

    @property
    def troubles(self) -> dict[str, str]:
        """What the housekeeper could not do, by chore."""
        return dict(self._housekeeper.troubles)

    def close(self) -> None:
        """Write what is under way, stop the threads, close the files."""
        with ExitStack() as rest:
            rest.callback(self._database.close)
            rest.callback(self._key_store.close)
            rest.callback(super().close)
            self._group.close()
            self._housekeeper.close(self._options.busy_timeout)


def _bytes(append: Append) -> int:
    return sum(len(blob.data) for row in append.rows for blob in row.blobs)

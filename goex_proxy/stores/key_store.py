"""The keys of the entries' payloads, apart from the journal so that they can be destroyed.

Keys are made durable in batches ahead of use, so no append waits for a second sync. Destroying
one overwrites it in the file (`secure_delete`) and empties the write-ahead log. What the file
system or the disk keeps below (snapshots, worn flash cells) is beyond our reach.
"""

import os
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

from goex_proxy.stores.database import Database
from goex_proxy.stores.journal_errors import JournalError
from goex_proxy.stores.sealing import KEY_BYTES, EntryKey
from goex_proxy.stores.upgrade import bring_up_to_date

_REMEMBERED = 4096


class KeyStore:
    """keys.db for those who append. Safe to use from several threads and processes."""

    def __init__(self, path: Path, *, pool: int, busy_timeout: float) -> None:
        self._database = Database(path, busy_timeout=busy_timeout, secure_delete=True)
        self._batch = pool
        self._pool: deque[EntryKey] = deque()
        self._used: OrderedDict[int, EntryKey] = OrderedDict()
        self._guard = threading.Lock()
        self._filling = threading.Lock()
        self.wake: Callable[[], None] = _nobody
        """Called when the pool runs low; somebody should then call `refill`."""

    def open(self) -> None:
        """Create or check the file. The pool is filled by the first `take`."""
        self._database.create()
        bring_up_to_date(self._database, "keys")

    def take(self) -> EntryKey:
        """A durable key that nobody has used."""
        while True:
            with self._guard:
                key = self._pool.popleft() if self._pool else None
                low = len(self._pool) < self._batch // 2
            if key is not None:
                if low:
                    self.wake()
                return key
            self.refill()

    def refill(self) -> None:
        """Make a batch of keys durable, if the pool is below half."""
        with self._filling:
            if len(self._pool) > self._batch // 2:
                return
            fresh = []
            with self._database.transaction() as connection:
                for _ in range(self._batch):
                    secret = os.urandom(KEY_BYTES)
                    cursor = connection.execute("INSERT INTO key (secret) VALUES (?)", (secret,))
                    fresh.append(EntryKey(cursor.lastrowid or 0, secret))
            with self._guard:
                self._pool.extend(fresh)

    def remember(self, entry: int, key: EntryKey) -> None:
        """Keep the key of an entry at hand, for its next events."""
        with self._guard:
            self._used[entry] = key
            self._used.move_to_end(entry)
            if len(self._used) > _REMEMBERED:
                self._used.popitem(last=False)

    def remembered(self, entry: int) -> EntryKey | None:
        with self._guard:
            return self._used.get(entry)

    def forget(self, entry: int) -> None:
        with self._guard:
            self._used.pop(entry, None)

    def get(self, key: int) -> EntryKey | None:
        """The key with this id; None if it was destroyed or never was."""
        row = (
            self._database.connection()
            .execute("SELECT secret FROM key WHERE id = ?", (key,))
            .fetchone()
        )
        return EntryKey(key, row[0]) if row else None

    def destroy(self, keys: Collection[int]) -> None:
        """Make these keys unreadable, in the file and in its log.

        JournalBusy if a reader keeps the log open: the keys are deleted then, but a copy may be
        in the log until this is called again.
        """
        with self._database.transaction() as connection:
            connection.executemany("DELETE FROM key WHERE id = ?", [(key,) for key in keys])
        self._database.truncate_log()

    def log_bytes(self) -> int:
        return self._database.wal_bytes()

    def checkpoint(self) -> None:
        self._database.checkpoint()

    def close(self) -> None:
        """Give back the keys that were not used, and close the file."""
        with self._guard:
            unused, self._pool = [(key.id,) for key in self._pool], deque()
            self._used.clear()
        # A courtesy: left behind (disk full, killed) they take room and mean nothing.
        with suppress(JournalError):
            if unused:
                with self._database.transaction() as connection:
                    connection.executemany("DELETE FROM key WHERE id = ?", unused)
        self._database.close()


def _nobody() -> None:
    """Before a housekeeper has come, `take` refills by itself."""

"""One SQLite file that several threads and processes write fairly.

Each thread has a connection of its own. A transaction takes `flock` on a lock file beside the
database first: the kernel queues waiters in order, where SQLite's busy handler sleeps and may
starve one for a second. Programs that do not know the lock file are waited for by SQLite. The
lock file is a separate one because closing any descriptor of a database drops SQLite's own locks
(POSIX advisory locks). Works on local file systems, as WAL itself does.
"""

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from goex_proxy.stores.journal_errors import JournalBusy, JournalCorrupt, JournalMissing, translate
from goex_proxy.stores.open_transaction import OpenTransaction, Seat

_POLL = 0.003


class Database:
    """A file for writing. Its log is kept small by the Housekeeper, not here."""

    def __init__(self, path: Path, *, busy_timeout: float, secure_delete: bool = False) -> None:
        self.path = path
        self._timeout = busy_timeout
        self._secure_delete = secure_delete
        self._local = threading.local()
        self._seats: list[Seat] = []
        self._impatient: Seat | None = None
        self._taken = threading.Lock()
        self._identity: tuple[int, int] | None = None
        self._grown = 0, 0

    def create(self) -> None:
        """Make the file and the lock file, readable by their owner only, if there are none."""
        for path in (self.path, self._lock_path):
            try:
                os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            except FileNotFoundError as error:
                raise JournalMissing(f"{path}: there is no such directory") from error
            except OSError as error:
                raise translate_os(error, path) from error

    @property
    def _lock_path(self) -> Path:
        return self.path.with_suffix(".lock")

    def connection(self) -> sqlite3.Connection:
        """This thread's connection; only reads may go past `transaction`."""
        return self._seat().connection

    def _seat(self) -> Seat:
        seat: Seat | None = getattr(self._local, "seat", None)
        if seat is None:
            seat = self._local.seat = self._open()
            self._seats.append(seat)
        return seat

    def _open(self, timeout: float | None = None) -> Seat:
        self._check_identity()
        try:
            lock = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise translate_os(error, self._lock_path) from error
        try:
            # Used by its own thread only; `close` may come from another, once all is quiet.
            connection = sqlite3.connect(
                f"file:{quote(str(self.path))}?mode=rw",
                uri=True,
                isolation_level=None,
                check_same_thread=False,
                timeout=self._timeout if timeout is None else timeout,
            )
        except sqlite3.Error as error:
            os.close(lock)
            raise translate(error, self.path) from error
        try:
            self._configure(connection)
        except sqlite3.Error as error:
            connection.close()
            os.close(lock)
            raise translate(error, self.path) from error
        return Seat(connection, lock)

    def _configure(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        # Checkpoints belong to the housekeeper; this is what happens if it has died.
        connection.execute("PRAGMA wal_autocheckpoint=16000")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA temp_store=MEMORY")
        # Without it, INSERT OR REPLACE deletes rows past the triggers that forbid it.
        connection.execute("PRAGMA recursive_triggers=ON")
        if self._secure_delete:
            connection.execute("PRAGMA secure_delete=ON")

    def _check_identity(self) -> None:
        """A file that was moved away would go on taking events that nobody finds again."""
        found = self._stat()
        identity = (found.st_dev, found.st_ino)
        if self._identity is None:
            self._identity = identity
        elif self._identity != identity:
            raise JournalMissing(f"{self.path}: the file was replaced while open; restart")

    def _check_size(self) -> None:
        """A file that was cut short, or whose log was, would take events behind a hole.

        Only with a connection open, which keeps SQLite from removing the log; and where
        deletions must be final (keys.db), any process may empty it.
        """
        grown = self._stat().st_size, 0 if self._secure_delete else self.wal_bytes()
        if grown[0] < self._grown[0] or grown[1] < self._grown[1]:
            raise JournalCorrupt(
                f"{self.path}: it or its log was cut short while open; run `goex verify`, restart"
            )
        self._grown = grown

    def _stat(self) -> os.stat_result:
        try:
            return os.stat(self.path)
        except OSError as error:
            raise JournalMissing(f"{self.path}: the file has gone; restore it, restart") from error

    @contextmanager
    def locked(self, *, patience: float | None = None) -> Iterator[sqlite3.Connection]:
        """Hold the lock of all writers. JournalBusy after so many seconds; None: no time limit
        here, the group commit keeps one."""
        seat = self._seat()
        if patience is None:
            fcntl.flock(seat.lock, fcntl.LOCK_EX)
        else:
            self._lock_within(seat, patience)
        try:
            self._check_identity()
            self._check_size()
            yield seat.connection
        finally:
            fcntl.flock(seat.lock, fcntl.LOCK_UN)

    @contextmanager
    def begun(self, connection: sqlite3.Connection) -> Iterator[None]:
        """A write transaction under `locked`: durable at the end of the block, undone if it
        raises."""
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise translate(error, self.path) from error

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """`locked` and `begun` in one. Blocks; JournalBusy after the busy timeout."""
        with self.locked(patience=self._timeout) as connection, self.begun(connection):
            yield connection

    def _lock_within(self, seat: Seat, seconds: float) -> None:
        """flock(2) knows no time limit."""
        until = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(seat.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() > until:
                    raise JournalBusy(
                        f"{self.path}: another process held it for more than {seconds:g} s; see"
                        f" which (`fuser {self._lock_path}`)"
                    ) from error
                time.sleep(_POLL)
            else:
                return

    def begin_at_once(self) -> OpenTransaction:
        """A transaction on a connection of its own; one at a time.

        JournalBusy if anybody else is writing, a program that ignores our lock included.
        """
        if not self._taken.acquire(blocking=False):
            raise JournalBusy(f"{self.path}: this process is writing")
        try:
            seat = self._impatient_seat()
            fcntl.flock(seat.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._taken.release()
            raise JournalBusy(f"{self.path}: another process is writing") from error
        except BaseException:
            self._taken.release()
            raise
        begun = OpenTransaction(self.path, seat, self._taken)
        try:
            self._check_identity()
            self._check_size()
            seat.connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            begun.give_up()
            raise translate(error, self.path) from error
        except BaseException:
            begun.give_up()
            raise
        return begun

    def _impatient_seat(self) -> Seat:
        if self._impatient is None:
            self._impatient = self._open(timeout=0)
            self._seats.append(self._impatient)
        return self._impatient

    def wal_bytes(self) -> int:
        """Size of the write-ahead log."""
        try:
            return os.stat(f"{self.path}-wal").st_size
        except FileNotFoundError:
            return 0

    def checkpoint(self) -> None:
        """Bring the log into the file: the bulk while others write, the rest under the lock.

        Without the second half a busy writer could keep the log from ever starting over.
        """
        try:
            self.connection().execute("PRAGMA wal_checkpoint(PASSIVE)")
            with self.locked() as connection:
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.Error as error:
            raise translate(error, self.path) from error

    def truncate_log(self) -> None:
        """Empty the log, so that no page that was deleted is left in it.

        JournalBusy if a reader kept it open for longer than the busy timeout.
        """
        try:
            with self.locked() as connection:
                blocked, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.Error as error:
            raise translate(error, self.path) from error
        if blocked:
            raise JournalBusy(f"{self.path}-wal: a reader keeps it open; close it and retry")

    def close(self) -> None:
        """Close the connections of all threads; none may be in use."""
        seats, self._seats, self._local = self._seats, [], threading.local()
        self._impatient = None
        for seat in seats:
            seat.close()


def translate_os(error: OSError, path: Path) -> JournalMissing:
    return JournalMissing(f"{path}: {error.strerror}; check owner, mode and disk")

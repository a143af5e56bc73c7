"""A write transaction that one thread begins and any thread ends, with what it holds meanwhile."""

import fcntl
import os
import sqlite3
import threading
from pathlib import Path

from goex_proxy.stores.journal_errors import translate


class Seat:
    """What one thread holds: a connection, and the lock file."""

    __slots__ = ("connection", "lock")

    def __init__(self, connection: sqlite3.Connection, lock: int) -> None:
        self.connection = connection
        self.lock = lock

    def close(self) -> None:
        self.connection.close()
        os.close(self.lock)


class OpenTransaction:
    """A write transaction under way, with the lock of all writers. Whoever ends it need not be the
    thread that began it; it must be ended."""

    def __init__(self, path: Path, seat: Seat, taken: threading.Lock) -> None:
        """`taken`: held as long as the seat is in use."""
        self._path = path
        self._seat = seat
        self._taken = taken

    @property
    def connection(self) -> sqlite3.Connection:
        return self._seat.connection

    def commit(self) -> None:
        """Durable when this returns. Raises JournalError: then it is undone."""
        try:
            self.connection.execute("COMMIT")
        except sqlite3.Error as error:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise translate(error, self._path) from error
        finally:
            self._let_go()

    def give_up(self) -> None:
        """Undo it."""
        try:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
        finally:
            self._let_go()

    def _let_go(self) -> None:
        fcntl.flock(self._seat.lock, fcntl.LOCK_UN)
        self._taken.release()

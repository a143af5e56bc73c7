"""Reading the journal, also while others write: events, payloads, lists.

Standard library only on the path of `log` and `show` (they start in 0.15 s): what decrypts is
imported when the first payload is read.
"""

import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from goex_proxy.stores.event_bytes import stored
from goex_proxy.stores.journal_errors import (
    JournalCorrupt,
    JournalError,
    JournalMissing,
    Shredded,
    translate,
)
from goex_proxy.stores.listing import find_rows, later_rows, log_rows
from goex_proxy.stores.rows import (
    NO_HEAD,
    BlobRef,
    Filters,
    Head,
    LogRow,
    StoredEvent,
    Upcast,
    as_it_is,
    frame_id,
)
from goex_proxy.stores.schema import Kind, check_schema

JOURNAL_FILE = "journal.db"
KEYS_FILE = "keys.db"


class JournalReader:
    """The journal in a folder, read-only. Every thread gets a connection of its own.

    Errors: JournalMissing, JournalNewer, JournalCorrupt, JournalBusy; for an entry that does not
    exist, no events.
    """

    def __init__(self, folder: Path, *, upcast: Upcast = as_it_is) -> None:
        self.path = folder / JOURNAL_FILE
        self._keys_path = folder / KEYS_FILE
        self._upcast = upcast
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []

    def __enter__(self) -> "JournalReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        opened, self._opened, self._local = self._opened, [], threading.local()
        for connection in opened:
            connection.close()

    def events(self, entry: int) -> list[StoredEvent]:
        """The events of an entry, in order; none if there is no such entry."""
        rows = self._all("SELECT body, hash FROM event WHERE entry = ? ORDER BY n", (entry,))
        return [self._event(entry, body, hash_) for body, hash_ in rows]

    def all_events(self, after: int = 0) -> Iterator[StoredEvent]:
        """Every event, in the order of the chain, from the one behind `after` (a seq)."""
        query = "SELECT entry, body, hash FROM event WHERE seq > ? ORDER BY seq"
        for entry, body, hash_ in self.rows(query, (after,)):
            yield self._event(entry, body, hash_)

    def _event(self, entry: int, body: bytes, hash_: bytes) -> StoredEvent:
        try:
            return stored(body, hash_, self._upcast)
        except (ValueError, KeyError, TypeError) as error:
            raise JournalCorrupt(
                f"{self.path}: an event of e{entry} is unreadable ({error}); run `goex verify`"
            ) from error

    def blob(self, ref: BlobRef) -> bytes:
        """A payload. Shredded if its key is gone, JournalCorrupt if it was altered."""
        from goex_proxy.stores.sealing import (  # noqa: PLC0415 - 30 ms that `log` need not pay
            EntryKey,
            frame_count,
            unseal,
        )

        first, count = frame_id(ref.seq, ref.number), frame_count(ref.size)
        secret = self._secret(ref.key)
        rows = self._all(
            "SELECT data FROM frame WHERE id >= ? AND id < ? ORDER BY id", (first, first + count)
        )
        if secret is None:
            raise Shredded(f"{ref.name!r} of event {ref.seq} cannot be read: its key is gone")
        if len(rows) != count:
            raise JournalCorrupt(f"{self.path}: {ref.name!r} of event {ref.seq} has lost frames")
        return unseal(EntryKey(ref.key, secret), ref.name, ref.hash, [data for (data,) in rows])

    def _secret(self, key: int) -> bytes | None:
        if not self._keys_path.exists():
            return None
        try:
            row = self._keys().execute("SELECT secret FROM key WHERE id = ?", (key,)).fetchone()
        except sqlite3.Error as error:
            raise translate(error, self._keys_path) from error
        return row[0] if row else None

    def log(self, filters: Filters = Filters()) -> Iterator[LogRow]:  # noqa: B008 - immutable
        """The entries that pass, oldest first."""
        return self._guarded(lambda: log_rows(self._journal(), filters))

    def open_entries(self, states: Iterable[str]) -> list[LogRow]:
        """The entries in any of these states, oldest first."""
        return list(self.log(Filters(states=tuple(states))))

    def find(
        self,
        *,
        fingerprint: str | None = None,
        undo_of: int | None = None,
        redo_of: int | None = None,
        run: str | None = None,
        step: str | None = None,
    ) -> list[LogRow]:
        """The entries with all of these, oldest first. ValueError if none of the first four."""
        wanted = {"fingerprint": fingerprint, "undo_of": undo_of, "redo_of": redo_of, "run": run}
        return list(self._guarded(lambda: find_rows(self._journal(), wanted, step)))

    def later(
        self,
        filters: Filters,
        *,
        resources: Collection[str],
        named: Collection[Collection[Collection[str]]],
    ) -> list[LogRow]:
        """What came after an entry (`filters.after`) and may be about the same: `later_rows`."""
        return list(self._guarded(lambda: later_rows(self._journal(), filters, resources, named)))

    def count(self, *, session: str, agent: str, since: str, states: Sequence[str]) -> int:
        """How many entries of an agent's session, opened then or later, are in these states;
        undo steps do not count."""
        query = (
            "SELECT count(*) FROM entry WHERE session = ? AND +agent = ? AND opened >= ?"  # noqa: S608
            f" AND undo_of IS NULL AND +state IN ({', '.join('?' * len(states))})"
        )
        [(number,)] = self._all(query, (session, agent, since, *states))
        return int(number)

    def entry(self, entry: int) -> LogRow | None:
        """One entry as a list shows it."""
        rows = self.log(Filters(after=entry - 1, last=None))
        row = next(rows, None)
        return row if row is not None and row.id == entry else None

    def head(self) -> Head:
        """The end of the chain."""
        rows = self._all("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1")
        return Head(seq=rows[0][0], hash=rows[0][1].hex()) if rows else NO_HEAD

    def rows(self, query: str, values: tuple[object, ...] = ()) -> Iterator[tuple[Any, ...]]:
        """For the rest of this room: rows of a query that only reads."""
        return self._guarded(lambda: self._journal().execute(query, values))

    def _all(self, query: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        return list(self.rows(query, values))

    def _guarded[T](self, rows: Callable[[], Iterable[T]]) -> Iterator[T]:
        try:
            yield from rows()
        except sqlite3.Error as error:
            raise translate(error, self.path) from error

    def _journal(self) -> sqlite3.Connection:
        return self._connection("journal", self.path)

    def _keys(self) -> sqlite3.Connection:
        return self._connection("keys", self._keys_path)

    def _connection(self, kind: Kind, path: Path) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, kind, None)
        if connection is None:
            connection = open_read_only(path, kind)
            setattr(self._local, kind, connection)
            self._opened.append(connection)
        return connection


def open_read_only(path: Path, kind: Kind) -> sqlite3.Connection:
    """A connection that cannot write, to a file whose schema is ours.

    In a directory that we may not write, SQLite cannot open a WAL file unless a writer has it
    open; if there is no log left over, the file is complete in itself and is read as immutable.
    """
    if not path.exists():
        raise JournalMissing(f"{path}: there is no journal yet; run `goex init`")
    try:
        return _opened(path, kind, "mode=ro")
    except sqlite3.Error as error:
        log = Path(f"{path}-wal")
        unopened = error.sqlite_errorcode & 0xFF in (
            sqlite3.SQLITE_CANTOPEN,
            sqlite3.SQLITE_READONLY,
        )
        if not unopened or (log.exists() and log.stat().st_size):
            raise translate(error, path) from error
    try:
        return _opened(path, kind, "mode=ro&immutable=1")
    except sqlite3.Error as error:
        raise translate(error, path) from error


def _opened(path: Path, kind: Kind, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?{mode}", uri=True, isolation_level=None, check_same_thread=False
    )
    try:
        if not check_schema(connection, kind, path):
            raise JournalError(f"{path}: an older schema; any command that writes brings it up")
    except BaseException:
        connection.close()
        raise
    return connection

"""Whether a database file is all there, before anything is added to it.

SQLite reads a file that was cut short, or of which a log has all but the lost pages, as far as it
happens to look; what is appended then hangs on a chain that is gone. Two quick checks that do not
grow with the file: that each page that is counted is in the file or in its log, and that the end
of the chain holds. They find what a crash, a full disk or a bad copy cuts off. What was altered
further back is for `verify`.
"""

import sqlite3
import struct
from pathlib import Path

from goex_proxy.stores.event_bytes import digest, stored
from goex_proxy.stores.journal_errors import JournalCorrupt
from goex_proxy.stores.rows import StoredEvent, as_it_is

TAIL = 256
"""Events at the end of the chain that are checked."""
_LOG_HEAD, _FRAME_HEAD = 32, 24


def require_pages(connection: sqlite3.Connection, path: Path) -> None:
    """Every page there. JournalCorrupt if not; sqlite3.Error."""
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.execute("BEGIN")  # while we read, no page leaves the log before it is in the file
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        (count,) = connection.execute("PRAGMA page_count").fetchone()
        logged = _pages_in_log(Path(f"{path}-wal"), size)
        there = path.stat().st_size // size
    finally:
        connection.execute("ROLLBACK")
    missing = next((page for page in range(there + 1, count + 1) if page not in logged), None)
    if missing is not None:
        raise JournalCorrupt(
            f"{path}: it was cut short: page {missing} of {count} is missing;"
            " run `goex verify`, restore a copy"
        )


def _pages_in_log(log: Path, size: int) -> set[int]:
    """The pages of which the log has a version (sqlite.org/fileformat2.html, section 4)."""
    pages: set[int] = set()
    try:
        file = log.open("rb")
    except FileNotFoundError:
        return pages
    with file:
        salts = file.read(_LOG_HEAD)[16:24]
        at = _LOG_HEAD
        while len(head := file.read(_FRAME_HEAD)) == _FRAME_HEAD and head[8:16] == salts:
            pages.add(struct.unpack(">I", head[:4])[0])
            at += _FRAME_HEAD + size
            file.seek(at)
    return pages


def require_tail(connection: sqlite3.Connection, path: Path) -> None:
    """The last events follow each other, and their entries know of them. JournalCorrupt if not;
    sqlite3.Error."""
    rows = connection.execute(
        "SELECT event.seq, event.entry, event.n, event.body, event.hash, entry.events"
        " FROM event LEFT JOIN entry ON entry.id = event.entry ORDER BY event.seq DESC LIMIT ?",
        (TAIL,),
    ).fetchall()
    newest: dict[int, int] = {}
    follower: StoredEvent | None = None
    for seq, entry, n, body, hash_, events in rows:
        event = _event(body, hash_)
        placed = event is not None and (event.seq, event.entry, event.n) == (seq, entry, n)
        followed = follower is None or (event is not None and follower.previous == event.hash)
        if not (placed and followed) or newest.setdefault(entry, n) != events:
            raise JournalCorrupt(
                f"{path}: its end is damaged, at event {seq}; run `goex verify`, restore a copy"
            )
        follower = event


def _event(body: object, hash_: object) -> StoredEvent | None:
    """None if these are no event: on a damaged page a row can hold anything."""
    if not isinstance(body, bytes) or not isinstance(hash_, bytes) or digest(body) != hash_:
        return None
    try:
        return stored(body, hash_, as_it_is)
    except (ValueError, KeyError, TypeError):
        return None

"""What can go wrong with the journal. Each says what happened, where, and what to do.

After any of these from an append, nothing of that append was written. One exception is named
where it is raised: a disk that fails in the very act of syncing may keep what it said it lost,
so an event may turn up that the writer believed refused (never the reverse).
"""

import sqlite3
from pathlib import Path


class JournalError(Exception):
    """The journal could not do what was asked."""


class Stale(JournalError):
    """The entry has moved on since the writer read it: load it again and decide anew."""


class Taken(JournalError):
    """Another writer already has this step of this undo run."""


class Fenced(JournalError):
    """The lease under which this was written has passed to another holder."""


class JournalFull(JournalError):
    """The disk has no room, or only the reserve that is kept for outcomes."""


class JournalBusy(JournalError):
    """Another process kept the journal locked for longer than we wait."""


class JournalReadOnly(JournalError):
    """The journal may be read here, not written."""


class JournalMissing(JournalError):
    """There is no journal file, or the one that was opened has been removed or replaced."""


class JournalCorrupt(JournalError):
    """The file is not a sound journal."""


class JournalNewer(JournalError):
    """The file was written by a newer goex-proxy."""


class Shredded(JournalError):
    """The key of this payload was destroyed (or left out of a backup): it cannot be read."""


_BY_CODE: dict[int, tuple[type[JournalError], str]] = {
    sqlite3.SQLITE_FULL: (JournalFull, "the disk is full; free some space"),
    sqlite3.SQLITE_BUSY: (JournalBusy, "another program holds a lock on it; close it and retry"),
    sqlite3.SQLITE_LOCKED: (JournalBusy, "a table is locked; retry"),
    sqlite3.SQLITE_READONLY: (JournalReadOnly, "it is read-only; check owner and mode"),
    sqlite3.SQLITE_PERM: (JournalReadOnly, "access was denied; check owner and mode"),
    sqlite3.SQLITE_CANTOPEN: (JournalMissing, "it cannot be opened; check that the home exists"),
    sqlite3.SQLITE_CORRUPT: (JournalCorrupt, "it is damaged; run `goex verify`, restore a copy"),
    sqlite3.SQLITE_NOTADB: (JournalCorrupt, "it is not a SQLite file; restore a copy"),
    sqlite3.SQLITE_IOERR: (JournalError, "reading or writing failed; check the disk"),
}


def translate(error: sqlite3.Error, path: Path) -> JournalError:
    """The JournalError for an error of SQLite, by its primary result code."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return JournalError(f"{path}: {error}")
    kind, advice = _BY_CODE.get(code & 0xFF, (JournalError, "unexpected; please report this"))
    return kind(f"{path}: {error} ({advice})")

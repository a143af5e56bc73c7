"""The numbered changes of schema, by sqlite-utils. One that was released is never edited.

`PRAGMA user_version` is set in the transaction of the migrations, so the number and the schema
cannot differ.
"""

import secrets
import sqlite3

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from goex_proxy.stores.rows import COMMON, JSON_COLUMNS, NUMBER_COLUMNS, TEXT_COLUMNS
from goex_proxy.stores.schema import APPLICATION_IDS, Kind

JOURNAL = Migrations("goex-journal")
KEYS = Migrations("goex-keys")

_LISTED_BY = ["session", "agent", "operation", "service", "host"]
_FOUND_BY = ["undo_of", "redo_of", "run", "fingerprint", "resource"]


def migrate(connection: sqlite3.Connection, kind: Kind) -> None:
    """Apply what is missing, all of it or nothing. Call it under the lock of the file."""
    database = Database(connection)
    # Around the whole: its own table would come first, and a file with only that is nobody's.
    with database.atomic():
        {"journal": JOURNAL, "keys": KEYS}[kind].apply(database)


def _stamp(database: Database, kind: Kind, version: int) -> None:
    database.conn.execute(f"PRAGMA application_id={APPLICATION_IDS[kind]}")
    database.conn.execute(f"PRAGMA user_version={version}")


def _forbid(database: Database, table: str, action: str) -> None:
    database.conn.execute(
        f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table}"
        f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )


@JOURNAL(name="0001_events_frames_entries_leases")
def _first_journal(db: Database) -> None:
    _create_events(db)
    _create_entries(db)
    # A frame's id is seq << 16 | blob << 6 | frame: no index needed. No trigger forbids
    # deletion: that is what shredding does once the key has gone.
    db.table("frame").create({"id": int, "data": bytes}, pk="id", strict=True)
    _forbid(db, "frame", "UPDATE")
    db.table("lease").create(
        {"name": str, "token": int, "holder": str, "process": str, "expires": int},
        pk="name",
        not_null=["token", "holder", "process", "expires"],
        strict=True,
    )
    _stamp(db, "journal", 1)


def _create_events(db: Database) -> None:
    db.table("event").create(
        {"seq": int, "entry": int, "n": int, "body": bytes, "hash": bytes},
        pk="seq",
        not_null=["entry", "n", "body", "hash"],
        strict=True,
    )
    db.table("event").create_index(["entry", "n"], unique=True)
    _forbid(db, "event", "UPDATE")
    _forbid(db, "event", "DELETE")
    # Also keeps INSERT OR REPLACE from replacing.
    db.conn.execute(
        "CREATE TRIGGER event_no_gap BEFORE INSERT ON event"
        " WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM event)"
        " BEGIN SELECT RAISE(ABORT, 'event is append-only, without gaps'); END"
    )


def _create_entries(db: Database) -> None:
    """A projection of the events. `clock` is the time it was opened in microseconds, but never
    less than that of the entry before it: so that ids are in its order and `--since` needs no
    index. Whoever deletes old entries must keep the newest: the next id is one more."""
    columns: dict[str, type] = {"id": int, "events": int, "key": int, "clock": int}
    columns |= {"opened": str, "updated": str}
    columns |= dict.fromkeys((*TEXT_COLUMNS, *JSON_COLUMNS), str)
    columns |= dict.fromkeys(NUMBER_COLUMNS, int)
    table = db.table("entry")
    table.create(columns, pk="id", not_null=["events", "clock", "opened", "updated"], strict=True)
    for column in _LISTED_BY:
        table.create_index([column])
    # Nearly every row has the common value, and a scan finds those soon: only the others are
    # indexed, which saves each append three writes.
    for column, common in COMMON.items():
        db.conn.execute(
            f"CREATE INDEX entry_{column} ON entry ({column}) WHERE {column} <> '{common}'"
        )
    for column in _FOUND_BY:
        db.conn.execute(
            f"CREATE INDEX entry_{column} ON entry ({column}) WHERE {column} IS NOT NULL"
        )
    db.conn.execute(
        "CREATE UNIQUE INDEX entry_undo_step ON entry (undo_of, run, step)"
        " WHERE undo_of IS NOT NULL"
    )


@KEYS(name="0001_keys")
def _first_keys(db: Database) -> None:
    db.conn.execute("CREATE TABLE key (id INTEGER PRIMARY KEY AUTOINCREMENT, secret BLOB NOT NULL)")
    # If keys.db is lost and made anew (it is left out of backups), ids that old frames name must
    # not come back with other secrets: each file numbers its keys in a range of its own.
    db.table("sqlite_sequence").insert({"name": "key", "seq": secrets.randbits(30) << 32})
    _stamp(db, "keys", 1)

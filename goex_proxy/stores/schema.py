"""Which schema a file has, and whether we may use it. Needs sqlite_utils only to change one."""

import sqlite3
from typing import Literal

from goex_proxy.stores.database import Database
from goex_proxy.stores.journal_errors import JournalCorrupt, JournalError, JournalNewer, translate

type Kind = Literal["journal", "keys"]

APPLICATION_IDS: dict[Kind, int] = {"journal": 0x474F4558, "keys": 0x474F454B}
VERSIONS: dict[Kind, int] = {"journal": 1, "keys": 1}


def check_schema(connection: sqlite3.Connection, kind: Kind, where: object) -> bool:
    """Whether the file is up to date. False: it is empty or old.

    JournalNewer if it is newer than this program, JournalCorrupt if it is something else.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION_IDS[kind] and (application or version or tables):
        raise JournalCorrupt(f"{where}: this SQLite file is not the {kind} of goex-proxy")
    if version > VERSIONS[kind]:
        raise JournalNewer(
            f"{where}: schema {version} was made by a newer goex-proxy (this one knows"
            f" {VERSIONS[kind]}); upgrade, or use another home"
        )
    return bool(version == VERSIONS[kind])


def bring_up_to_date(database: Database, kind: Kind) -> None:
    """Create or migrate the file; each migration is a transaction of its own."""
    try:
        if check_schema(database.connection(), kind, database.path):
            return
        with database.locked() as connection:
            if check_schema(connection, kind, database.path):
                return  # another process was first
            # Imported here: `log` and `show` start in 0.15 s, this costs 0.1 s of them.
            from goex_proxy.stores.migrations import migrate  # noqa: PLC0415

            migrate(connection, kind)
            if not check_schema(connection, kind, database.path):
                raise JournalError(f"{database.path}: its migrations did not complete")
    except sqlite3.Error as error:
        raise translate(error, database.path) from error

"""Bringing a file to the schema of this program. Needs sqlite_utils only if there is work."""

import sqlite3

from goex_proxy.stores.database import Database
from goex_proxy.stores.journal_errors import JournalError, translate
from goex_proxy.stores.schema import Kind, check_schema


def bring_up_to_date(database: Database, kind: Kind) -> None:
    """Create or migrate the file, wholly or not at all."""
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

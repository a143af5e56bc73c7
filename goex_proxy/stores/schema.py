"""Which schema a file has, and whether we may use it."""

import sqlite3
from typing import Literal

from goex_proxy.stores.journal_errors import JournalCorrupt, JournalNewer

type Kind = Literal["journal", "keys"]

APPLICATION_IDS: dict[Kind, int] = {"journal": 0x474F4558, "keys": 0x474F454B}
VERSIONS: dict[Kind, int] = {"journal": 1, "keys": 1}


def check_schema(connection: sqlite3.Connection, kind: Kind, where: object) -> bool:
    """Whether the file is up to date. False: it is empty or old.

    JournalNewer if it is newer than this program, JournalCorrupt if it is something else.
    """
    # One statement sees one moment: another process may be making the file just now.
    application, version, tables = connection.execute(
        "SELECT (SELECT application_id FROM pragma_application_id),"
        " (SELECT user_version FROM pragma_user_version), (SELECT count(*) FROM sqlite_master)"
    ).fetchone()
    if application != APPLICATION_IDS[kind] and (application or version or tables):
        raise JournalCorrupt(f"{where}: this SQLite file is not the {kind} of goex-proxy")
    if version > VERSIONS[kind]:
        raise JournalNewer(
            f"{where}: schema {version} was made by a newer goex-proxy (this one knows"
            f" {VERSIONS[kind]}); upgrade, or use another home"
        )
    return bool(version == VERSIONS[kind])

"""Files are made and migrated once, whoever comes first."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from goex_proxy.stores import schema
from goex_proxy.stores.database import Database
from goex_proxy.stores.journal_errors import JournalCorrupt, JournalError
from goex_proxy.stores.schema import VERSIONS
from goex_proxy.stores.upgrade import bring_up_to_date


def opened(path: Path) -> Database:
    database = Database(path, busy_timeout=2.0)
    database.create()
    return database


def test_an_empty_file_gets_its_schema_and_a_second_time_changes_nothing(tmp_path: Path) -> None:
    with closing(opened(tmp_path / "journal.db")) as database:
        bring_up_to_date(database, "journal")
        asked = database.connection()
        before = asked.execute("PRAGMA schema_version").fetchone()
        bring_up_to_date(database, "journal")
        assert asked.execute("PRAGMA schema_version").fetchone() == before
        assert asked.execute("PRAGMA user_version").fetchone() == (VERSIONS["journal"],)


def test_eight_that_come_at_once_make_it_once(tmp_path: Path) -> None:
    start = threading.Barrier(8)

    def come(_: int) -> list[int]:
        found = []
        for number in range(5):
            with closing(opened(tmp_path / f"{number}.db")) as database:
                start.wait(100)
                bring_up_to_date(database, "journal")
                asked = database.connection()
                found += asked.execute("SELECT count(*) FROM _sqlite_migrations").fetchone()
        return found

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(come, range(8))) == [[1] * 5] * 8


def test_migrations_that_stop_short_are_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(schema.VERSIONS, "journal", VERSIONS["journal"] + 1)
    database = opened(tmp_path / "journal.db")
    with closing(database), pytest.raises(JournalError, match="did not complete"):
        bring_up_to_date(database, "journal")


def test_what_is_no_database_is_an_error_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(b"these are notes, and no database" * 40)
    with closing(opened(path)) as database, pytest.raises(JournalCorrupt, match="not a SQLite"):
        bring_up_to_date(database, "journal")


def test_a_file_that_is_up_to_date_is_opened_without_the_migrations(tmp_path: Path) -> None:
    with closing(opened(tmp_path / "keys.db")) as database:
        bring_up_to_date(database, "keys")
    script = """
import sys
from pathlib import Path
from goex_proxy.stores.database import Database
from goex_proxy.stores.upgrade import bring_up_to_date
database = Database(Path(sys.argv[1]), busy_timeout=2.0)
bring_up_to_date(database, "keys")
database.close()
print("sqlite_utils" in sys.modules)
"""
    ran = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "keys.db")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert ran.stdout.strip() == "False"

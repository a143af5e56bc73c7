"""A file is used only if it is what it says it is."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from goex_proxy.stores.journal_errors import JournalCorrupt, JournalNewer
from goex_proxy.stores.schema import APPLICATION_IDS, VERSIONS, Kind, check_schema


@pytest.fixture
def file() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        yield connection


def stamp(file: sqlite3.Connection, application: int, version: int) -> None:
    file.execute(f"PRAGMA application_id={application}")
    file.execute(f"PRAGMA user_version={version}")


def test_an_empty_file_is_not_up_to_date_and_no_error(file: sqlite3.Connection) -> None:
    assert check_schema(file, "journal", "a.db") is False


@pytest.mark.parametrize("kind", ["journal", "keys"])
def test_a_file_of_our_version_is_up_to_date_and_an_older_one_is_not(
    file: sqlite3.Connection, kind: Kind
) -> None:
    stamp(file, APPLICATION_IDS[kind], VERSIONS[kind])
    assert check_schema(file, kind, "a.db") is True
    stamp(file, APPLICATION_IDS[kind], VERSIONS[kind] - 1)
    assert check_schema(file, kind, "a.db") is False


@pytest.mark.parametrize(
    "made", ["CREATE TABLE photos (id)", "PRAGMA user_version=1", "PRAGMA application_id=7"]
)
def test_a_file_of_another_program_is_never_taken_for_an_empty_one(
    file: sqlite3.Connection, made: str
) -> None:
    file.execute(made)
    with pytest.raises(JournalCorrupt, match=r"a\.db: this SQLite file is not the journal"):
        check_schema(file, "journal", "a.db")


def test_keys_are_not_a_journal(file: sqlite3.Connection) -> None:
    stamp(file, APPLICATION_IDS["keys"], VERSIONS["keys"])
    with pytest.raises(JournalCorrupt, match="not the journal"):
        check_schema(file, "journal", "a.db")


def test_a_newer_file_is_refused_and_both_versions_are_named(file: sqlite3.Connection) -> None:
    stamp(file, APPLICATION_IDS["journal"], VERSIONS["journal"] + 3)
    wanted = rf"schema {VERSIONS['journal'] + 3} .* knows {VERSIONS['journal']}\); upgrade"
    with pytest.raises(JournalNewer, match=wanted):
        check_schema(file, "journal", "a.db")

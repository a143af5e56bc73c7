"""The schema that each migration makes."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from goex_proxy.stores.migrations import migrate
from goex_proxy.stores.schema import check_schema

ENTRY_OF_VERSION_1 = [
    "id", "events", "key", "clock", "opened", "updated",
    "session", "agent", "actor", "service", "operation", "resource", "scheme", "method", "host", "path", "state", "fidelity", "effect", "rule", "reason",
    "credential", "auth", "run", "step", "fingerprint", "expires", "residue", "extra", "status", "undo_of", "redo_of", "undone_by", "guarded",
]  # fmt: skip


@pytest.fixture
def file() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("PRAGMA recursive_triggers=ON")
        yield connection


def test_both_files_end_at_the_version_that_is_wanted(file: sqlite3.Connection) -> None:
    migrate(file, "journal")
    assert check_schema(file, "journal", "journal.db")
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as keys:
        migrate(keys, "keys")
        assert check_schema(keys, "keys", "keys.db")


def test_a_released_migration_does_not_follow_later_changes_of_the_columns(
    file: sqlite3.Connection,
) -> None:
    """It reads them from `rows`: a column added there needs a migration of its own."""
    migrate(file, "journal")
    columns = [row[1] for row in file.execute("PRAGMA table_info(entry)")]
    assert columns == ENTRY_OF_VERSION_1


def test_a_migration_that_fails_leaves_nothing_behind(file: sqlite3.Connection) -> None:
    file.execute("CREATE TABLE lease (name)")  # in the way of the last table that is made
    with pytest.raises(sqlite3.Error):
        migrate(file, "journal")
    assert file.execute("PRAGMA user_version").fetchone() == (0,)
    assert [name for (name,) in file.execute("SELECT name FROM sqlite_master")] == ["lease"]


def test_a_value_of_another_type_is_not_stored(file: sqlite3.Connection) -> None:
    migrate(file, "journal")
    with pytest.raises(sqlite3.IntegrityError, match="cannot store TEXT"):
        file.execute("INSERT INTO event VALUES (1, 1, 'first', x'00', x'00')")
    with pytest.raises(sqlite3.IntegrityError, match="cannot store TEXT"):
        file.execute("INSERT INTO frame VALUES (1, 'clear text')")


def test_an_entry_has_one_event_at_each_place(file: sqlite3.Connection) -> None:
    migrate(file, "journal")
    file.execute("INSERT INTO event VALUES (1, 1, 1, x'00', x'00')")
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        file.execute("INSERT INTO event VALUES (2, 1, 1, x'00', x'00')")


def test_events_begin_at_one_and_leave_no_gap(file: sqlite3.Connection) -> None:
    migrate(file, "journal")
    with pytest.raises(sqlite3.IntegrityError, match="without gaps"):
        file.execute("INSERT INTO event VALUES (2, 1, 1, x'00', x'00')")


def test_forward_entries_share_no_undo_step_and_undo_steps_are_unique(
    file: sqlite3.Connection,
) -> None:
    migrate(file, "journal")
    insert = "INSERT INTO entry (events, clock, opened, updated, undo_of, run, step) VALUES (1, 0, '', '', ?, 'r', '0')"
    file.execute(insert, (None,))
    file.execute(insert, (None,))
    file.execute(insert, (1,))
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        file.execute(insert, (1,))


def test_key_files_made_anew_number_their_keys_in_other_ranges() -> None:
    """Else a payload sealed under a lost key would name one that is there."""
    firsts = []
    for _ in range(3):
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as keys:
            migrate(keys, "keys")
            made = keys.execute("INSERT INTO key (secret) VALUES (x'00')").lastrowid
            assert made is not None
            firsts.append(made)
    assert len({first >> 32 for first in firsts}) == 3
    assert all(first & 0xFFFFFFFF == 1 and first < 2**63 for first in firsts)


def test_the_id_of_a_destroyed_key_does_not_come_back() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as keys:
        migrate(keys, "keys")
        first = keys.execute("INSERT INTO key (secret) VALUES (x'00')").lastrowid
        keys.execute("DELETE FROM key")
        assert keys.execute("INSERT INTO key (secret) VALUES (x'00')").lastrowid != first

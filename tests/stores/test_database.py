"""One file, many writers: who waits, who is refused, what is left behind."""

import os
import shutil
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from goex_proxy.stores.database import Database
from goex_proxy.stores.journal_errors import JournalBusy, JournalMissing


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "a.db", busy_timeout=0.5)
    made.create()
    with made.transaction() as connection:
        connection.execute("CREATE TABLE t (x)")
    yield made
    made.close()


def rows(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as other:
        return [x for (x,) in other.execute("SELECT x FROM t")]


def test_files_are_for_their_owner_and_what_is_there_stays(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        Database(tmp_path / "a.db", busy_timeout=1).create()
    finally:
        os.umask(before)
    for name in ("a.db", "a.lock"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    (tmp_path / "a.db").write_bytes(b"kept")
    Database(tmp_path / "a.db", busy_timeout=1).create()
    assert (tmp_path / "a.db").read_bytes() == b"kept"


def test_a_folder_that_is_missing_or_no_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(JournalMissing, match=r"nowhere/a\.db: there is no such directory"):
        Database(tmp_path / "nowhere" / "a.db", busy_timeout=1).create()
    (tmp_path / "file").touch()
    with pytest.raises(JournalMissing, match=r"file/a\.db: Not a directory; check owner"):
        Database(tmp_path / "file" / "a.db", busy_timeout=1).create()


def test_a_file_is_not_made_by_opening_it(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.db", busy_timeout=1)
    with pytest.raises(JournalMissing, match="has gone; restore it"):
        database.connection()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a b?mode=ro#c%41&.db", "ü☃.db"])
def test_a_path_is_taken_as_it_is_written(tmp_path: Path, name: str) -> None:
    with closing(Database(tmp_path / name, busy_timeout=1)) as database:
        database.create()
        with database.transaction() as connection:
            connection.execute("CREATE TABLE t (x)")
    assert (tmp_path / name).stat().st_size > 0


def test_a_commit_waits_for_the_disk_and_triggers_bind_replacing_too(database: Database) -> None:
    ask = database.connection().execute
    pragmas = ("journal_mode", "synchronous", "foreign_keys", "recursive_triggers")
    found = [ask(f"PRAGMA {name}").fetchone()[0] for name in pragmas]
    assert found == ["wal", 2, 1, 1]


def test_a_block_that_raises_leaves_nothing_and_gives_the_lock_back(database: Database) -> None:
    class Halt(BaseException):
        pass

    def fail() -> None:
        with database.transaction() as connection:
            connection.execute("INSERT INTO t VALUES (1)")
            raise Halt

    with pytest.raises(Halt):
        fail()
    assert rows(database.path) == []
    transaction = database.begin_at_once()
    transaction.connection.execute("INSERT INTO t VALUES (2)")
    transaction.commit()
    assert rows(database.path) == [2]


def test_each_thread_has_a_connection_and_close_closes_all(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.db", busy_timeout=1)
    database.create()
    before = len(os.listdir("/proc/self/fd"))
    meet = threading.Barrier(3)

    def mine(_: int) -> int:
        meet.wait(10)
        assert database.connection() is database.connection()
        return id(database.connection())

    with ThreadPoolExecutor(3) as pool:
        assert len(set(pool.map(mine, range(3)))) == 3
    assert len(os.listdir("/proc/self/fd")) > before
    database.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_who_may_not_wait_is_refused_at_once_while_another_has_the_lock(
    database: Database,
) -> None:
    with database.locked(), ThreadPoolExecutor(1) as pool:

        def ask() -> float:
            started = time.monotonic()
            refused = pytest.raises(JournalBusy, match="another process is writing")
            with refused:
                database.begin_at_once()
            return time.monotonic() - started

        assert pool.submit(ask).result() < 0.3


def test_writers_that_wait_are_let_in_in_turn(database: Database) -> None:
    with ThreadPoolExecutor(4) as pool:

        def write(number: int) -> None:
            for _ in range(10):
                with database.transaction() as connection:
                    (last,) = connection.execute("SELECT count(*) FROM t").fetchone()
                    connection.execute("INSERT INTO t VALUES (?)", (last,))

        list(pool.map(write, range(4)))
    assert rows(database.path) == list(range(40))


def test_a_program_that_ignores_our_lock_is_waited_for_only_by_who_may_wait(
    database: Database,
) -> None:
    other = sqlite3.connect(database.path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    database.connection()
    started = time.monotonic()
    with pytest.raises(JournalBusy):
        database.begin_at_once()
    assert time.monotonic() - started < 0.3
    later = threading.Timer(0.2, other.execute, ["ROLLBACK"])
    later.start()
    with database.transaction() as connection:
        connection.execute("INSERT INTO t VALUES (1)")
    later.join()
    other.close()
    assert rows(database.path) == [1]


def test_a_file_that_was_replaced_is_not_written_though_it_is_open(database: Database) -> None:
    aside = database.path.with_name("aside.db")
    database.path.rename(aside)
    shutil.copy(aside, database.path)
    with pytest.raises(JournalMissing, match="replaced while open"), database.transaction():
        raise AssertionError("it must not get in")
    database.path.unlink()
    aside.rename(database.path)
    database.begin_at_once().give_up()  # the refusal gave the lock back


def test_a_file_that_is_gone_is_no_transaction_and_the_next_try_finds_it_again(
    database: Database,
) -> None:
    aside = database.path.with_name("aside.db")
    database.path.rename(aside)
    for _ in range(2):
        with pytest.raises(JournalMissing, match="has gone"):
            database.begin_at_once()
    aside.rename(database.path)
    database.begin_at_once().commit()


def test_a_checkpoint_brings_the_log_into_the_file(database: Database, tmp_path: Path) -> None:
    with database.transaction() as connection:
        connection.execute("INSERT INTO t VALUES (7)")
    assert database.wal_bytes() > 0
    database.checkpoint()
    shutil.copy(database.path, tmp_path / "alone.db")
    assert rows(tmp_path / "alone.db") == [7]


def test_emptying_the_log_leaves_nothing_in_it_or_says_who_is_in_the_way(
    database: Database,
) -> None:
    with database.transaction() as connection:
        connection.execute("INSERT INTO t VALUES (7)")
    reader = sqlite3.connect(database.path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM t").fetchall()
    with database.transaction() as connection:
        connection.execute("INSERT INTO t VALUES (8)")
    with pytest.raises(JournalBusy, match=r"a\.db-wal: a reader keeps it open"):
        database.truncate_log()
    reader.close()
    database.truncate_log()
    assert database.wal_bytes() == 0


def test_a_file_without_a_log_has_a_log_of_no_bytes(tmp_path: Path) -> None:
    assert Database(tmp_path / "a.db", busy_timeout=1).wal_bytes() == 0


def test_what_is_deleted_is_overwritten_where_that_is_asked_for(tmp_path: Path) -> None:
    with closing(Database(tmp_path / "a.db", busy_timeout=1, secure_delete=True)) as database:
        database.create()
        with database.transaction() as connection:
            connection.execute("CREATE TABLE t (x)")
            connection.execute("INSERT INTO t VALUES ('attack at dawn')")
        database.truncate_log()
        assert b"attack" in database.path.read_bytes()
        with database.transaction() as connection:
            connection.execute("DELETE FROM t")
        database.truncate_log()
        assert b"attack" not in database.path.read_bytes()


def test_who_waits_for_the_lock_waits_no_longer_than_the_busy_timeout(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.db", busy_timeout=0.2)
    database.create()
    with database.locked(), ThreadPoolExecutor(1) as pool:

        def ask() -> float:
            started = time.monotonic()
            refused = pytest.raises(JournalBusy, match=r"more than 0\.2 s; see which \(`fuser")
            with refused, database.transaction():
                raise AssertionError("it must not get in")
            return time.monotonic() - started

        assert 0.2 <= pool.submit(ask).result(5) < 1
    with database.transaction() as connection:
        connection.execute("CREATE TABLE t (n)")
    database.close()

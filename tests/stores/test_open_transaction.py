"""A transaction that one thread begins and another ends."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from goex_proxy.stores.database import Database
from goex_proxy.stores.journal_errors import JournalBusy
from tests.stores.test_database import rows


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "a.db", busy_timeout=0.5)
    made.create()
    with made.transaction() as connection:
        connection.execute("CREATE TABLE t (x)")
    yield made
    made.close()


def test_an_open_transaction_is_ended_by_any_thread_and_only_one_is_open(
    database: Database,
) -> None:
    transaction = database.begin_at_once()
    transaction.connection.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(JournalBusy, match="this process is writing"):
        database.begin_at_once()
    assert rows(database.path) == []
    with ThreadPoolExecutor(1) as pool:
        pool.submit(transaction.commit).result(5)
    assert rows(database.path) == [1]
    second = database.begin_at_once()
    second.connection.execute("INSERT INTO t VALUES (2)")
    second.give_up()
    assert rows(database.path) == [1]
    database.begin_at_once().commit()

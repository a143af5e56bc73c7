"""Keys are durable before they are used, used once, and gone when they are destroyed."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from goex_proxy.stores.journal_errors import JournalBusy, JournalError
from goex_proxy.stores.key_store import KeyStore
from goex_proxy.stores.sealing import KEY_BYTES

POOL = 8


def opened(folder: Path, pool: int = POOL) -> KeyStore:
    store = KeyStore(folder / "keys.db", pool=pool, busy_timeout=0.3)
    store.open()
    return store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[KeyStore]:
    made = opened(tmp_path)
    yield made
    made.close()


def kept(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "keys.db")) as keys:
        (found,) = keys.execute("SELECT count(*) FROM key").fetchone()
        return int(found)


def test_a_key_is_on_the_disk_before_anybody_has_it(store: KeyStore, tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as other:
        for _ in range(3 * POOL):
            key = store.take()
            assert other.get(key.id) == key
            assert len(key.secret) == KEY_BYTES


def test_a_key_is_taken_once_by_whatever_thread_or_store(store: KeyStore, tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as other, ThreadPoolExecutor(4) as pool:
        stores = [store, other] * 50
        keys = list(pool.map(lambda one: one.take(), stores))
    assert len({key.id for key in keys}) == len({key.secret for key in keys}) == 100


def test_somebody_is_woken_when_half_of_the_keys_are_used(store: KeyStore) -> None:
    woken: list[int] = []
    store.wake = lambda: woken.append(1)
    store.take()
    assert woken == []
    for _ in range(POOL // 2):
        store.take()
    assert len(woken) == 1


def test_the_pool_is_filled_only_when_it_is_low(store: KeyStore, tmp_path: Path) -> None:
    store.take()
    store.refill()
    assert kept(tmp_path) == POOL
    for _ in range(POOL // 2):
        store.take()
    store.refill()
    assert kept(tmp_path) == 2 * POOL


def test_a_pool_of_one_is_enough(tmp_path: Path) -> None:
    with closing(opened(tmp_path, pool=1)) as store:
        assert len({store.take().id for _ in range(3)}) == 3


def test_the_key_of_an_entry_is_at_hand_until_it_is_forgotten(store: KeyStore) -> None:
    key = store.take()
    store.remember(7, key)
    assert (store.remembered(7), store.remembered(8)) == (key, None)
    store.forget(7)
    store.forget(7)
    assert store.remembered(7) is None


def test_entries_used_least_are_forgotten_first(store: KeyStore) -> None:
    key = store.take()
    for entry in range(4096):
        store.remember(entry, key)
    store.remember(0, key)
    store.remember(4096, key)
    assert store.remembered(1) is None
    assert store.remembered(0) == store.remembered(2) == key


def test_a_destroyed_key_is_in_no_file_and_others_stay(store: KeyStore, tmp_path: Path) -> None:
    gone, stays = store.take(), store.take()
    store.destroy([gone.id])
    assert store.get(gone.id) is None
    assert store.get(stays.id) == stays
    for path in tmp_path.iterdir():
        assert gone.secret[:32] not in path.read_bytes()
    assert store.log_bytes() == 0
    store.destroy([gone.id, 99])  # again does no harm


def test_a_reader_in_the_way_is_named_and_destroying_can_be_finished_later(
    store: KeyStore, tmp_path: Path
) -> None:
    key = store.take()
    reader = sqlite3.connect(tmp_path / "keys.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM key").fetchone()
    with pytest.raises(JournalBusy, match="a reader keeps it open"):
        store.destroy([key.id])
    assert store.get(key.id) is None
    reader.close()
    store.destroy([key.id])
    assert all(key.secret not in path.read_bytes() for path in tmp_path.iterdir())


def test_closing_gives_back_what_was_not_used(tmp_path: Path) -> None:
    store = opened(tmp_path)
    key = store.take()
    store.close()
    assert kept(tmp_path) == 1
    with closing(opened(tmp_path)) as again:
        assert again.get(key.id) == key


def test_closing_while_another_holds_the_lock_still_closes(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.take()
    with closing(sqlite3.connect(tmp_path / "keys.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        store.close()
        other.execute("ROLLBACK")
    assert kept(tmp_path) == POOL, "left behind, they only take room"


def test_a_file_that_was_lost_gives_out_no_key(tmp_path: Path) -> None:
    store = opened(tmp_path, pool=1)
    store.take()
    (tmp_path / "keys.db").unlink()
    with pytest.raises(JournalError, match="has gone"):
        store.take()
    store.close()

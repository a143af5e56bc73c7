"""Who commits, with whom, and that everybody who waits hears of it."""

import asyncio
import sqlite3
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

import pytest

from goex_proxy.stores.appending import Outcome, Prepared, prepare
from goex_proxy.stores.database import Database
from goex_proxy.stores.group_commit import MOST, GroupCommit
from goex_proxy.stores.journal_errors import JournalBusy, JournalError, JournalFull, Stale
from goex_proxy.stores.open_transaction import OpenTransaction
from tests.stores.helpers import opening, row


def one(note: str = "x") -> Prepared:
    return prepare(opening(row(note=note)), None, fresh=False)


def here() -> str:
    return "loop" if threading.current_thread() is threading.main_thread() else "thread"


class Disk(Database):
    """A database that says who waits for the disk, and lets a test make it slow."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__(path, busy_timeout=timeout)
        self.synced: list[str] = []
        self.before: Callable[[], None] = lambda: None

    def begin_at_once(self) -> OpenTransaction:
        transaction = super().begin_at_once()
        commit = transaction.commit

        def noted() -> None:
            self.synced.append(here())
            self.before()
            commit()

        transaction.commit = noted  # type: ignore[method-assign]
        return transaction


class Bed:
    """A group commit over a table of its own, which notes who ran which batch."""

    def __init__(self, folder: Path, inline_most: int = 1, timeout: float = 2.0) -> None:
        self.database = Disk(folder / "a.db", timeout)
        self.database.create()
        with self.database.transaction() as connection:
            connection.execute("CREATE TABLE t (note)")
        self.batches: list[tuple[str, int]] = []
        self.before: Callable[[], None] = lambda: None
        self.group = GroupCommit(
            self.database, self._write, busy_timeout=timeout, inline_most=inline_most
        )

    def _write(self, connection: sqlite3.Connection, batch: Sequence[Prepared]) -> list[Outcome]:
        self.batches.append((here(), len(batch)))
        self.before()
        outcomes: list[Outcome] = []
        for prepared in batch:
            note = prepared.append.rows[0].fields["note"]
            if note == "stale":
                outcomes.append(Stale("load it again"))
                continue
            if note == "orphan":
                connection.execute("INSERT INTO child VALUES (9)")
            found = connection.execute("INSERT INTO t VALUES (?)", (note,)).lastrowid
            outcomes.append(found or 0)
        return outcomes

    def notes(self) -> list[str]:
        return [n for (n,) in self.database.connection().execute("SELECT note FROM t")]

    def close(self) -> None:
        self.group.close()
        self.database.close()


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[Bed]:
    made = Bed(tmp_path)
    yield made
    made.close()


async def together(*asks: Awaitable[Outcome]) -> list[Outcome]:
    return list(await asyncio.wait_for(asyncio.gather(*asks), 10))


def test_one_that_is_alone_is_committed_in_the_loops_own_thread(bed: Bed) -> None:
    assert asyncio.run(together(bed.group.append(one()))) == [1]
    assert bed.batches == [("loop", 1)]
    assert bed.database.synced == ["loop"]


def test_several_at_once_are_one_commit_for_which_the_thread_waits(bed: Bed) -> None:
    asks = [bed.group.append(one(f"n{number}")) for number in range(5)]
    assert asyncio.run(together(*asks)) == [1, 2, 3, 4, 5]
    assert bed.batches == [("loop", 5)]
    assert bed.database.synced == ["thread"]
    assert bed.notes() == ["n0", "n1", "n2", "n3", "n4"]


def test_more_than_fit_into_one_transaction_are_several(bed: Bed) -> None:
    asks = [bed.group.append(one(f"n{number}")) for number in range(MOST + 3)]
    assert asyncio.run(together(*asks)) == list(range(1, MOST + 4))
    assert bed.batches == [("loop", MOST), ("loop", 3)]


def test_while_the_thread_waits_for_the_disk_the_loop_goes_on(bed: Bed) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        assert go_on.wait(5)

    async def run() -> list[Outcome]:
        bed.database.before = wait
        asks = [asyncio.create_task(bed.group.append(one(f"n{number}"))) for number in range(3)]
        assert await asyncio.to_thread(begun.wait, 5)
        late = asyncio.create_task(bed.group.append(one("late")))
        await asyncio.sleep(0.02)
        assert not any(each.done() for each in (*asks, late))
        bed.database.before = lambda: None
        go_on.set()
        return await together(*asks, late)

    assert asyncio.run(run()) == [1, 2, 3, 4]
    assert bed.batches == [("loop", 3), ("loop", 1)]


def test_a_commit_that_fails_is_heard_by_all_of_its_batch_and_undone(bed: Bed) -> None:
    """The rows of `child` want a parent, and SQLite looks for it when it commits."""
    with bed.database.transaction() as connection:
        connection.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
        connection.execute(
            "CREATE TABLE child (id REFERENCES parent DEFERRABLE INITIALLY DEFERRED)"
        )

    async def run(*notes: str) -> list[Outcome]:
        return await together(*(bed.group.append(one(note)) for note in notes))

    for notes in (["orphan"], ["kept?", "orphan", "kept?"]):
        outcomes = asyncio.run(run(*notes))
        assert [type(outcome) for outcome in outcomes] == [JournalError] * len(notes)
        assert "FOREIGN KEY" in str(outcomes[0])
    assert asyncio.run(run("kept")) == [1]
    assert bed.notes() == ["kept"]


def test_a_thread_without_a_loop_and_a_loop_that_has_begun_do_not_wait_for_each_other(
    bed: Bed,
) -> None:
    """The loop's transaction is open until the writer thread has committed it."""
    outcomes: list[Outcome] = []

    def beside() -> None:
        for _ in range(40):
            outcomes.append(bed.group.append_now(one("beside")))

    async def run() -> None:
        for _ in range(40):
            outcomes.extend(await together(*(bed.group.append(one("loop")) for _ in range(4))))

    thread = threading.Thread(target=beside, daemon=True)
    thread.start()
    asyncio.run(run())
    thread.join(20)
    assert not thread.is_alive()
    assert sorted(outcome for outcome in outcomes if isinstance(outcome, int)) == list(
        range(1, 201)
    )


def test_a_statement_that_the_disk_refuses_says_so_in_the_loop_too(bed: Bed) -> None:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL

    def refuse() -> None:
        raise error

    bed.before = refuse
    (outcome,) = asyncio.run(together(bed.group.append(one())))
    assert isinstance(outcome, JournalFull)


def test_one_with_a_large_payload_does_not_hold_up_the_loop(bed: Bed) -> None:
    large = prepare(opening(*[row(note="x")] * 65), None, fresh=False)
    asyncio.run(together(bed.group.append(large)))
    assert bed.batches == [("thread", 1)]


def test_after_slow_commits_the_thread_does_it_until_they_are_fast_again() -> None:
    memory = Path("/dev/shm")
    if not memory.is_dir():
        pytest.skip("no file system here that is surely fast")
    with tempfile.TemporaryDirectory(dir=memory) as folder, closing(Bed(Path(folder))) as bed:
        slow_then_fast(bed)


def slow_then_fast(bed: Bed) -> None:
    async def run() -> None:
        bed.database.before = lambda: time.sleep(0.03)
        await bed.group.append(one())
        bed.database.before = lambda: None
        for _ in range(60):
            await bed.group.append(one())

    asyncio.run(run())
    assert bed.database.synced[:2] == ["loop", "thread"]
    assert bed.database.synced[-1] == "loop"


def test_what_arrives_during_a_commit_is_the_next_one(tmp_path: Path) -> None:
    bed = Bed(tmp_path, inline_most=0)
    begun, go_on = threading.Event(), threading.Event()

    def wait_once() -> None:
        begun.set()
        assert go_on.wait(5)

    async def run() -> list[Outcome]:
        bed.database.before = wait_once
        first = asyncio.create_task(bed.group.append(one("first")))
        assert await asyncio.to_thread(begun.wait, 5)
        rest = [asyncio.create_task(bed.group.append(one(f"n{number}"))) for number in range(7)]
        await asyncio.sleep(0.02)
        go_on.set()
        return await together(first, *rest)

    assert asyncio.run(run()) == list(range(1, 9))
    assert bed.batches == [("loop", 1), ("loop", 7)]
    bed.close()


def test_one_that_is_refused_spoils_no_other_of_its_batch(bed: Bed) -> None:
    asks = [bed.group.append(one(note)) for note in ("a", "stale", "b")]
    first, refused, last = asyncio.run(together(*asks))
    assert (first, type(refused), last) == (1, Stale, 2)
    assert bed.notes() == ["a", "b"]


@pytest.mark.parametrize("inline_most", [0, 1])
def test_an_error_that_nobody_foresaw_is_heard_by_who_waits_and_nothing_is_written(
    tmp_path: Path, inline_most: int
) -> None:
    bed = Bed(tmp_path, inline_most=inline_most)

    def fail() -> None:
        raise OSError(5, "statvfs failed")

    bed.before = fail
    (outcome,) = asyncio.run(together(bed.group.append(one())))
    assert isinstance(outcome, JournalError)
    assert "OSError while writing: [Errno 5] statvfs failed" in str(outcome)
    assert isinstance(bed.group.append_now(one()), JournalError)
    bed.before = lambda: None
    assert asyncio.run(together(bed.group.append(one("kept")))) == [1]
    assert bed.notes() == ["kept"]
    bed.close()


def test_while_another_has_the_lock_the_loop_goes_on_and_the_thread_waits(bed: Bed) -> None:
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with bed.database.locked():
            held.set()
            assert release.wait(5)

    async def run() -> list[Outcome]:
        ask = asyncio.create_task(bed.group.append(one()))
        for _ in range(5):
            await asyncio.sleep(0.01)
        release.set()
        return [await asyncio.wait_for(ask, 5)]

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(5)
    assert asyncio.run(run()) == [1]
    assert bed.batches == [("thread", 1)]
    holder.join()


def test_what_was_given_up_is_never_written_and_the_next_is_refused_at_once(
    tmp_path: Path,
) -> None:
    bed = Bed(tmp_path, timeout=0.2)

    async def run() -> list[Outcome]:
        first = await bed.group.append(one("given up"))
        started = time.monotonic()
        with pytest.raises(JournalBusy, match=r"more than 0\.2 s; see which \(`fuser .*a\.lock"):
            await bed.group.append(one("refused"))
        assert time.monotonic() - started < 0.1
        return [first]

    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with bed.database.locked():
            held.set()
            assert release.wait(5)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(5)
    (outcome,) = asyncio.run(run())
    assert isinstance(outcome, JournalBusy)
    release.set()
    holder.join()
    for _ in range(100):
        with suppress(JournalBusy):  # until the thread has seen that the lock is free
            assert bed.group.append_now(one("kept")) == 1
            break
        time.sleep(0.01)
    assert bed.notes() == ["kept"]
    bed.close()


def test_a_second_loop_does_not_wait_for_what_the_first_left_behind(tmp_path: Path) -> None:
    bed = Bed(tmp_path, inline_most=0)
    begun, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        assert go_on.wait(5)

    async def leave() -> None:
        task = asyncio.create_task(bed.group.append(one("left")))
        assert await asyncio.to_thread(begun.wait, 5)
        task.cancel()

    bed.database.before = wait
    asyncio.run(leave())
    go_on.set()
    assert asyncio.run(together(bed.group.append(one("second")))) == [2]
    assert bed.notes() == ["left", "second"]
    bed.close()


def test_closing_writes_what_was_handed_over_and_refuses_what_waits(tmp_path: Path) -> None:
    bed = Bed(tmp_path, inline_most=0)
    begun = threading.Event()

    def slow() -> None:
        begun.set()
        time.sleep(0.05)

    async def run() -> list[Outcome]:
        bed.database.before = slow
        first = asyncio.create_task(bed.group.append(one("first")))
        assert await asyncio.to_thread(begun.wait, 5)
        late = asyncio.create_task(bed.group.append(one("late")))
        await asyncio.sleep(0)
        bed.group.close()
        with pytest.raises(JournalError, match="was closed"):
            await bed.group.append(one("after"))
        return await together(first, late)

    first, late = asyncio.run(run())
    assert first == 1
    assert isinstance(late, JournalError)
    assert bed.notes() == ["first"]
    with pytest.raises(JournalError, match="was closed"):
        bed.group.append_now(one())
    bed.close()

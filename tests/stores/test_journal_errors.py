"""What happens to appends when the world around the file goes wrong."""

import asyncio
import fcntl
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from goex_proxy.stores.journal import Journal
from goex_proxy.stores.journal_errors import (
    JournalBusy,
    JournalCorrupt,
    JournalError,
    JournalFull,
    JournalMissing,
    JournalNewer,
    JournalReadOnly,
)
from goex_proxy.stores.reader import JournalReader
from goex_proxy.stores.rows import Filters, Options
from goex_proxy.stores.verify import verify
from tests.stores.conftest import SMALL
from tests.stores.helpers import more, opening, row

HASTY = Options(key_pool=8, reserve=0, busy_timeout=0.3)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB."""
    where = tmp_path / "disk"
    where.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(where)], check=False
    )
    if mounted.returncode:
        pytest.skip("may not mount a file system here")
    yield where
    subprocess.run(["umount", str(where)], check=True)


def until_full(journal: Journal, *, essential: bool) -> list[int]:
    entries: list[int] = []
    while len(entries) < 1000:
        sent = opening(row(blobs={"request": os.urandom(20_000)}), essential=essential)
        try:
            entries.append(journal.append_now(sent))
        except JournalFull:
            return entries
    raise AssertionError("this disk never fills")


def test_a_full_disk_refuses_whole_appends_and_the_journal_stays_sound(small_disk: Path) -> None:
    journal = Journal(small_disk, options=SMALL)
    kept = len(until_full(journal, essential=True))
    found = verify(journal)
    assert (found.sound, found.entries, found.events) == (True, kept, kept)
    assert kept > 10
    journal.close()


def test_the_reserve_leaves_room_for_outcomes(small_disk: Path) -> None:
    journal = Journal(small_disk, options=Options(key_pool=8, reserve=1 << 20))
    entries = until_full(journal, essential=False)
    for entry in entries:
        journal.append_now(more(entry, 1, essential=True))
    assert verify(journal).events == 2 * len(entries)
    journal.close()


def test_a_file_size_limit_refuses_whole_appends(tmp_path: Path) -> None:
    script = """
import resource, sys
from pathlib import Path
from goex_proxy.stores.journal import Journal
from goex_proxy.stores.journal_errors import JournalError
from goex_proxy.stores.verify import verify
from tests.stores.conftest import SMALL
from tests.stores.helpers import opening, row
journal = Journal(Path(sys.argv[1]), options=SMALL)
journal.append_now(opening())
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
kept = 1
try:
    for _ in range(1000):
        journal.append_now(opening(row(blobs={"request": bytes(20_000)})))
        kept += 1
except JournalError as error:
    print(type(error).__name__, kept, verify(journal).entries, verify(journal).sound)
journal.close()
"""
    ran = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )
    kind, kept, entries, sound = ran.stdout.split()
    assert (kept, sound) == (entries, "True")
    assert int(kept) > 5
    assert kind in ("JournalFull", "JournalError")


def test_a_lock_held_by_a_program_that_ignores_ours_is_waited_for_then_refused(
    tmp_path: Path,
) -> None:
    journal = Journal(tmp_path, options=HASTY)
    journal.append_now(opening())
    other = sqlite3.connect(journal.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(JournalBusy):
        journal.append_now(opening())
    with pytest.raises(JournalBusy):
        asyncio.run(journal.append(opening()))
    assert len(list(journal.log())) == 1, "readers are not held up"
    other.execute("ROLLBACK")
    other.close()
    assert journal.append_now(opening()) == 2
    journal.close()


def test_a_stopped_process_that_holds_our_lock_does_not_block_the_event_loop(
    tmp_path: Path,
) -> None:
    journal = Journal(tmp_path, options=HASTY)
    journal.append_now(opening())
    holder = os.open(tmp_path / "journal.lock", os.O_RDWR)
    fcntl.flock(holder, fcntl.LOCK_EX)

    async def run() -> tuple[list[int | BaseException], float]:
        longest, last = 0.0, time.monotonic()

        async def tick() -> None:
            nonlocal longest, last
            while True:
                await asyncio.sleep(0.01)
                now = time.monotonic()
                longest, last = max(longest, now - last), now

        ticking = asyncio.create_task(tick())
        asks = [journal.append(opening()) for _ in range(3)]
        outcomes = await asyncio.gather(*asks, return_exceptions=True)
        try:
            outcomes.append(await journal.append(opening()))
        except JournalBusy as error:
            outcomes.append(error)
        fcntl.flock(holder, fcntl.LOCK_UN)
        await asyncio.sleep(0.1)
        outcomes.append(await journal.append(opening()))
        ticking.cancel()
        return outcomes, longest

    outcomes, longest = asyncio.run(run())
    os.close(holder)
    assert [type(outcome) for outcome in outcomes] == [JournalBusy] * 4 + [int]
    assert len(list(journal.log())) == 2, "what was refused was not written after all"
    assert longest < 0.25
    journal.close()


def test_a_cancelled_append_that_had_not_started_is_not_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path, options=SMALL)

    async def run() -> None:
        task = asyncio.create_task(journal.append(opening()))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await journal.append(opening(session="second"))

    asyncio.run(run())
    assert [listed.columns["session"] for listed in journal.log()] == ["second"]
    journal.close()


@pytest.mark.parametrize("what", ["removed", "replaced"])
def test_a_file_that_was_removed_or_replaced_takes_no_events(tmp_path: Path, what: str) -> None:
    journal = Journal(tmp_path, options=HASTY)
    journal.append_now(opening())
    (tmp_path / "journal.db").rename(tmp_path / "elsewhere.db")
    if what == "replaced":
        (tmp_path / "journal.db").write_bytes((tmp_path / "elsewhere.db").read_bytes())
    with pytest.raises(JournalMissing):
        journal.append_now(opening())
    with pytest.raises(JournalMissing):
        asyncio.run(journal.append(opening()))
    journal.close()


def test_what_is_not_there_or_not_a_journal_is_named(tmp_path: Path) -> None:
    with pytest.raises(JournalMissing, match="no such directory"):
        Journal(tmp_path / "nowhere", options=SMALL)
    reader = JournalReader(tmp_path)
    with pytest.raises(JournalMissing, match="goex init"):
        reader.head()
    (tmp_path / "journal.db").write_bytes(b"not a database, but long enough to be read as one" * 99)
    with pytest.raises(JournalCorrupt):
        reader.head()
    with pytest.raises(JournalCorrupt):
        Journal(tmp_path, options=SMALL)
    (tmp_path / "journal.db").unlink()
    with sqlite3.connect(tmp_path / "journal.db") as other:
        other.execute("CREATE TABLE photos (id)")
    other.close()
    with pytest.raises(JournalCorrupt, match="not the journal"):
        Journal(tmp_path, options=SMALL)


def test_a_newer_schema_is_refused_by_writers_and_readers(tmp_path: Path) -> None:
    Journal(tmp_path, options=SMALL).close()
    with sqlite3.connect(tmp_path / "journal.db") as newer:
        newer.execute("PRAGMA user_version=99")
    newer.close()
    with pytest.raises(JournalNewer, match="upgrade"):
        Journal(tmp_path, options=SMALL)
    with JournalReader(tmp_path) as reader, pytest.raises(JournalNewer):
        list(reader.log())


def test_a_read_only_folder_can_be_read_and_not_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path, options=SMALL)
    journal.append_now(opening(row(blobs={"request": b"x"})))
    journal.close()
    where = tmp_path.parent / f"{tmp_path.name}-ro"
    where.mkdir()
    mounted = subprocess.run(["mount", "--bind", str(tmp_path), str(where)], check=False)
    if mounted.returncode:
        pytest.skip("may not mount here")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(where)], check=True)
        with JournalReader(where) as reader:
            assert len(list(reader.log(Filters(last=1)))) == 1
            assert reader.blob(reader.events(1)[0].blobs[0]) == b"x"
        with pytest.raises(JournalError):
            Journal(where, options=SMALL)
    finally:
        subprocess.run(["umount", str(where)], check=True)
    assert issubclass(JournalReadOnly, JournalError)


def write_one(folder: Path) -> None:
    with closing(Journal(folder, options=SMALL)) as journal:
        journal.append_now(opening())


def test_a_damaged_page_is_an_error_of_ours(tmp_path: Path) -> None:
    journal = Journal(tmp_path, options=SMALL)
    for _ in range(50):
        journal.append_now(opening())
    journal.close()
    path = tmp_path / "journal.db"
    whole = bytearray(path.read_bytes())
    whole[8192:] = b"\xa5" * (len(whole) - 8192)
    path.write_bytes(whole)
    with JournalReader(tmp_path) as reader, pytest.raises(JournalError):
        list(reader.log())
    with pytest.raises(JournalError):
        write_one(tmp_path)

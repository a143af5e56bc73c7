"""Reading: never writing, and saying of what cannot be read why."""

import os
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from goex_proxy.stores.journal import Journal
from goex_proxy.stores.journal_errors import (
    JournalCorrupt,
    JournalError,
    JournalMissing,
    JournalReadOnly,
    Shredded,
)
from goex_proxy.stores.reader import JournalReader
from goex_proxy.stores.rows import FRAME_BYTES, NO_HEAD
from tests.stores.conftest import SMALL
from tests.stores.helpers import more, opening, row

IMAGE = os.urandom(FRAME_BYTES + 10)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    where = tmp_path / "home ü?#%41"
    where.mkdir()
    with closing(Journal(where, options=SMALL)) as journal:
        journal.append_now(opening(row("sent", {"image": IMAGE}), session="one"))
        journal.append_now(opening(session="two"))
        journal.append_now(more(1, 1, row("answered", {"response": b"ok"})))
    return where


def edit(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        for name in ("event_no_update", "frame_no_update"):
            other.execute(f"DROP TRIGGER IF EXISTS {name}")
        for statement in statements:
            other.execute(statement)


def test_events_come_in_their_order_of_an_entry_and_of_the_chain(folder: Path) -> None:
    with JournalReader(folder) as reader:
        assert [(e.n, e.type) for e in reader.events(1)] == [(1, "sent"), (2, "answered")]
        assert [(e.seq, e.entry) for e in reader.all_events()] == [(1, 1), (2, 2), (3, 1)]
        assert [e.seq for e in reader.all_events(after=2)] == [3]
        assert reader.head().seq == 3
        assert reader.head().hash == reader.events(1)[-1].hash


def test_of_an_entry_that_does_not_exist_there_is_nothing(folder: Path) -> None:
    with JournalReader(folder) as reader:
        assert reader.events(3) == []
        assert [reader.entry(entry) for entry in (0, -5, 3)] == [None] * 3
        found = [reader.entry(entry) for entry in (1, 2)]
        assert [one and one.columns["session"] for one in found] == ["one", "two"]


def test_an_empty_journal_has_the_head_of_nothing(tmp_path: Path) -> None:
    Journal(tmp_path, options=SMALL).close()
    with JournalReader(tmp_path) as reader:
        assert reader.head() == NO_HEAD
        assert list(reader.all_events()) == []


def test_entries_are_not_looked_for_by_nothing(folder: Path) -> None:
    with JournalReader(folder) as reader, pytest.raises(ValueError, match="fingerprint"):
        reader.find(step="0")


def test_a_reader_cannot_write(folder: Path) -> None:
    before = (folder / "journal.db").read_bytes()
    with JournalReader(folder) as reader:
        for statement in ("DELETE FROM frame", "UPDATE entry SET state = 'kept'"):
            with pytest.raises(JournalReadOnly, match="it is read-only"):
                list(reader.rows(statement))
    assert (folder / "journal.db").read_bytes() == before


def test_each_thread_reads_through_a_connection_of_its_own_and_close_closes_all(
    folder: Path,
) -> None:
    before = len(os.listdir("/proc/self/fd"))
    reader, meet = JournalReader(folder), threading.Barrier(3)

    def read(_: int) -> bytes:
        meet.wait(10)
        return reader.blob(reader.events(1)[0].blobs[0])

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(read, range(3))) == [IMAGE] * 3
    reader.close()
    assert len(os.listdir("/proc/self/fd")) == before
    assert reader.head().seq == 3, "it can be used again"
    reader.close()


def test_what_a_writer_has_committed_is_seen_at_once(folder: Path) -> None:
    with JournalReader(folder) as reader, closing(Journal(folder, options=SMALL)) as journal:
        assert reader.head().seq == 3
        journal.append_now(opening())
        assert reader.head().seq == 4


def test_a_payload_whose_key_is_not_here_is_shredded(folder: Path) -> None:
    with JournalReader(folder) as reader:
        image = reader.events(1)[0].blobs[0]
        edit(folder / "keys.db", "DELETE FROM key")
        with pytest.raises(Shredded, match="'image' of event 1 cannot be read"):
            reader.blob(image)
    (folder / "keys.db").unlink()
    with JournalReader(folder) as reader, pytest.raises(Shredded, match="its key is gone"):
        reader.blob(image)


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda: "DELETE FROM frame WHERE id & 63 = 1", "has lost frames"),
        (lambda: "DELETE FROM frame WHERE id & 63 = 0", "has lost frames"),
        (lambda: "UPDATE frame SET data = zeroblob(length(data))", "frame 0 was altered"),
    ],
)
def test_a_payload_that_lost_a_frame_or_was_altered_is_corrupt(
    folder: Path, spoil: Callable[[], str], word: str
) -> None:
    edit(folder / "journal.db", spoil())
    with JournalReader(folder) as reader, pytest.raises(JournalCorrupt, match=word):
        reader.blob(reader.events(1)[0].blobs[0])


@pytest.mark.parametrize(
    "body", [b"", b"not json", b"[]", b"null", b"{}", b'{"seq":1,"type":"sent"}', b"\xff"]
)
def test_an_event_that_cannot_be_read_is_named_with_what_to_do(folder: Path, body: bytes) -> None:
    edit(folder / "journal.db", f"UPDATE event SET body = x'{body.hex()}' WHERE seq = 3")
    with JournalReader(folder) as reader:
        with pytest.raises(JournalCorrupt, match=r"an event of e1 is unreadable .*goex verify"):
            reader.events(1)
        assert len(reader.events(2)) == 1, "the others can still be read"


def test_a_journal_that_is_not_there_or_not_made_yet_is_missing(tmp_path: Path) -> None:
    with JournalReader(tmp_path) as reader, pytest.raises(JournalMissing, match="goex init"):
        reader.head()
    assert list(tmp_path.iterdir()) == [], "and it is not made by looking for it"


def test_an_older_schema_is_left_for_who_may_write(folder: Path) -> None:
    edit(folder / "journal.db", "PRAGMA user_version=0")
    with JournalReader(folder) as reader, pytest.raises(JournalError, match="an older schema"):
        reader.head()


def test_a_directory_in_the_place_of_the_journal_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "journal.db").mkdir()
    with JournalReader(tmp_path) as reader, pytest.raises(JournalError, match=r"journal\.db: "):
        reader.head()

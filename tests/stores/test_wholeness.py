"""A journal that was cut short takes nothing more: neither after a restart nor while it is open."""

import asyncio
import os
import random
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from goex_proxy.stores.journal import Journal
from goex_proxy.stores.journal_errors import JournalCorrupt, JournalError
from goex_proxy.stores.reader import JournalReader
from goex_proxy.stores.verify import _Chain, verify
from goex_proxy.stores.wholeness import TAIL
from tests.stores.conftest import SMALL
from tests.stores.helpers import more, opening, row

CUTS = 50


def fill(journal: Journal, entries: int) -> None:
    for _ in range(entries):
        entry = journal.append_now(opening(row("sent", {"request": os.urandom(600)})))
        journal.append_now(more(entry, 1))


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a process that was killed leaves: a file, and a log with what came since."""
    at = tmp_path_factory.mktemp("killed")
    with closing(Journal(at, options=SMALL)) as journal:
        fill(journal, 120)
        journal._checkpoint()
        fill(journal, 50)
        return Path(shutil.copytree(at, at.parent / "as-it-was"))


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a process that ended leaves: a file, and no log."""
    at = tmp_path_factory.mktemp("closed")
    with closing(Journal(at, options=SMALL)) as journal:
        fill(journal, 120)
    return at


def cuts(of: Path, to: Path, name: str) -> Iterator[tuple[int, Path]]:
    """Copies with this file cut at some place; the places differ each time."""
    size = (of / name).stat().st_size
    for number in range(CUTS):
        at = random.randrange(1, size)
        copy = Path(shutil.copytree(of, to / f"{number}"))
        (copy / "journal.db-shm").unlink(missing_ok=True)
        os.truncate(copy / name, at)
        yield at, copy


@pytest.mark.parametrize("left", ["killed", "closed"])
def test_a_file_that_was_cut_anywhere_takes_nothing_and_says_why(
    left: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    places = list(cuts(request.getfixturevalue(left), tmp_path, "journal.db"))
    assert len(places) == CUTS
    for at, copy in places:
        with pytest.raises(JournalCorrupt, match=r"journal\.db") as told:
            Journal(copy, options=SMALL)
        assert "restore" in str(told.value), at
        assert (copy / "journal.db").stat().st_size == at, "not a byte was written"


def test_a_log_that_was_cut_anywhere_leaves_a_sound_journal_of_what_came_before(
    killed: Path, tmp_path: Path
) -> None:
    with JournalReader(killed) as reader:
        whole = [event.raw for event in reader.all_events()]
    places = list(cuts(killed, tmp_path, "journal.db-wal"))
    assert len(places) == CUTS
    for at, copy in places:
        with closing(Journal(copy, options=SMALL)) as journal:
            journal.append_now(opening())
            *kept, _ = (event.raw for event in journal.all_events())
            assert verify(journal).sound, at
        assert kept == whole[: len(kept)]
        assert len(kept) >= 240, "what was in the file"


def test_what_came_in_while_it_was_cut_off_is_found_by_a_head_of_before(
    killed: Path, tmp_path: Path
) -> None:
    with JournalReader(killed) as reader:
        head = reader.head()
    copy = Path(shutil.copytree(killed, tmp_path / "copy"))
    (copy / "journal.db-shm").unlink()
    os.truncate(copy / "journal.db-wal", 0)
    with closing(Journal(copy, options=SMALL)) as journal:
        assert not verify(journal, expected=head).sound


@pytest.mark.parametrize("name", ["journal.db", "journal.db-wal"])
def test_a_file_that_is_cut_while_open_takes_nothing_more(name: str, tmp_path: Path) -> None:
    with closing(Journal(tmp_path, options=SMALL)) as journal:
        fill(journal, 50)
        journal._checkpoint()
        fill(journal, 20)
        os.truncate(tmp_path / name, (tmp_path / name).stat().st_size // 2)
        for _ in range(2):
            with pytest.raises(JournalCorrupt, match="cut short while open"):
                journal.append_now(opening())
            with pytest.raises(JournalError):
                asyncio.run(journal.append(opening()))


def test_an_altered_event_near_the_end_stops_whoever_opens_it(closed: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(closed, tmp_path / "copy"))
    with JournalReader(copy) as reader:
        events = list(reader.all_events())
    old = events[-TAIL // 2]
    whole = (copy / "journal.db").read_bytes()
    new = old.raw.replace(b'"actor":"agent:tess"', b'"actor":"agent:bess"')
    assert whole.count(old.raw) == 1, "its page has it in one piece"
    (copy / "journal.db").write_bytes(whole.replace(old.raw, new))
    with pytest.raises(JournalCorrupt, match=f"event {old.seq}"):
        Journal(copy, options=SMALL)


def test_verify_names_a_row_that_holds_no_bytes(closed: Path, tmp_path: Path) -> None:
    """On a damaged page a row can hold anything, whatever its table says."""
    copy = Path(shutil.copytree(closed, tmp_path / "copy"))
    with JournalReader(copy) as reader:
        chain = _Chain(reader, None)
        chain.check(1, 1, 1, None, None)
        assert [(d.what, d.seq) for d in chain.defects] == [("its bytes are no event", 1)]

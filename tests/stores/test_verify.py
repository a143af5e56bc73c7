import sqlite3
from pathlib import Path

import pytest

from goex_proxy.stores.journal import Journal
from goex_proxy.stores.journal_errors import JournalCorrupt
from goex_proxy.stores.reader import JournalReader
from goex_proxy.stores.rows import Head
from goex_proxy.stores.verify import Verification, verify
from tests.stores.conftest import SMALL
from tests.stores.helpers import more, opening, row


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    journal = Journal(tmp_path, options=SMALL)
    for number in range(5):
        entry = journal.append_now(opening(row("sent", {"request": b"r%d" % number}, n=number)))
        journal.append_now(more(entry, 1, row("answered", {"response": b"s"}), state="applied"))
    journal.close()
    return tmp_path


def tampered(folder: Path, *statements: str) -> Verification:
    """What verify says once somebody with the file in hand has gone past the triggers."""
    with sqlite3.connect(folder / "journal.db") as forger:
        for (trigger,) in forger.execute(
            "SELECT name FROM sqlite_master WHERE type='trigger'"
        ).fetchall():
            forger.execute(f"DROP TRIGGER {trigger}")
        for statement in statements:
            assert forger.execute(statement).rowcount > 0, statement
    forger.close()
    with JournalReader(folder) as reader:
        return verify(reader)


def test_a_journal_that_nobody_touched_is_sound(folder: Path) -> None:
    with JournalReader(folder) as reader:
        found = verify(reader)
        assert (found.sound, found.events, found.entries, found.shredded) == (True, 10, 5, 0)
        assert found.head == reader.head()


@pytest.mark.parametrize("seq", [1, 4, 10])
def test_one_altered_byte_names_its_event(folder: Path, seq: int) -> None:
    found = tampered(
        folder,
        f"UPDATE event SET body = CAST(replace(CAST(body AS TEXT), 'tess', 'toss') AS BLOB) WHERE seq = {seq}",
    )
    assert found.first_bad == seq
    assert "altered" in found.defects[0].what


def test_an_event_rewritten_with_its_hash_breaks_the_next(folder: Path) -> None:
    with JournalReader(folder) as reader:
        raw = list(reader.all_events())[3].raw.replace(b"tess", b"toss")
    import hashlib

    forged = hashlib.sha256(raw).hexdigest()
    found = tampered(
        folder, f"UPDATE event SET body = x'{raw.hex()}', hash = x'{forged}' WHERE seq = 4"
    )
    assert found.first_bad == 5
    assert "does not follow" in found.defects[0].what


def test_a_deleted_event_is_missed(folder: Path) -> None:
    found = tampered(folder, "DELETE FROM event WHERE seq = 3")
    assert found.first_bad == 4
    assert "events are missing" in found.defects[0].what


def test_two_events_that_changed_places_are_found(folder: Path) -> None:
    found = tampered(
        folder,
        "UPDATE event SET seq = 99 WHERE seq = 4",
        "UPDATE event SET seq = 4 WHERE seq = 6",
        "UPDATE event SET seq = 6 WHERE seq = 99",
    )
    assert found.first_bad == 4


def test_a_journal_cut_short_is_found_by_a_head_noted_earlier(folder: Path) -> None:
    with JournalReader(folder) as reader:
        noted = reader.head()
        assert verify(reader, expected=noted).sound
        assert not verify(reader, expected=Head(seq=10, hash="1" * 64)).sound
    assert tampered(
        folder, "DELETE FROM event WHERE seq > 8", "DELETE FROM entry WHERE id = 5"
    ).sound
    with JournalReader(folder) as reader:
        found = verify(reader, expected=noted)
    assert not found.sound
    assert "cut short" in found.defects[0].what


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE frame SET data = zeroblob(length(data)) WHERE id >> 16 = 5", "was altered"),
        ("DELETE FROM frame WHERE id >> 16 = 5", "lost frames"),
        # The same name in another event of the same entry is caught by the keyed hash, another
        # entry's by its key.
        (
            "UPDATE frame SET data = (SELECT data FROM frame WHERE id >> 16 = 1) WHERE id >> 16 = 5",
            "was altered",
        ),
    ],
)
def test_a_payload_that_was_altered_removed_or_exchanged_is_found(
    folder: Path, statement: str, what: str
) -> None:
    found = tampered(folder, statement)
    assert found.first_bad == 5
    assert what in found.defects[0].what


def test_a_payload_exchanged_within_its_entry_is_found(tmp_path: Path) -> None:
    journal = Journal(tmp_path, options=SMALL)
    entry = journal.append_now(opening(row(blobs={"image": b"one"})))
    journal.append_now(more(entry, 1, row(blobs={"image": b"two"})))
    journal.close()
    found = tampered(
        tmp_path,
        "UPDATE frame SET data = (SELECT data FROM frame WHERE id >> 16 = 1) WHERE id >> 16 = 2",
    )
    assert found.first_bad == 2
    assert "not the one its event names" in found.defects[0].what


def test_a_list_that_disagrees_with_the_events_is_found(folder: Path) -> None:
    with JournalReader(folder) as reader:
        sound = verify(
            reader, fold=lambda events: {"state": "applied" if len(events) == 2 else "sent"}
        )
        assert sound.sound
    assert not tampered(folder, "UPDATE entry SET events = 3 WHERE id = 2").sound
    assert tampered(folder, "UPDATE entry SET events = 2, state = 'kept' WHERE id = 2").sound
    with JournalReader(folder) as reader:
        (defect,) = verify(reader, fold=lambda events: {"state": "applied"}).defects
    assert (defect.entry, defect.what) == (2, "e2 is listed with another state")
    assert not tampered(folder, "DELETE FROM entry WHERE id = 2").sound


def test_a_file_damaged_below_sqlite_is_never_called_sound(folder: Path) -> None:
    whole = (folder / "journal.db").read_bytes()
    size = 4096
    for page in range(1, len(whole) // size):
        broken = bytearray(whole)
        broken[page * size : page * size + size] = b"\xa5" * size
        (folder / "journal.db").write_bytes(broken)
        with JournalReader(folder) as reader:
            try:
                assert not verify(reader).sound, page
            except JournalCorrupt:
                continue

import asyncio
import hashlib
import json
import sqlite3
from pathlib import Path

import pytest

from goex_proxy.stores.journal import Journal
from goex_proxy.stores.journal_errors import JournalError, JournalFull, Shredded, Stale, Taken
from goex_proxy.stores.reader import JournalReader
from goex_proxy.stores.rows import NO_HEAD, Filters, Options
from goex_proxy.stores.verify import verify
from tests.stores.conftest import SMALL
from tests.stores.helpers import more, opening, row


def test_an_entry_is_read_back_as_it_was_written(journal: Journal) -> None:
    first = row("sent", {"request": b"POST / secret"}, digits=2**70, odd="\ud800 \u20ac")
    entry = journal.append_now(opening(first, residue=["mail sent"], guarded=True))
    journal.append_now(more(entry, 1, row("answered", status=200), state="applied"))
    sent, answered = journal.events(entry)
    assert (sent.n, answered.n, sent.type, answered.type) == (1, 2, "sent", "answered")
    assert sent.fields == {"digits": 2**70, "odd": "\ud800 \u20ac"}
    assert (sent.actor, sent.at[-1], sent.previous) == ("agent:tess", "Z", NO_HEAD.hash)
    assert journal.blob(sent.blobs[0]) == b"POST / secret"
    (listed,) = journal.log()
    assert (listed.id, listed.events, listed.opened) == (entry, 2, sent.at)
    assert listed.columns["state"] == "applied"
    assert listed.columns["session"] == "s1"
    assert listed.columns["residue"] == ["mail sent"]
    assert listed.columns["guarded"] == 1


def test_any_tool_that_hashes_a_line_can_follow_the_chain(journal: Journal) -> None:
    for _ in range(3):
        journal.append_now(opening())
    previous = NO_HEAD.hash
    for event in journal.all_events():
        assert json.loads(event.raw)["previous"] == previous
        previous = hashlib.sha256(event.raw).hexdigest()
    assert journal.head().hash == previous


def test_a_writer_that_has_not_seen_the_last_event_writes_nothing(journal: Journal) -> None:
    entry = journal.append_now(opening())
    journal.append_now(more(entry, 1))
    with pytest.raises(Stale, match="has 2 events, the writer knew 1"):
        journal.append_now(more(entry, 1, row("late"), state="late"))
    with pytest.raises(Stale):
        journal.append_now(more(entry + 1, 1))
    assert [event.type for event in journal.events(entry)] == ["sent", "answered"]
    assert [listed.columns["state"] for listed in journal.log()] == ["sent"]


def test_one_step_of_an_undo_run_is_taken_once(journal: Journal) -> None:
    entry = journal.append_now(opening())
    journal.append_now(opening(undo_of=entry, run="r1", step="0"))
    with pytest.raises(Taken):
        journal.append_now(opening(undo_of=entry, run="r1", step="0"))
    journal.append_now(opening(undo_of=entry, run="r1", step="1"))
    assert [found.columns["step"] for found in journal.find(undo_of=entry)] == ["0", "1"]
    assert len(list(journal.all_events())) == 3


def test_a_refused_append_does_not_harm_the_others_of_its_batch(tmp_path: Path) -> None:
    async def run(journal: Journal) -> list[int | BaseException]:
        entry = await journal.append(opening())
        asks = [more(entry, 1), more(entry, 1), opening(undo_of=entry, run="r", step="1")]
        asks += [opening(undo_of=entry, run="r", step="1"), opening()]
        return await asyncio.gather(*map(journal.append, asks), return_exceptions=True)

    journal = Journal(tmp_path, options=SMALL, inline_most=100)
    outcomes = asyncio.run(run(journal))
    assert [type(outcome).__name__ for outcome in outcomes] == [
        "int",
        "Stale",
        "int",
        "Taken",
        "int",
    ]
    assert verify(journal).sound
    journal.close()


@pytest.mark.parametrize("inline_most", [0, 1, 1000])
def test_concurrent_appends_share_commits_and_all_are_there(
    tmp_path: Path, inline_most: int
) -> None:
    async def call(journal: Journal, number: int) -> int:
        sent = row("sent", {"request": b"r" * 100}, number=number)
        entry = await journal.append(opening(sent))
        return await journal.append(more(entry, 1, row("answered", {"response": b"s" * 100})))

    async def run(journal: Journal) -> list[int]:
        return await asyncio.gather(*(call(journal, number) for number in range(200)))

    journal = Journal(tmp_path, options=SMALL, inline_most=inline_most)
    entries = asyncio.run(run(journal))
    assert sorted(entries) == list(range(1, 201))
    found = verify(journal)
    assert (found.sound, found.events, found.entries) == (True, 400, 200)
    assert len({journal.events(entry)[0].fields["number"] for entry in entries}) == 200
    journal.close()


def test_a_column_or_a_number_that_cannot_be_kept_is_refused_before_anything(
    journal: Journal,
) -> None:
    for bad in (opening(nonsense="x"), opening(status="200"), opening(row(x=float("nan")))):
        with pytest.raises(ValueError, match=r"no column|JSON"):
            journal.append_now(bad)
    assert journal.head() == NO_HEAD


def test_events_cannot_be_changed_replaced_or_deleted(journal: Journal) -> None:
    journal.append_now(opening(row(blobs={"request": b"x"})))
    with sqlite3.connect(journal.path) as other:
        for statement in (
            "UPDATE event SET body = x'00'",
            "DELETE FROM event",
            "INSERT OR REPLACE INTO event VALUES (1, 1, 1, x'00', x'00')",
            "INSERT INTO event VALUES (7, 1, 2, x'00', x'00')",
            "UPDATE frame SET data = x'00'",
        ):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                other.execute(statement)
    other.close()


def test_a_large_image_is_kept_in_frames(journal: Journal) -> None:
    image = bytes(range(256)) * (12 * 4096) + b"tail"
    entry = asyncio.run(journal.append(opening(row(blobs={"before:file": image, "empty": b""}))))
    (event,) = journal.events(entry)
    assert [journal.blob(ref) for ref in event.blobs] == [image, b""]
    assert [ref.size for ref in event.blobs] == [len(image), 0]


def test_no_payload_is_in_the_files_in_clear(journal: Journal) -> None:
    entry = journal.append_now(opening(row(blobs={"request": b"attack at dawn"})))
    for path in journal.path.parent.iterdir():
        assert b"attack at dawn" not in path.read_bytes()
    plain = hashlib.blake2b(b"attack at dawn", digest_size=16).hexdigest()
    assert journal.events(entry)[0].blobs[0].hash != plain


def test_a_shredded_entry_keeps_its_events_and_loses_its_payloads_for_good(
    journal: Journal,
) -> None:
    kept = journal.append_now(opening(row(blobs={"request": b"stays"})))
    entry = journal.append_now(opening(row(blobs={"request": b"goes", "before": b"goes too"})))
    (key,) = next(iter(journal.rows("SELECT key FROM entry WHERE id = ?", (entry,))))
    keys = sqlite3.connect(journal.path.parent / "keys.db")
    (secret,) = keys.execute("SELECT secret FROM key WHERE id = ?", (key,)).fetchone()
    keys.close()
    journal.shred(entry)
    with pytest.raises(Shredded):
        journal.blob(journal.events(entry)[0].blobs[0])
    for path in journal.path.parent.iterdir():
        assert secret not in path.read_bytes()
        assert secret[:32] not in path.read_bytes()
    assert journal.blob(journal.events(kept)[0].blobs[0]) == b"stays"
    found = verify(journal)
    assert (found.sound, found.shredded) == (True, 2)
    journal.shred(entry)  # again does no harm


def test_a_payload_after_shredding_gets_a_key_of_its_own(tmp_path: Path) -> None:
    journal, other = Journal(tmp_path, options=SMALL), Journal(tmp_path, options=SMALL)
    entry = journal.append_now(opening(row(blobs={"request": b"goes"})))
    other.shred(entry)  # another process: this one still remembers the key
    journal.append_now(more(entry, 1, row(blobs={"response": b"late"})))
    first, second = journal.events(entry)
    assert journal.blob(second.blobs[0]) == b"late"
    with pytest.raises(Shredded):
        journal.blob(first.blobs[0])
    assert verify(other).sound
    journal.close()
    other.close()


def test_a_lost_key_file_loses_payloads_and_nothing_else(tmp_path: Path) -> None:
    journal = Journal(tmp_path, options=SMALL)
    entry = journal.append_now(opening(row(blobs={"request": b"old"})))
    journal.close()
    (tmp_path / "keys.db").unlink()
    journal = Journal(tmp_path, options=SMALL)
    journal.append_now(more(entry, 1, row(blobs={"response": b"new"})))
    first, second = journal.events(entry)
    assert journal.blob(second.blobs[0]) == b"new"
    with pytest.raises(Shredded):
        journal.blob(first.blobs[0])
    journal.close()


def test_old_events_are_brought_up_to_date_on_reading_and_stay_as_they_are(
    tmp_path: Path,
) -> None:
    journal = Journal(tmp_path, options=SMALL)
    journal.append_now(opening(row("sent", colour="red")))
    journal.close()
    reader = JournalReader(
        tmp_path,
        upcast=lambda type, version, fields: (
            f"call.{type}",
            version + 1,
            {"color": fields["colour"]},
        ),
    )
    (event,) = reader.events(1)
    assert (event.type, event.version, event.fields) == ("call.sent", 2, {"color": "red"})
    assert b'"colour":"red"' in event.raw
    assert verify(reader).sound
    reader.close()


def test_below_the_reserve_only_outcomes_are_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path, options=Options(key_pool=8, reserve=1 << 60))
    with pytest.raises(JournalFull, match="reserve"):
        journal.append_now(opening())
    entry = journal.append_now(opening(essential=True))
    with pytest.raises(JournalFull):
        asyncio.run(journal.append(more(entry, 1)))
    asyncio.run(journal.append(more(entry, 1, essential=True)))
    assert len(journal.events(entry)) == 2
    journal.close()


def test_a_closed_journal_refuses(tmp_path: Path) -> None:
    journal = Journal(tmp_path, options=SMALL)
    journal.append_now(opening())
    journal.close()
    with pytest.raises(JournalError, match="closed"):
        journal.append_now(opening())


def test_keys_that_were_not_used_do_not_pile_up(tmp_path: Path) -> None:
    for _ in range(3):
        journal = Journal(tmp_path, options=SMALL)
        journal.append_now(opening(row(blobs={"request": b"x"})))
        journal.close()
    keys = sqlite3.connect(tmp_path / "keys.db")
    assert keys.execute("SELECT count(*) FROM key").fetchone() == (3,)
    keys.close()


def test_ids_and_seqs_grow_across_two_writers(tmp_path: Path) -> None:
    one, two = Journal(tmp_path, options=SMALL), Journal(tmp_path, options=SMALL)
    ids = [journal.append_now(opening()) for journal in (one, two, one, two, two)]
    assert ids == [1, 2, 3, 4, 5]
    assert [listed.id for listed in one.log(Filters(last=2))] == [4, 5]
    one.close()
    two.close()

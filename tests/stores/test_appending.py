"""What is encoded before the transaction, and what the transaction lets in."""

import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from goex_proxy.stores.appending import KeyMoved, Outcome, Prepared, Transaction, prepare
from goex_proxy.stores.database import Database
from goex_proxy.stores.journal_errors import Fenced, JournalError, JournalFull, Stale, Taken
from goex_proxy.stores.key_store import KeyStore
from goex_proxy.stores.rows import JSON, MAX_BLOBS, NO_HEAD, Append, Fence
from goex_proxy.stores.sealing import KEY_BYTES, EntryKey
from goex_proxy.stores.upgrade import bring_up_to_date
from tests.stores.helpers import more, opening, row

KEY = EntryKey(1, os.urandom(KEY_BYTES))
ROOM = 1 << 30


class Bed:
    """The two files of a journal, without what commits to them."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(folder / "journal.db", busy_timeout=1)
        self.database.create()
        bring_up_to_date(self.database, "journal")
        self.keys = KeyStore(folder / "keys.db", pool=8, busy_timeout=1)
        self.keys.open()

    def write(self, *batch: Prepared, free: int = ROOM) -> list[Outcome]:
        with self.database.transaction() as connection:
            return Transaction(connection, self.keys, free).write(batch)

    def ask(self, query: str) -> list[tuple[object, ...]]:
        return self.database.connection().execute(query).fetchall()


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[Bed]:
    made = Bed(tmp_path)
    with closing(made.keys), closing(made.database):
        yield made


def plain(append: Append) -> Prepared:
    return prepare(append, None, fresh=False)


# --- what can never be written --------------------------------------------------------------


@pytest.mark.parametrize(
    ("append", "word"),
    [
        (Append(entry=None, expected=0, rows=()), "at least one event"),
        (Append(entry=None, expected=1, rows=(row(),)), "a new entry has no events yet"),
        (Append(entry=3, expected=0, rows=(row(),)), "any other has some"),
        (opening(row(blobs={"request": b"x"})), "payloads need a key"),
        (opening(nonsense="x"), "no column 'nonsense' for a str"),
        (opening(nonsense=None), "no column 'nonsense' for a NoneType"),
        (opening(status="200"), "no column 'status' for a str"),
        (opening(status=2.0), "no column 'status' for a float"),
        (opening(session=7), "no column 'session' for a int"),
    ],
)
def test_what_can_never_be_written_is_refused_before_the_transaction(
    append: Append, word: str
) -> None:
    with pytest.raises(ValueError, match=word):
        plain(append)


def test_an_event_has_as_many_payloads_as_frames_can_be_numbered() -> None:
    most = {f"b{number}": b"" for number in range(MAX_BLOBS)}
    assert len(prepare(opening(row(blobs=most)), KEY, fresh=True).frames[0]) == MAX_BLOBS
    with pytest.raises(ValueError, match="1025 blobs; the most is 1024"):
        prepare(opening(row(blobs={**most, "more": b""})), KEY, fresh=True)


@pytest.mark.parametrize(
    ("column", "value", "stored"),
    [
        ("guarded", True, 1),
        ("status", 404, 404),
        ("status", None, None),
        ("path", "/ü", "/ü"),
        ("path", "/a\ud800b", "/a?b"),
        ("residue", ["mail", "ü"], '["mail","\\u00fc"]'),
        ("extra", {"b": 1, "a": None}, '{"a":null,"b":1}'),
    ],
)
def test_columns_are_stored_as_sqlite_takes_them(
    bed: Bed, column: str, value: JSON, stored: object
) -> None:
    assert bed.write(plain(opening(**{column: value}))) == [1]  # type: ignore[arg-type]
    assert bed.ask(f"SELECT {column} FROM entry") == [(stored,)]


def test_a_prepared_append_shows_neither_payloads_nor_columns() -> None:
    shown = repr(prepare(opening(row(blobs={"r": b"attack"}), session="tess"), KEY, fresh=True))
    assert "attack" not in shown


# --- places ---------------------------------------------------------------------------------


def test_events_of_one_batch_and_of_the_next_are_one_chain(bed: Bed) -> None:
    bed.write(plain(opening(row("a"), row("b"))), plain(opening(row("c"))))
    bed.write(plain(more(1, 2, row("d"))))
    previous, seen = NO_HEAD.hash, []
    for seq, body, hash_ in bed.ask("SELECT seq, body, hash FROM event ORDER BY seq"):
        assert isinstance(body, bytes)
        event = json.loads(body)
        assert (event["previous"], event["seq"]) == (previous, seq)
        assert hashlib.sha256(body).digest() == hash_
        previous = hashlib.sha256(body).hexdigest()
        seen.append((event["type"], event["entry"], event["n"]))
    assert seen == [("a", 1, 1), ("b", 1, 2), ("c", 2, 1), ("d", 1, 3)]


def test_the_order_of_entries_holds_though_the_clock_is_set_back(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time_ns()
    for earlier in (0, 3600, 7200):
        monkeypatch.setattr(time, "time_ns", lambda by=earlier: now - by * 10**9)
        bed.write(plain(opening()))
    clocks = [clock for (clock,) in bed.ask("SELECT clock FROM entry ORDER BY id")]
    assert clocks == sorted(clocks, key=str)
    opened = [at for (at,) in bed.ask("SELECT opened FROM entry ORDER BY id")]
    assert opened == sorted(opened, key=str, reverse=True), "what is told is the wall's time"


# --- what is not let in -----------------------------------------------------------------------


def test_the_room_that_one_append_takes_is_gone_for_the_next_of_its_batch(bed: Bed) -> None:
    large = prepare(opening(row(blobs={"r": bytes(6000)})), bed.keys.take(), fresh=True)
    outcomes = bed.write(large, large, plain(opening()), replace_essential(large), free=9000)
    assert [type(outcome) for outcome in outcomes] == [int, JournalFull, int, int]


def replace_essential(prepared: Prepared) -> Prepared:
    return replace(prepared, append=replace(prepared.append, essential=True))


def test_one_that_is_refused_leaves_no_event_and_takes_no_number(bed: Bed) -> None:
    bed.write(plain(opening(undo_of=9, run="r", step="0")))
    fenced = replace(opening(row(), row()), fence=Fence(name="undo", token=4))
    outcomes = bed.write(
        plain(opening(row(), row(), undo_of=9, run="r", step="0")),
        plain(more(1, 7)),
        plain(more(5, 1)),
        plain(fenced),
        plain(opening()),
    )
    assert [type(outcome) for outcome in outcomes] == [Taken, Stale, Stale, Fenced, int]
    assert outcomes[-1] == 2
    assert bed.ask("SELECT seq, entry FROM event ORDER BY seq") == [(1, 1), (2, 2)]


def test_an_append_under_the_lease_that_is_held_passes_and_under_an_older_one_does_not(
    bed: Bed,
) -> None:
    with bed.database.transaction() as connection:
        connection.execute("INSERT INTO lease VALUES ('undo', 4, 'h', 'p', 0)")
    under = [plain(replace(opening(), fence=Fence(name="undo", token=t))) for t in (3, 4, 5)]
    assert [type(outcome) for outcome in bed.write(*under)] == [Fenced, int, Fenced]


def test_a_defect_that_is_no_taken_step_is_not_called_one(bed: Bed) -> None:
    broken = plain(opening())
    object.__setattr__(broken, "columns", {"events": None})
    with pytest.raises(JournalError, match="NOT NULL") as caught:
        bed.write(broken)
    assert type(caught.value) is JournalError


# --- keys -------------------------------------------------------------------------------------


def with_payload(append: Append, key: EntryKey, *, fresh: bool) -> Prepared:
    return prepare(replace(append, rows=(row(blobs={"r": b"x"}),)), key, fresh=fresh)


def test_the_first_payload_gives_an_entry_its_key_and_later_ones_use_it(bed: Bed) -> None:
    key, other = bed.keys.take(), bed.keys.take()
    bed.write(plain(opening()))
    assert bed.write(with_payload(more(1, 1), key, fresh=True)) == [1]
    assert bed.ask("SELECT key FROM entry") == [(key.id,)]
    assert bed.write(with_payload(more(1, 2), key, fresh=False)) == [1]
    (moved,) = bed.write(with_payload(more(1, 3), other, fresh=True))
    assert isinstance(moved, KeyMoved)
    assert bed.ask("SELECT key FROM entry") == [(key.id,)]


def test_a_key_that_is_destroyed_is_replaced_by_a_fresh_one_and_by_no_other(bed: Bed) -> None:
    key = bed.keys.take()
    bed.write(with_payload(opening(), key, fresh=True))
    with bed.database.transaction() as connection:
        connection.execute("UPDATE entry SET key = NULL")
    bed.keys.destroy([key.id])
    (moved,) = bed.write(with_payload(more(1, 1), key, fresh=False))
    assert isinstance(moved, KeyMoved)
    assert bed.ask("SELECT count(*) FROM event") == [(1,)]
    fresh = bed.keys.take()
    assert bed.write(with_payload(more(1, 1), fresh, fresh=True)) == [1]
    assert bed.ask("SELECT key FROM entry") == [(fresh.id,)]


def test_an_event_without_payloads_leaves_the_key_as_it_is(bed: Bed) -> None:
    key = bed.keys.take()
    bed.write(with_payload(opening(), key, fresh=True))
    bed.write(plain(more(1, 1)))
    assert bed.ask("SELECT key FROM entry") == [(key.id,)]

"""Lists and look-ups: what they find, and how fast with many entries."""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from goex_proxy.stores.event_bytes import rfc3339
from goex_proxy.stores.journal import Journal
from goex_proxy.stores.reader import JournalReader
from goex_proxy.stores.rows import NO_HEAD, Filters
from tests.stores.conftest import SMALL
from tests.stores.helpers import more, opening, row

ENTRIES = 200_000


def ids(journal: JournalReader, filters: Filters) -> list[int]:
    return [listed.id for listed in journal.log(filters)]


@pytest.fixture
def listed(journal: Journal) -> Journal:
    """Six entries; 2, 4 and 6 are held, 3 and 6 are Slack's."""
    for number in range(1, 7):
        journal.append_now(
            opening(
                state="held" if number % 2 == 0 else "applied",
                service="slack" if number % 3 == 0 else "github",
                effect="hold" if number % 2 == 0 else "allow",
                fidelity="exact" if number < 5 else "none",
                session=f"s{number // 4}",
                fingerprint=f"f{number % 2}",
            )
        )
    return journal


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (Filters(), [1, 2, 3, 4, 5, 6]),
        (Filters(last=2), [5, 6]),
        (Filters(last=9), [1, 2, 3, 4, 5, 6]),
        (Filters(after=4), [5, 6]),
        (Filters(states=("held",)), [2, 4, 6]),
        (Filters(states=("held", "applied", "held")), [1, 2, 3, 4, 5, 6]),
        (Filters(states=("held", "applied"), last=3), [4, 5, 6]),
        (Filters(states=("stuck",)), []),
        (Filters(service="slack", states=("held",)), [6]),
        (Filters(effect="allow"), [1, 3, 5]),
        (Filters(effect="hold", fidelity="exact"), [2, 4]),
        (Filters(fidelity="exact", service="github"), [1, 2, 4]),
        (Filters(session="s1", service="github", last=1), [5]),
        (Filters(since="2001-01-01T00:00:00Z"), [1, 2, 3, 4, 5, 6]),
        (Filters(since="2999-01-01T00:00:00Z"), []),
    ],
)
def test_entries_are_listed_by_all_that_is_asked_oldest_first(
    listed: Journal, filters: Filters, found: list[int]
) -> None:
    assert ids(listed, filters) == found


def test_entries_are_listed_since_the_moment_of_any_of_them(listed: Journal) -> None:
    for entry in listed.log():
        opened = [other.id for other in listed.log() if other.opened >= entry.opened]
        assert ids(listed, Filters(since=entry.opened)) == opened
    with pytest.raises(ValueError, match="time zone"):
        ids(listed, Filters(since="2026-11-21T08:00:00"))


def test_a_changed_state_moves_its_entry_to_another_list(listed: Journal) -> None:
    listed.append_now(more(2, 1, state="applied", status=200))
    assert [found.id for found in listed.open_entries(["held", "in_doubt"])] == [4, 6]
    assert [found.id for found in listed.find(fingerprint="f0")] == [2, 4, 6]
    entry = listed.entry(2)
    assert entry is not None
    assert (entry.events, entry.columns["status"]) == (2, 200)
    assert listed.entry(7) is None
    with pytest.raises(ValueError, match="find needs"):
        listed.find(step="1")


def test_steps_of_undos_are_left_out_before_the_last_are_counted(journal: Journal) -> None:
    for undone in (None, None, 1, 2):
        journal.append_now(
            opening(undo_of=undone, run="u1" if undone else None, step=undone and "0")
        )
    assert ids(journal, Filters(no_steps=True, last=2)) == [1, 2]
    assert ids(journal, Filters(last=2)) == [3, 4]


LATER = Filters(service="github", host="h", states=("applied",), after=1)


@pytest.mark.parametrize(
    ("resources", "named", "found"),
    [
        ([], [], []),
        (["gh:issue:7"], [], [2]),
        (["gh:issue:7", "gh:issue:8"], [], [2, 3]),
        ([], [[("8",)]], [3, 4]),
        ([], [[("a b", "a%20b")]], [5]),
        ([], [[("labels",), ("8",)]], [4]),
        (["gh:issue:7"], [[("labels",), ("8",)], [("a%20b",)]], [2, 4, 5]),
    ],
)
def test_what_came_later_is_found_by_its_resource_or_by_what_it_names(
    journal: Journal, resources: list[str], named: list[list[tuple[str, ...]]], found: list[int]
) -> None:
    lines: list[tuple[str, str | None]] = [
        ("/issues/7", "gh:issue:7"),
        ("/issues/7", "gh:issue:7"),
        ("/issues/8", "gh:issue:8"),
        ("/issues/8/labels", None),
        ("/files/a%20b", None),
    ]
    for path, resource in lines:
        index: dict[str, Any] = {
            "host": "h",
            "state": "applied",
            "path": path,
            "resource": resource,
        }
        journal.append_now(opening(**index))
    others: list[dict[str, Any]] = [{"service": "slack"}, {"host": "i"}, {"state": "kept"}]
    for other in others:
        journal.append_now(
            opening(**{**index, "resource": "gh:issue:7", "path": "/8/labels", **other})
        )
    later = journal.later(LATER, resources=resources, named=named)
    assert [listed.id for listed in later] == found


def test_an_empty_journal_lists_nothing(journal: Journal) -> None:
    assert (ids(journal, Filters()), journal.head(), journal.events(1)) == ([], NO_HEAD, [])
    assert ids(journal, Filters(since="2001-01-01T00:00:00Z")) == []


def test_log_and_show_read_while_a_gateway_writes(listed: Journal) -> None:
    with JournalReader(listed.path.parent) as reader:
        rows = reader.log()
        assert next(rows).id == 1
        assert listed.append_now(opening(row(blobs={"request": b"new"}))) == 7
        assert len(list(rows)) == 5, "a list is of one moment"
        assert reader.blob(reader.events(7)[0].blobs[0]) == b"new"


def test_reading_a_list_imports_the_standard_library_only(listed: Journal) -> None:
    script = """
import sys
from pathlib import Path
from goex_proxy.stores.reader import JournalReader
with JournalReader(Path(sys.argv[1])) as reader:
    assert len(list(reader.log())) == 6 and reader.events(1)
heavy = {"sqlite_utils", "cryptography", "asyncio", "pydantic", "aiohttp", "mitmproxy", "click"}
print(sorted(heavy & set(sys.modules)))
"""
    ran = subprocess.run(
        [sys.executable, "-c", script, str(listed.path.parent)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.strip() == "[]"


@pytest.fixture
def many(tmp_path: Path) -> Iterator[JournalReader]:
    """A journal of many entries, made quickly: one that was appended, then copied in SQL."""
    with closing(Journal(tmp_path, options=SMALL)) as journal:
        journal.append_now(opening(row("sent", {"request": b"x" * 500}, text="t" * 300)))
        path = journal.path
    with sqlite3.connect(path) as maker:
        maker.execute("PRAGMA synchronous=OFF")
        maker.execute(
            "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
            " INSERT INTO entry (id, events, clock, opened, updated, session, agent, service,"
            " operation, host, state, effect, fidelity, path, fingerprint, resource)"
            " SELECT i, 1, clock + i * 1000, opened, updated, 's' || (i / 500), 'a' || (i % 7),"
            " 'svc' || (i % 5), 'svc.op' || (i % 50), 'h' || (i % 5),"
            " iif(i % 20000 = 0, 'in_doubt', 'applied'), iif(i % 30000 = 0, 'hold', 'allow'),"
            " iif(i % 40000 = 0, 'none', 'exact'), '/a/long/path/' || i, 'f' || i, 'r' || i"
            " FROM entry, n WHERE id = 1",
            (ENTRIES,),
        )
        maker.execute(
            "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
            " INSERT INTO event SELECT i, i, 1, body, hash FROM event, n WHERE seq = 1",
            (ENTRIES,),
        )
    maker.close()
    with JournalReader(tmp_path) as reader:
        yield reader


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_two_hundred_thousand_entries_are_listed_at_once(many: JournalReader) -> None:
    clock = next(many.rows("SELECT clock FROM entry WHERE id = ?", (ENTRIES - 50,)))[0]
    since = rfc3339(clock)
    asks: dict[str, Callable[[], object]] = {
        "last 50": lambda: ids(many, Filters(last=50)),
        "session": lambda: ids(many, Filters(session="s77")),
        "in_doubt": lambda: many.open_entries(["in_doubt", "held", "pending"]),
        "last 50 applied of a service": lambda: ids(
            many, Filters(service="svc1", states=("applied",), last=50)
        ),
        "held": lambda: ids(many, Filters(effect="hold", service="svc0")),
        "fidelity none": lambda: ids(many, Filters(fidelity="none", last=50)),
        "common effect": lambda: ids(many, Filters(effect="allow", last=50)),
        "agent and operation": lambda: ids(many, Filters(agent="a1", operation="svc.op3", last=50)),
        "host that has none": lambda: ids(many, Filters(host="nowhere", last=50)),
        "since": lambda: ids(many, Filters(since=since)),
        "find": lambda: many.find(fingerprint="f177777"),
        "show": lambda: many.events(123_456),
        "last 1 that is no step": lambda: ids(many, Filters(no_steps=True, last=1)),
        "later of a resource": lambda: many.later(
            Filters(service="svc1", states=("applied",), after=1), resources=["r177777"], named=[]
        ),
    }
    took = {}
    for name, ask in asks.items():
        started = time.perf_counter()
        assert ask() is not None
        took[name] = (time.perf_counter() - started) * 1000
    print("".join(f"\n{name}: {ms:.1f} ms" for name, ms in took.items()))
    assert max(took.values()) < 50

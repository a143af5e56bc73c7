"""Lists of entries, quick with a million of them.

SQLite uses one index per table; without statistics it cannot know that `service` is in every row
and `session` in few. The order of `_BY_CHOICE` says which column to go by; the others get a unary
plus, which keeps SQLite from using theirs. An index on one column also has the id, so its rows
come in the wanted order and a LIMIT stops early.
"""

import heapq
import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice

from goex_proxy.stores.rows import COLUMNS, COMMON, JSON, JSON_COLUMNS, Filters, LogRow

_BY_CHOICE = ["session", "state", "fidelity", "effect", "operation", "host", "agent", "service"]
_NAMES = "instr(path || ' ' || coalesce(resource, ''), ?)"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SELECT = f"SELECT id, opened, updated, events, {', '.join(COLUMNS)} FROM entry"  # noqa: S608


def log_rows(connection: sqlite3.Connection, filters: Filters) -> Iterator[LogRow]:
    """The entries that pass, oldest first."""
    wanted = {name: getattr(filters, name) for name in _BY_CHOICE if name != "state"}
    wanted = {name: value for name, value in wanted.items() if value is not None}
    low = filters.after or 0
    if filters.since is not None:
        low = max(low, _first_since(connection, filters.since) - 1)
    # One query per state: with IN, rows would have to be sorted before the last are known.
    each = [
        _query(
            connection,
            wanted | ({"state": state} if state else {}),
            low,
            filters.last,
            no_steps=filters.no_steps,
        )
        for state in dict.fromkeys(filters.states or (None,))
    ]
    if filters.last is None:
        yield from heapq.merge(*each, key=lambda row: row.id)
        return
    newest = heapq.merge(*each, key=lambda row: row.id, reverse=True)
    yield from reversed(list(islice(newest, filters.last)))


def find_rows(
    connection: sqlite3.Connection, wanted: Mapping[str, str | int | None], step: str | None
) -> Iterator[LogRow]:
    """The entries with all of these columns, oldest first."""
    by = {name: value for name, value in wanted.items() if value is not None}
    if not by:
        raise ValueError("find needs a fingerprint, undo_of, redo_of or run")
    tests = [f"{name} = ?" for name in by]
    values: list[object] = list(by.values())
    if step is not None:
        tests.append("step = ?")
        values.append(step)
    yield from _rows(connection, f"{_SELECT} WHERE {' AND '.join(tests)} ORDER BY id", values)


def later_rows(
    connection: sqlite3.Connection,
    filters: Filters,
    resources: Collection[str],
    named: Collection[Collection[Collection[str]]],
) -> list[LogRow]:
    """The entries that pass `service`, `host`, `states` and `after` of these filters, and whose
    resource is one of these or whose path and resource name one of the others; oldest first.

    Of `named`, each is a list of words that must all be there, each word in one of its spellings.
    Resources have an index. For names every later entry is looked at (half a second for a
    million), so give only what can be named.
    """
    kept = {"service": filters.service, "host": filters.host}
    wanted = {name: value for name, value in kept.items() if value is not None}
    tests = [f"+{name} = ?" for name in wanted]
    tests.append(f"+state IN ({', '.join('?' * len(filters.states))})")
    rest: list[object] = [*wanted.values(), *filters.states, filters.after or 0]
    found: dict[int, LogRow] = {}
    for of in resources:
        query = f"{_SELECT} WHERE {' AND '.join([*tests, '+id > ?', 'resource = ?'])}"
        found |= {row.id: row for row in _rows(connection, query, [*rest, of])}
    for words in named:
        said = [f"({' OR '.join([_NAMES] * len(spelt))})" for spelt in words]
        query = f"{_SELECT} WHERE {' AND '.join([*tests, 'id > ?', *said])}"
        spellings = [each for spelt in words for each in spelt]
        found |= {row.id: row for row in _rows(connection, query, [*rest, *spellings])}
    return sorted(found.values(), key=lambda row: row.id)


def _query(
    connection: sqlite3.Connection,
    wanted: Mapping[str, str],
    low: int,
    last: int | None,
    *,
    no_steps: bool,
) -> Iterator[LogRow]:
    # Common values have no index: they are the choice only if there is nothing else.
    rare = (name for name in _BY_CHOICE if name in wanted and wanted[name] != COMMON.get(name))
    chosen = next(rare, None)
    tests = [f"{'' if name == chosen else '+'}{name} = ?" for name in wanted]
    if chosen in COMMON:
        tests.append(f"{chosen} <> '{COMMON[chosen]}'")  # tells SQLite that the index will do
    if no_steps:
        tests.append("+undo_of IS NULL")
    query = f"{_SELECT} WHERE {' AND '.join([*tests, 'id > ?'])} ORDER BY id"
    values: list[object] = [*wanted.values(), low]
    if last is not None:
        query += " DESC LIMIT ?"
        values.append(last)
    return _rows(connection, query, values)


def _rows(connection: sqlite3.Connection, query: str, values: list[object]) -> Iterator[LogRow]:
    for entry, opened, updated, events, *rest in connection.execute(query, values):
        columns: dict[str, JSON] = dict(zip(COLUMNS, rest, strict=True))
        for name in JSON_COLUMNS:
            text = columns[name]
            if isinstance(text, str):
                columns[name] = json.loads(text)
        yield LogRow(id=entry, opened=opened, updated=updated, events=events, columns=columns)


def _first_since(connection: sqlite3.Connection, since: str) -> int:
    """The first id opened at that time or later: by bisection, `clock` grows with the ids."""
    wanted = _microseconds(since)
    low, high = connection.execute(
        # two queries: together, SQLite would scan the table for them
        "SELECT coalesce((SELECT min(id) FROM entry), 1),"
        " coalesce((SELECT max(id) FROM entry), 0) + 1"
    ).fetchone()
    while low < high:
        middle = (low + high) // 2
        entry, clock = connection.execute(
            "SELECT id, clock FROM entry WHERE id >= ? ORDER BY id LIMIT 1", (middle,)
        ).fetchone()
        if clock < wanted:
            low = entry + 1
        else:
            high = middle
    return int(low)


def _microseconds(text: str) -> int:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone; write it as 2026-11-21T08:00:00Z")
    return (moment - _EPOCH) // timedelta(microseconds=1)

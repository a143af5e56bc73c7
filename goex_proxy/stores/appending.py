"""Append: what is prepared outside the transaction, and what is done inside it.

The transaction reads the head of the chain once, then gives each append its place. An append that
may not be written (stale, step taken, lease lost, no room) is skipped before any of its events
is, so that the others of its batch do not suffer.
"""

import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from goex_proxy.stores.event_bytes import (
    EventParts,
    Payload,
    Place,
    canonical,
    digest,
    rfc3339,
)
from goex_proxy.stores.journal_errors import Fenced, JournalError, JournalFull, Stale, Taken
from goex_proxy.stores.key_store import KeyStore
from goex_proxy.stores.rows import (
    JSON,
    JSON_COLUMNS,
    MAX_BLOBS,
    NO_HEAD,
    NUMBER_COLUMNS,
    TEXT_COLUMNS,
    Append,
    Blob,
    frame_id,
)
from goex_proxy.stores.sealing import EntryKey, keyed_hash, seal

type Outcome = int | JournalError

_ROW_BYTES = 1024  # what an event and its share of the indices take, roughly


_KINDS: dict[str, type] = (
    dict.fromkeys(TEXT_COLUMNS, str)
    | dict.fromkeys(NUMBER_COLUMNS, int)
    | dict.fromkeys(JSON_COLUMNS, list)
)


class KeyMoved(JournalError):
    """The entry has another key than the payloads were sealed with: seal again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An append, encoded and sealed."""

    append: Append
    parts: tuple[EventParts, ...]
    frames: tuple[tuple[tuple[bytes, ...], ...], ...]
    """By row, blob, frame."""
    key: EntryKey | None
    fresh: bool
    """The key is from the pool: no entry has it yet."""
    columns: dict[str, str | int | None] = field(repr=False)
    size: int
    """About how many bytes it adds to the disk."""


def prepare(append: Append, key: EntryKey | None, *, fresh: bool) -> Prepared:
    """Encode and seal. ValueError for what can never be written, whatever the state."""
    if not append.rows:
        raise ValueError("an append needs at least one event")
    if (append.entry is None) != (append.expected == 0):
        raise ValueError("a new entry has no events yet; any other has some")
    parts, sealed, size = [], [], 0
    for row in append.rows:
        if len(row.blobs) > MAX_BLOBS:
            raise ValueError(f"event {row.type!r} has {len(row.blobs)} blobs; the most is 1024")
        payloads, frames = [], []
        for blob in row.blobs:
            if key is None:
                raise ValueError("payloads need a key")
            payloads.append(_payload(key, blob))
            frames.append(tuple(seal(key, blob)))
            size += len(blob.data)
        parts.append(EventParts(row, payloads))
        sealed.append(tuple(frames))
        size += _ROW_BYTES
    return Prepared(
        append=append,
        parts=tuple(parts),
        frames=tuple(sealed),
        key=key,
        fresh=fresh,
        columns=_columns(append.index),
        size=size,
    )


def _payload(key: EntryKey, blob: Blob) -> Payload:
    return Payload(name=blob.name, size=len(blob.data), key=key.id, hash=keyed_hash(key, blob.data))


def _columns(index: Mapping[str, JSON]) -> dict[str, str | int | None]:
    columns: dict[str, str | int | None] = {}
    for name, value in index.items():
        if value is None and name in _KINDS:
            columns[name] = None
        elif _KINDS.get(name) is str and isinstance(value, str):
            # A lone surrogate cannot be stored; the event has the text as it was.
            columns[name] = (
                value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
            )
        elif _KINDS.get(name) is int and isinstance(value, int):
            columns[name] = int(value)
        elif _KINDS.get(name) is list:
            columns[name] = "[]" if value == [] else canonical(value)
        else:
            raise ValueError(f"the journal has no column {name!r} for a {type(value).__name__}")
    return columns


class Transaction:
    """The places that the events of one transaction get."""

    def __init__(self, connection: sqlite3.Connection, keys: KeyStore, free: int) -> None:
        """`free`: bytes that may be written without touching the reserve."""
        self._connection = connection
        self._keys = keys
        self._free = free
        self._now = time.time_ns() // 1000
        self._at = rfc3339(self._now)
        self._mono = time.monotonic_ns() // 1000
        row = connection.execute("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1").fetchone()
        self._seq: int = row[0] if row else NO_HEAD.seq
        self._hash: str = row[1].hex() if row else NO_HEAD.hash
        row = connection.execute("SELECT id, clock FROM entry ORDER BY id DESC LIMIT 1").fetchone()
        self._newest: int = row[0] if row else 0
        self._clock: int = row[1] if row else 0

    def write(self, batch: Sequence[Prepared]) -> list[Outcome]:
        """Write what may be written; the outcome of each is its entry, or why not."""
        outcomes: list[Outcome] = []
        for prepared in batch:
            try:
                outcomes.append(self._write(prepared))
            except JournalError as refusal:
                outcomes.append(refusal)
        return outcomes

    def _write(self, prepared: Prepared) -> int:
        append = prepared.append
        if not append.essential and prepared.size > self._free:
            raise JournalFull(
                "the journal's disk is down to its reserve, kept for the outcomes of calls that"
                " were sent; free some space"
            )
        if append.fence is not None:
            self._check_fence(append.fence.name, append.fence.token)
        entry = self._open(prepared) if append.entry is None else self._continue(prepared)
        for offset, (parts, blobs) in enumerate(zip(prepared.parts, prepared.frames, strict=True)):
            self._event(entry, append.expected + offset + 1, parts)
            if blobs:
                self._frames(blobs)
        self._free -= prepared.size
        return entry

    def _check_fence(self, name: str, token: int) -> None:
        row = self._connection.execute("SELECT token FROM lease WHERE name = ?", (name,)).fetchone()
        if row is None or row[0] != token:
            raise Fenced(f"the lease {name!r} has passed to another holder; stop")

    def _open(self, prepared: Prepared) -> int:
        entry: int = self._newest + 1
        clock = max(self._clock, self._now)
        values = {
            "id": entry,
            "events": len(prepared.parts),
            "key": prepared.key.id if prepared.key else None,
            "clock": clock,
            "opened": self._at,
            "updated": self._at,
            **prepared.columns,
        }
        self._upsert(
            f"INSERT INTO entry ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})",  # noqa: S608 - names are checked by _columns
            tuple(values.values()),
        )
        self._newest, self._clock = entry, clock
        return entry

    def _continue(self, prepared: Prepared) -> int:
        append = prepared.append
        row = self._connection.execute(
            "SELECT events, key FROM entry WHERE id = ?", (append.entry,)
        ).fetchone()
        events, key = row or (0, None)
        if events != append.expected or append.entry is None:
            raise Stale(
                f"e{append.entry} has {events} events, the writer knew {append.expected};"
                " load it again"
            )
        key = self._key(key, prepared)
        values = {
            "events": events + len(prepared.parts),
            "key": key,
            "updated": self._at,
            **prepared.columns,
        }
        self._upsert(
            f"UPDATE entry SET {', '.join(f'{name} = ?' for name in values)} WHERE id = ?",  # noqa: S608 - names are checked by _columns
            (*values.values(), append.entry),
        )
        return append.entry

    def _key(self, current: int | None, prepared: Prepared) -> int | None:
        """The key of the entry from now on. KeyMoved if the payloads were sealed with another:
        the entry was shredded, or got its first payload, since the writer looked."""
        if prepared.key is None or prepared.key.id == current:
            return current
        lost = current is None or self._keys.get(current) is None
        if lost and prepared.fresh:
            return prepared.key.id
        raise KeyMoved(f"e{prepared.append.entry} has another key")

    def _upsert(self, statement: str, values: tuple[object, ...]) -> None:
        try:
            self._connection.execute(statement, values)
        except sqlite3.IntegrityError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_CONSTRAINT_UNIQUE:
                raise
            raise Taken("this step of this undo run is being done by another writer") from error

    def _event(self, entry: int, n: int, parts: EventParts) -> None:
        place = Place(
            seq=self._seq + 1, entry=entry, n=n, at=self._at, mono=self._mono, previous=self._hash
        )
        body = parts.at(place)
        hash_ = digest(body)
        self._connection.execute(
            "INSERT INTO event (seq, entry, n, body, hash) VALUES (?, ?, ?, ?, ?)",
            (place.seq, entry, n, body, hash_),
        )
        self._seq, self._hash = place.seq, hash_.hex()

    def _frames(self, blobs: tuple[tuple[bytes, ...], ...]) -> None:
        self._connection.executemany(
            "INSERT INTO frame (id, data) VALUES (?, ?)",
            [
                (frame_id(self._seq, number) + offset, data)
                for number, frames in enumerate(blobs)
                for offset, data in enumerate(frames)
            ],
        )

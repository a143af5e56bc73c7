"""The bytes of an event: canonical JSON, stored and hashed as they are.

Canonical: keys in order, no white space, ASCII (so a lone surrogate survives), no NaN. The hash
of an event is the SHA-256 of its bytes, and these hold the hash of the event before it, so any
tool that can hash a line can check an export.

What only the transaction knows (seq, entry, n, time, previous hash) is spliced between parts
encoded beforehand, to keep the time under the lock short.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from goex_proxy.stores.rows import JSON, BlobRef, Row, StoredEvent, Upcast

_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), allow_nan=False, check_circular=False
)


def canonical(value: JSON | Mapping[str, JSON]) -> str:
    """Canonical JSON. ValueError for NaN and infinities, TypeError for what is not JSON,
    RecursionError for a circle."""
    return _ENCODER.encode(value)


def rfc3339(microseconds: int) -> str:
    """A wall time in microseconds since 1970 as `2026-11-21T08:00:00.000000Z`."""
    seconds, rest = divmod(microseconds, 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:06d}Z"


def digest(raw: bytes) -> bytes:
    return hashlib.sha256(raw).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What an event says of one of its blobs."""

    name: str
    size: int
    key: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What only the transaction knows of an event."""

    seq: int
    entry: int
    n: int
    at: str
    mono: int
    previous: str


class EventParts:
    """An event whose place is not known yet."""

    __slots__ = ("_fields", "_head", "_tail")

    def __init__(self, row: Row, payloads: Sequence[Payload]) -> None:
        blobs = ",".join(
            [
                f'{{"hash":"{p.hash}","key":{p.key:d},"name":{quoted(p.name)},"size":{p.size:d}}}'
                for p in payloads
            ]
        )
        self._head = f'{{"actor":{quoted(row.actor)},"at":"'
        self._fields = f'"blobs":[{blobs}],"entry":'
        self._tail = (
            f',"type":{quoted(row.type)},"version":{row.version:d}}}',
            f',"fields":{canonical(row.fields)},"mono":',
        )

    def at(self, place: Place) -> bytes:
        """The bytes of the event there."""
        end, fields = self._tail
        return (
            f'{self._head}{place.at}",{self._fields}{place.entry}{fields}{place.mono}'
            f',"n":{place.n},"previous":"{place.previous}","seq":{place.seq}{end}'
        ).encode("ascii")


def blob_refs(seq: int, blobs: list[dict[str, Any]]) -> tuple[BlobRef, ...]:
    """The payloads that an event names. KeyError or TypeError if that is not what these are."""
    return tuple(
        BlobRef(
            seq=seq, number=number, name=b["name"], size=b["size"], key=b["key"], hash=b["hash"]
        )
        for number, b in enumerate(blobs)
    )


def stored(raw: bytes, hash_: bytes, upcast: Upcast) -> StoredEvent:
    """The event in these bytes. ValueError, KeyError or TypeError if they hold none."""
    body: dict[str, Any] = json.loads(raw)
    seq: int = body["seq"]
    type_, version, fields = upcast(body["type"], body["version"], body["fields"])
    return StoredEvent(
        seq=seq,
        entry=body["entry"],
        n=body["n"],
        type=type_,
        version=version,
        fields=fields,
        at=body["at"],
        mono=body["mono"],
        actor=body["actor"],
        blobs=blob_refs(seq, body["blobs"]),
        previous=body["previous"],
        hash=hash_.hex(),
        raw=raw,
    )

"""What the journal takes and gives, as neutral rows: it knows no event type of the core."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

type JSON = str | int | float | bool | list[JSON] | dict[str, JSON] | None

TEXT_COLUMNS = [
    "session",
    "agent",
    "actor",
    "service",
    "operation",
    "resource",
    "scheme",
    "method",
    "host",
    "path",
    "state",
    "fidelity",
    "effect",
    "rule",
    "reason",
    "credential",
    "auth",
    "run",
    "step",
    "fingerprint",
    "expires",
]
NUMBER_COLUMNS = ["status", "undo_of", "redo_of", "undone_by", "guarded"]
JSON_COLUMNS = ["residue", "extra"]
COLUMNS: tuple[str, ...] = (*TEXT_COLUMNS, *NUMBER_COLUMNS, *JSON_COLUMNS)
"""What of an entry is kept beside its events so that it can be listed and found. Nothing personal
and no secret goes here: `path` is the path without its query. `guarded` is 0 or 1; `residue` is
a list; `extra` any object that nobody searches; `expires` an RFC 3339 time."""

COMMON = {"state": "applied", "effect": "allow", "fidelity": "exact"}
"""Values that most entries have: not indexed."""

MAX_BLOBS = 1 << 10
FRAME_BYTES = 1 << 20
MAX_FRAMES = 1 << 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """One personal payload (`request`, `before:issue`): stored encrypted, at most 64 MiB."""

    name: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An event to append. `fields` hold nothing personal and no secret; that is for blobs."""

    type: str
    version: int
    fields: Mapping[str, JSON]
    actor: str
    blobs: tuple[Blob, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """The lease under which an append is made; it is refused once another holds that lease."""

    name: str
    token: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """Events of one entry, written all together or not at all."""

    entry: int | None
    """None: a new entry; its id is given by the transaction."""
    expected: int
    """How many events of the entry the writer has seen: with another number, `Stale`."""
    rows: tuple[Row, ...]
    index: Mapping[str, JSON] = field(default_factory=dict)
    """Columns of COLUMNS to set; those not named keep their value."""
    essential: bool = False
    """May use the reserved disk space: for what is known of a call that was already sent."""
    fence: Fence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobRef:
    """Where a payload is, and the id of its key. `hash` is keyed too: without the key it tells
    nothing."""

    seq: int
    number: int
    name: str
    size: int
    key: int
    hash: str


def frame_id(seq: int, blob: int) -> int:
    """Where the first frame of a blob is kept; the others follow. See MAX_BLOBS, MAX_FRAMES."""
    return seq << 16 | blob << 6


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """An event as it was read: `type`, `version` and `fields` are upcast, `raw` never changes."""

    seq: int
    entry: int
    n: int
    """Its place in the entry, from 1."""
    type: str
    version: int
    fields: Mapping[str, JSON]
    at: str
    """Wall time, RFC 3339, microseconds, UTC."""
    mono: int
    """Microseconds of the machine's monotonic clock: to be compared within one boot only."""
    actor: str
    blobs: tuple[BlobRef, ...]
    previous: str
    hash: str
    """SHA-256 of `raw`, which holds `previous`: hexadecimal."""
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """An entry as a list shows it."""

    id: int
    opened: str
    updated: str
    events: int
    columns: Mapping[str, JSON]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which entries to list: all that is given must hold. Several states: any of them."""

    session: str | None = None
    agent: str | None = None
    service: str | None = None
    operation: str | None = None
    host: str | None = None
    states: tuple[str, ...] = ()
    effect: str | None = None
    fidelity: str | None = None
    since: str | None = None
    """RFC 3339 UTC, as in StoredEvent.at (fraction optional)."""
    after: int | None = None
    """Only entries with a greater id."""
    no_steps: bool = False
    """Only entries that are no step of an undo."""
    last: int | None = None
    """Only so many of the newest; they come oldest first all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The end of the chain. Of an empty journal: seq 0 and 64 zeros."""

    seq: int
    hash: str


NO_HEAD = Head(seq=0, hash="0" * 64)

type Upcast = Callable[[str, int, Mapping[str, JSON]], tuple[str, int, Mapping[str, JSON]]]
"""Brings an event of an old version to the newest: (type, version, fields) to the same."""


def as_it_is(
    type: str, version: int, fields: Mapping[str, JSON]
) -> tuple[str, int, Mapping[str, JSON]]:
    """The upcast that changes nothing."""
    return type, version, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a journal is kept."""

    reserve: int = 64 << 20
    """Bytes of free disk that only `essential` appends may use."""
    busy_timeout: float = 5.0
    """Seconds to wait for another process before JournalBusy."""
    key_pool: int = 512
    """Keys made durable ahead. Commands that append once want few."""

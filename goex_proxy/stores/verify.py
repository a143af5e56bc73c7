"""The whole journal, checked: chain, numbering, payloads, and the projection beside it."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from goex_proxy.stores.event_bytes import blob_refs, digest
from goex_proxy.stores.journal_errors import JournalCorrupt, Shredded
from goex_proxy.stores.reader import JournalReader
from goex_proxy.stores.rows import JSON, NO_HEAD, BlobRef, Filters, Head, StoredEvent

type Fold = Callable[[Sequence[StoredEvent]], Mapping[str, JSON]]
"""What the columns of an entry should be, by its events; columns it does not name are not
compared."""

_MOST_DEFECTS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """One thing that is wrong; `seq` of the event, `entry`, where they are known."""

    what: str
    seq: int | None = None
    entry: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What was found: the first hundred defects, in the order of the chain."""

    events: int
    entries: int
    shredded: int
    """Payloads whose key was destroyed: in order, if their entries were kept or have expired."""
    head: Head
    defects: tuple[Defect, ...]

    @property
    def sound(self) -> bool:
        return not self.defects

    @property
    def first_bad(self) -> int | None:
        """The seq of the first bad event."""
        return next((defect.seq for defect in self.defects if defect.seq is not None), None)


def verify(
    reader: JournalReader, *, fold: Fold | None = None, expected: Head | None = None
) -> Verification:
    """Recompute everything. `expected`: a head noted earlier, which must still be in the chain
    (finds a truncated journal). JournalCorrupt if SQLite itself cannot read the file."""
    chain = _Chain(reader, expected)
    # SQLite's own check: pages, and indices that agree with their tables.
    for (found,) in reader.rows("PRAGMA integrity_check(1)"):
        if found != "ok":
            chain.blame(f"SQLite finds the file damaged: {found}")
    for row in reader.rows("SELECT seq, entry, n, body, hash FROM event ORDER BY seq"):
        if chain.full:
            break
        chain.check(*row)
    if expected is not None and not chain.full and not chain.met_expected:
        chain.blame(f"the head {expected.seq} noted earlier is not in the chain: it was cut short")
    if not chain.full:
        _check_entries(reader, chain, fold)
    return Verification(
        events=chain.events,
        entries=len(chain.counts),
        shredded=chain.shredded,
        head=chain.head,
        defects=tuple(chain.defects),
    )


class _Chain:
    """The walk along the chain."""

    def __init__(self, reader: JournalReader, expected: Head | None) -> None:
        self.head = NO_HEAD
        self.events = 0
        self.shredded = 0
        self.counts: dict[int, int] = {}
        self.defects: list[Defect] = []
        self.met_expected = expected in (None, NO_HEAD)
        self._expected = expected
        self._reader = reader

    @property
    def full(self) -> bool:
        return len(self.defects) >= _MOST_DEFECTS

    def blame(self, what: str, seq: int | None = None, entry: int | None = None) -> None:
        self.defects.append(Defect(what=what, seq=seq, entry=entry))

    def check(self, seq: int, entry: int, n: int, body: object, hash_: object) -> None:
        if not isinstance(body, bytes) or not isinstance(hash_, bytes):
            # On a damaged page a row can hold anything, whatever its table says.
            self.blame("its bytes are no event", seq, entry)
            return
        for what in self._wrong(seq, entry, n, body, hash_):
            self.blame(what, seq, entry)
        self.events += 1
        self.counts[entry] = n
        self.head = Head(seq=seq, hash=hash_.hex())
        self.met_expected = self.met_expected or self.head == self._expected

    def _wrong(self, seq: int, entry: int, n: int, body: bytes, hash_: bytes) -> Iterator[str]:
        if digest(body) != hash_:
            yield "its bytes do not have its hash: it was altered"
        if seq != self.head.seq + 1:
            yield f"the event before it is {self.head.seq}: events are missing"
        if n != self.counts.get(entry, 0) + 1:
            yield f"it is event {n} of e{entry}, after {self.counts.get(entry, 0)}"
        try:
            event = json.loads(body)
            place = (event["seq"], event["entry"], event["n"])
            refs = blob_refs(seq, event["blobs"])
            previous = event["previous"]
        except (ValueError, KeyError, TypeError):
            yield "its bytes are no event"
            return
        if place != (seq, entry, n):
            yield "it stands in another place than it says"
        if previous != self.head.hash:
            yield "it does not follow the event before it"
        for ref in refs:
            yield from self._payload(ref)

    def _payload(self, ref: BlobRef) -> Iterator[str]:
        try:
            self._reader.blob(ref)
        except Shredded:
            self.shredded += 1
        except JournalCorrupt as error:
            yield str(error)


def _check_entries(reader: JournalReader, chain: _Chain, fold: Fold | None) -> None:
    listed = set()
    for row in reader.log(Filters()):
        listed.add(row.id)
        count = chain.counts.get(row.id, 0)
        if row.events != count:
            chain.blame(
                f"e{row.id} is said to have {row.events} events, it has {count}", None, row.id
            )
        elif fold is not None:
            _compare(reader, chain, fold, row.id, row.columns)
        if chain.full:
            return
    for entry in sorted(chain.counts.keys() - listed):
        chain.blame(f"e{entry} is missing from the list of entries", None, entry)


def _compare(
    reader: JournalReader, chain: _Chain, fold: Fold, entry: int, found: Mapping[str, JSON]
) -> None:
    try:
        wanted = fold(reader.events(entry))
    except (ValueError, JournalCorrupt) as error:
        chain.blame(f"e{entry} does not fold: {error}", None, entry)
        return
    wrong = sorted(name for name, value in wanted.items() if found[name] != value)
    if wrong:
        chain.blame(f"e{entry} is listed with another {', '.join(wrong)}", None, entry)

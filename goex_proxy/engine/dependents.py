"""Which later calls hang on an earlier one: they would have to be undone first.

By data flow, not by time: a later call on what the earlier one created (its path begins
with the created one's), or one that wrote the same fields of the same resource.
"""

from collections.abc import Iterable, Iterator
from urllib.parse import quote

from goex_proxy.core.entry import Entry
from goex_proxy.core.image import Image, Touch
from goex_proxy.core.journal import State
from goex_proxy.core.operation import Fidelity, Kind
from goex_proxy.core.path import parse
from goex_proxy.core.value import ABSENT
from goex_proxy.engine.ledger import Ledger
from goex_proxy.stores.rows import Filters

UNDOABLE = (State.APPLIED, State.PARTIAL, State.CONFLICT, State.STUCK)


_UNDER_WAY = (State.SENT, State.ANSWERED, State.PENDING, State.IN_DOUBT)
_STAYS = (*UNDOABLE, *_UNDER_WAY, State.UNDOING, State.KEPT, State.EXPIRED)


def dependents(ledger: Ledger, entry: Entry) -> list[Entry]:
    """The entries that hang on this one and could be undone before it, newest first."""
    made, touched = _made(entry), _touched(entry)
    return [
        later
        for later in _later(ledger, entry, UNDOABLE)
        if later.inverse is not None
        and (_below(later, made) or _overlaps(touched, _touched(later)))
    ]


def tenants(ledger: Ledger, entry: Entry) -> list[Entry]:
    """The entries that are about what this one made, and that no undo takes back: kept, in doubt,
    under way, or without an inverse; and those that hang on it and are being undone: what their
    step did can no longer be told once this one is undone under it. Newest first."""
    return [
        later
        for later in _later(ledger, entry, _STAYS)
        if (later.inverse is None or later.state not in UNDOABLE)
        and is_effect(later)
        and (hangs if later.state is State.UNDOING else below)(later, entry)
    ]


_NOTHING_LEFT = frozenset(
    (State.UNDONE, State.COMPENSATED, State.FAILED, State.REFUSED, State.ABANDONED)
)
_LONGEST = 64
"""How often one call is followed from redo to redo."""


def standing_redo(ledger: Ledger, entry: Entry, most: int = _LONGEST) -> Entry | None:
    """The redo of an entry that has, or may have, its effect now; a redo of a redo counts too.

    By what was sent, not by what the entry says: its process may have died in between.
    """
    for row in reversed(ledger.journal.find(redo_of=entry.id)):
        redo = ledger.load(row.id)
        if redo is None or most == 0:
            return redo
        if redo.state not in _NOTHING_LEFT:
            return redo
        if (again := standing_redo(ledger, redo, most - 1)) is not None:
            return again
    return None


def is_effect(entry: Entry) -> bool:
    """Whether a call has, or may have, changed something: not if all is known to be as it was."""
    unchanged = entry.inverse is None and entry.fidelity is Fidelity.EXACT
    return entry.opened.kind is not Kind.READ and not unchanged


def _later(ledger: Ledger, entry: Entry, states: tuple[State, ...]) -> Iterator[Entry]:
    """What came after it and may be about the same, newest first."""
    filters = Filters(
        service=entry.opened.service or None,
        host=entry.call.request.origin.authority,
        states=tuple(state.value for state in states),
        after=entry.id,
    )
    # By their lines first: reading an entry costs a hundred times what its line does.
    named = [[(i, quote(i, safe="/")) for i in ids] for ids in _made(entry) if ids]
    rows = ledger.journal.later(filters, resources=_touched(entry), named=named)
    for row in reversed(rows):
        later = ledger.load(row.id)
        if later is not None and not later.call.is_undo:
            yield later


def hangs(later: Entry, entry: Entry) -> bool:
    """Whether a later entry hangs on an earlier one."""
    return _below(later, _made(entry)) or _overlaps(_touched(entry), _touched(later))


def below(later: Entry, entry: Entry) -> bool:
    """Whether a later entry is about what the earlier one made."""
    return _below(later, _made(entry))


def _made(entry: Entry) -> list[tuple[str, ...]]:
    """Paths of what the call created: its own after-image's ids, where it had none before."""
    before = {image.instance.use: image for image in entry.before}
    out = []
    for image in entry.after:
        earlier = before.get(image.instance.use)
        if image.present and (earlier is None or earlier.value is ABSENT):
            out += [tuple(str(v) for v in image.instance.params.values())]
    return out


def _below(later: Entry, made: list[tuple[str, ...]]) -> bool:
    """Whether a later call's path names everything that says which one was created."""
    try:
        segments = parse(later.call.request.path).segments
    except ValueError:
        return False
    named = [i.instance.params.values() for i in (*later.before, *later.after)]
    for ids in made:
        if ids and all(i in segments or i == "/".join(segments) for i in ids):
            return True
        if ids and any(set(ids) <= {str(v) for v in values} for values in named):
            return True
        if len(ids) == 1 and _within(ids[0], ["/".join(segments), *_flat(named)]):
            return True
    return False


def _flat(named: Iterable[Iterable[object]]) -> list[str]:
    return [str(value) for values in named for value in values]


def _within(folder: str, paths: Iterable[str]) -> bool:
    """Whether one of these lies in a folder: where a call goes, or what it has an image of, as a
    MOVE has of its destination."""
    inside = folder.strip("/") + "/"
    return any(path.lstrip("/").startswith(inside) for path in paths)


type Touched = dict[str, tuple[Touch, ...]]


def _touched(entry: Entry) -> Touched:
    """What an undo of the entry would write, by the resource's key."""
    if entry.inverse is None:
        return {}
    images: dict[str, Image] = {i.instance.use: i for i in (*entry.before, *entry.after)}
    out: Touched = {}
    for touch in entry.inverse.touches:
        image = images.get(touch.use)
        if image is not None:
            key = image.instance.key(entry.opened.service)
            out[key] = (*out.get(key, ()), touch)
    return out


def _overlaps(one: Touched, other: Touched) -> bool:
    return any(
        _overlap(mine, theirs)
        for key in one.keys() & other.keys()
        for mine in one[key]
        for theirs in other[key]
    )


def _overlap(one: Touch, other: Touch) -> bool:
    if one.added or one.removed or other.added or other.removed:
        mine = {str(m) for m in (*one.added, *one.removed)}
        return bool(mine & {str(m) for m in (*other.added, *other.removed)})
    if one.fields is None or other.fields is None:
        return True
    return bool(set(one.fields) & set(other.fields))

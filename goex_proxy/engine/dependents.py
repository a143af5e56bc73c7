"""Which later calls hang on an earlier one: they would have to be undone first.

By data flow, not by time: a later call on what the earlier one created (its path begins
with the created one's), or one that wrote the same fields of the same resource.
"""

from urllib.parse import quote

from goex_proxy.core.entry import Entry
from goex_proxy.core.image import Image, Touch
from goex_proxy.core.journal import State
from goex_proxy.core.path import parse
from goex_proxy.core.value import ABSENT
from goex_proxy.engine.ledger import Ledger
from goex_proxy.stores.rows import Filters

UNDOABLE = (State.APPLIED, State.PARTIAL, State.CONFLICT, State.STUCK)


def dependents(ledger: Ledger, entry: Entry, states: tuple[State, ...] = UNDOABLE) -> list[Entry]:
    """The entries in these states that hang on this one, newest first."""
    out: list[Entry] = []
    filters = Filters(
        service=entry.opened.service or None,
        host=entry.call.request.origin.authority,
        states=tuple(state.value for state in states),
        after=entry.id,
    )
    made = _made(entry)
    touched = _touched(entry)
    # By their lines first: reading an entry costs a hundred times what its line does.
    named = [[(i, quote(i, safe="/")) for i in ids] for ids in made if ids]
    for row in ledger.journal.later(filters, resources=touched, named=named):
        later = ledger.load(row.id)
        if later is None or later.call.is_undo or later.inverse is None:
            continue
        if _below(later, made) or _overlaps(touched, _touched(later)):
            out.append(later)
    out.reverse()
    return out


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
    return False


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

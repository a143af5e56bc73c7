"""The three-way check: may an undo write, has it been done already, or has somebody else
been here since?

For every part that an inverse touches there is what it was before (or should become), what
the call left, and what it is now:

    before = after      the call changed nothing: nothing to do
    now = goal          already as it should be
    now = left          ours to undo
    anything else       conflict: nothing is sent

Only the touched fields are compared, so that a person's edit of another field neither
stops an undo nor is lost by it. Sets never conflict: their undo is the difference. (Seata's
AT mode has the same table for whole rows; SQLite's changesets compare fields.)
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from goex_proxy.core.event import Difference
from goex_proxy.core.expression import ExpressionError, Language
from goex_proxy.core.image import Goal, Image, Touch
from goex_proxy.core.resource import Form, Resource
from goex_proxy.core.value import ABSENT, contains, minus, same, without


class Standing(StrEnum):
    """How one touched part, or all of them, stand."""

    TODO = "todo"
    ALREADY = "already"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    standing: Standing
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The images of one touched resource; None: that one was not taken."""

    resource: Resource
    language: Language
    before: Image | None = None
    left: Image | None = None
    now: Image | None = None


def check(touches: Iterable[Touch], seen: Mapping[str, Seen]) -> Check:
    """The standing of a whole inverse: one conflict is a conflict, else one TODO is."""
    differences: list[Difference] = []
    todo, any_touch = False, False
    for touch in touches:
        any_touch = True
        found = _check(touch, seen[touch.use])
        differences += found.differences
        todo = todo or found.standing is Standing.TODO
    if not any_touch:
        differences.append(Difference(use="", field="", why="cannot be checked: nothing was read"))
    if differences:
        return Check(standing=Standing.CONFLICT, differences=tuple(differences))
    return Check(standing=Standing.TODO if todo else Standing.ALREADY)


def achieved(touches: Iterable[Touch], seen: Mapping[str, Seen]) -> tuple[Difference, ...]:
    """What is not as the undo wants it, read back. Of what touches nothing none can say it is."""
    touches = tuple(touches)
    if not touches:
        return (Difference(use="", field="", why="cannot be read back: nothing tells of it"),)
    out: list[Difference] = []
    for touch in touches:
        images = seen[touch.use]
        if touch.form is Form.SET:
            gone = _set_is_gone(images)
            out += [_is_gone(touch)] if gone else _set_differences(touch, images)
        elif touch.fields is None:
            if not _whole_goal(touch, images):
                out.append(Difference(use=touch.use, field="", why="is not as it was before"))
        else:
            now = shape(images, images.now, touch.fields)
            goal = _goal(touch, images)
            out += [
                Difference(use=touch.use, field=name, why="is not as it was before")
                for name in touch.fields
                if not _alike(now, goal, name)
            ]
    return tuple(out)


def traces(touches: Iterable[Touch], seen: Mapping[str, Seen]) -> tuple[str, ...]:
    """Fields that the call changed beside those it wrote, and that still read as it left them."""
    out: list[str] = []
    for touch in touches:
        images = seen[touch.use]
        values = [_readable(images, i) for i in (images.before, images.left, images.now)]
        if touch.goal is not Goal.BEFORE or touch.fields is None or None in values:
            continue
        before, left, now = (value or {} for value in values)
        for name in {**before, **left}:
            changed = not _alike(before, left, name) and not _alike(before, now, name)
            if changed and name not in touch.fields and _alike(left, now, name):
                out.append(name)
    return tuple(out)


def _readable(images: Seen, image: Image | None) -> dict[str, object] | None:
    value = without(image.value, images.resource.volatile) if image is not None else None
    return value if isinstance(value, dict) else None


def member_open(images: Seen, member: object, restores: bool) -> bool:
    """Whether one member still has to be taken out of a set, or put back."""
    present = contains(_members(images.now), member)
    return not present if restores else present


def shape(seen: Seen, image: Image | None, fields: Iterable[str]) -> dict[str, object]:
    """These fields as they are written (`write_as`), absent ones left out.

    Raises `ExpressionError`.
    """
    value = image.value if image is not None else ABSENT
    if not isinstance(value, dict):
        return {}
    out: dict[str, object] = {}
    for name in fields:
        if name not in value:
            continue
        mapped = seen.resource.write_as.get(name)
        scope = seen.language.scope({"it": value[name]}) if mapped else None
        out[name] = mapped.evaluate(scope) if mapped and scope is not None else value[name]
    return out


def _check(touch: Touch, seen: Seen) -> Check:
    if seen.now is None:
        return _conflict(touch, "", "cannot be read")
    if touch.form is Form.SET:
        if _set_is_gone(seen):
            return Check(standing=Standing.CONFLICT, differences=(_is_gone(touch),))
        todo = bool(_set_differences(touch, seen))
        return Check(standing=Standing.TODO if todo else Standing.ALREADY)
    if touch.fields is None:
        return _check_whole(touch, seen)
    try:
        return _check_fields(touch, touch.fields, seen)
    except ExpressionError as error:
        return _conflict(touch, "", f"cannot be compared: {error}")


def _check_whole(touch: Touch, seen: Seen) -> Check:
    if _whole_goal(touch, seen):
        return Check(standing=Standing.ALREADY)
    if seen.left is None:
        return _conflict(touch, "", "was not read after the call, so a change since cannot be told")
    if _same_image(seen, seen.now, seen.left):
        return Check(standing=Standing.TODO)
    return Check(standing=Standing.CONFLICT, differences=_changed(touch, seen))


def _check_fields(touch: Touch, fields: tuple[str, ...], seen: Seen) -> Check:
    if seen.now is not None and seen.now.value is ABSENT:
        return _conflict(touch, "", "is gone")
    goal, now = _goal(touch, seen), shape(seen, seen.now, fields)
    left = shape(seen, seen.left, fields) if seen.left is not None else None
    todo = False
    differences = []
    for name in fields:
        if _alike(now, goal, name):
            continue
        if left is None:
            why = "was not read after the call, so a change since cannot be told"
            differences.append(Difference(use=touch.use, field=name, why=why))
        elif _alike(now, left, name):
            todo = True
        else:
            why = "was changed by somebody else since"
            differences.append(Difference(use=touch.use, field=name, why=why))
    if differences:
        return Check(standing=Standing.CONFLICT, differences=tuple(differences))
    return Check(standing=Standing.TODO if todo else Standing.ALREADY)


def _alike(one: Mapping[str, object], other: Mapping[str, object], name: str) -> bool:
    """Whether a field is the same. One that is not there is null: so is it written back."""
    return same(one.get(name), other.get(name))


def _set_is_gone(seen: Seen) -> bool:
    """Whether what the set belonged to is not there any more: that undoes nothing."""
    was = seen.left or seen.before
    now = seen.now
    return now is not None and now.value is ABSENT and was is not None and was.value is not ABSENT


def _is_gone(touch: Touch) -> Difference:
    return Difference(use=touch.use, field="", why="is gone")


def _goal(touch: Touch, seen: Seen) -> Mapping[str, object]:
    if touch.goal is Goal.VALUES:
        return touch.values
    return shape(seen, seen.before, touch.fields or ())


def _whole_goal(touch: Touch, seen: Seen) -> bool:
    """Whether the resource, as a whole, is as the undo wants it."""
    if seen.now is None:
        return False
    if touch.goal is Goal.GONE:
        return seen.now.value is ABSENT
    return seen.before is not None and _same_image(seen, seen.now, seen.before)


def _same_image(seen: Seen, one: Image | None, other: Image | None) -> bool:
    if one is None or other is None:
        return False
    if one.value is ABSENT or other.value is ABSENT:
        return one.value is other.value
    names = seen.resource.volatile
    return same(without(one.value, names), without(other.value, names))


def _changed(touch: Touch, seen: Seen) -> tuple[Difference, ...]:
    """Which fields of the whole differ from what the call left, to say so."""
    now = seen.now.value if seen.now else ABSENT
    left = seen.left.value if seen.left else ABSENT
    if now is ABSENT:
        return (Difference(use=touch.use, field="", why="is gone"),)
    if not isinstance(now, dict) or not isinstance(left, dict):
        return (Difference(use=touch.use, field="", why="was changed by somebody else since"),)
    volatile = seen.resource.volatile
    names = [
        n
        for n in {**left, **now}
        if n not in volatile
        and not same(without(now.get(n, ABSENT), volatile), without(left.get(n, ABSENT), volatile))
    ]
    why = "was changed by somebody else since"
    return tuple(
        Difference(use=touch.use, field=n, why=why + _counted(left.get(n), now.get(n)))
        for n in names
    )


def _counted(left: object, now: object) -> str:
    """Of a list, how much of it is another: its values stay in the images."""
    if not isinstance(left, list) or not isinstance(now, list):
        return ""
    return f" ({len(minus(now, left))} more, {len(minus(left, now))} gone)"


def _set_differences(touch: Touch, seen: Seen) -> list[Difference]:
    now = _members(seen.now)
    still = [m for m in touch.added if contains(now, m)]
    gone = [m for m in touch.removed if not contains(now, m)]
    return [Difference(use=touch.use, field=str(m), why="is still there") for m in still] + [
        Difference(use=touch.use, field=str(m), why="is not there again") for m in gone
    ]


def _members(image: Image | None) -> list[object]:
    value = image.value if image is not None else None
    return value if isinstance(value, list) else []


def _conflict(touch: Touch, name: str, why: str) -> Check:
    difference = Difference(use=touch.use, field=name, why=why)
    return Check(standing=Standing.CONFLICT, differences=(difference,))

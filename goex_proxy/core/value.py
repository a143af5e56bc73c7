"""JSON-like values and how they compare.

Numbers keep their text (`core.exact`); two numbers are equal if their values are.
"""

from collections.abc import Hashable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from goex_proxy.core.exact import Number

type Json = bool | int | float | str | list["Json"] | dict[str, "Json"] | None


def changed[T](value: T, **fields: object) -> T:
    """A copy of a frozen dataclass without slots, some fields changed: `dataclasses.replace`
    without its price. For classes without a `__post_init__` or cached properties. Raises
    AttributeError for an unknown field."""
    kind: Any = type(value)
    copy: T = object.__new__(kind)
    mine = copy.__dict__
    mine.update(value.__dict__)
    mine.update(fields)
    if len(mine) != len(kind.__dataclass_fields__):
        raise AttributeError(f"{kind.__name__} has no {', '.join(fields)}")
    return copy


class Absent:
    """There is no such thing: not the same as null."""

    _only: "Absent | None" = None

    def __new__(cls) -> "Absent":
        if cls._only is None:
            cls._only = super().__new__(cls)
        return cls._only

    def __repr__(self) -> str:
        return "absent"

    def __bool__(self) -> bool:
        return False


ABSENT = Absent()


def same(left: object, right: object) -> bool:
    """Whether two values are the same; true and 1 are not, 1 and 1.0 are."""
    if isinstance(left, bool) or isinstance(right, bool):
        return isinstance(left, bool) and isinstance(right, bool) and left == right
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(same(left[k], right[k]) for k in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, Number) or isinstance(right, Number):
        return _same_number(left, right)
    return left == right


def _same_number(left: object, right: object) -> bool:
    """By value, not by float: 9007199254740993.0 is not 9007199254740992."""
    if not isinstance(left, int | float) or not isinstance(right, int | float):
        return False
    try:
        return Decimal(str(left)) == Decimal(str(right))
    except InvalidOperation:  # an exponent that no arithmetic reaches
        return str(left) == str(right)


def without(value: object, names: frozenset[str]) -> object:
    """The value without these fields, at any depth: volatile ones."""
    if isinstance(value, dict):
        return {k: without(v, names) for k, v in value.items() if k not in names}
    if isinstance(value, list):
        return [without(item, names) for item in value]
    return value


def dotted(value: object, name: str) -> object:
    """`a.b.c` of nested maps; ABSENT where a part is missing."""
    for part in name.split(".") if name else ():
        if not isinstance(value, Mapping) or part not in value:
            return ABSENT
        value = value[part]
    return value


def contains(items: Iterable[object], wanted: object) -> bool:
    return any(same(item, wanted) for item in items)


def minus(left: Iterable[object], right: Iterable[object]) -> list[object]:
    """What is in `left` and not in `right`, in order, each once."""
    known = {_key(item) for item in right}
    out: list[object] = []
    for item in left:
        key = _key(item)
        if key not in known:
            known.add(key)
            out.append(item)
    return out


def common(left: Iterable[object], right: Iterable[object]) -> list[object]:
    known = {_key(item) for item in right}
    return [item for item in left if _key(item) in known]


def _key(value: object) -> Hashable:
    """Equal for two values exactly if they are the `same`: a channel has ten thousand members."""
    match value:
        case str() | bytes():
            return value
        case bool() | None | Absent():
            return bool, value
        case Mapping():
            return dict, frozenset((name, _key(item)) for name, item in value.items())
        case list():
            return list, tuple(map(_key, value))
        case int():
            return float, Decimal(value)
        case float():
            return float, _decimal(str(value))
        case _:
            return type(value), value


def _decimal(text: str) -> Decimal | str:
    try:
        return Decimal(text)
    except InvalidOperation:
        return text

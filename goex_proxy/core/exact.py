"""JSON whose numbers survive (RFC 8259): read, kept and written back without passing floats.

A before-image that is written back must say `1.50` where the service said `1.50`, and an id
beyond 2^53 must stay that id. `Number` is a float for those who calculate and its own text for
those who copy. What two parsers may read differently (a key that stands twice, NaN) is refused.
"""

import json
import re
from collections.abc import Mapping
from math import isfinite
from typing import Self

MAX_DEPTH = 64
"""Nesting that is read; deeper is nobody's data and some parser's crash."""

_MAX_DIGITS = 4096
"""Digits of a whole number: more is an attack on the quadratic conversion, not an id."""


class NotJson(ValueError):
    """The bytes are not JSON that everybody reads alike."""


class DuplicateKey(NotJson):
    """A key stands twice in one object: two parsers would see two requests."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the key {key!r} stands twice")
        self.key = key


class TooMany(NotJson):
    """More values than were asked for: small bytes (`[],[],`) that become gigabytes of objects."""

    def __init__(self, most: int) -> None:
        super().__init__(f"more than {most} values")


class Number(float):
    """A JSON number with a fraction or an exponent, and the text it was written as."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Self:
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __repr__(self) -> str:
        return self.text

    __str__ = __repr__

    def __reduce__(self) -> tuple[type[Self], tuple[str]]:
        return type(self), (self.text,)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _: object) -> Self:
        return self


def loads(data: bytes | str, most: int | None = None) -> object:
    """The value of one JSON text in UTF-8; a BOM before it is passed over (RFC 8259, 8.1).

    Raises `TooMany` before anything is made of a text with more than `most` values in it (each
    list or map is one, and what stands in it), `DuplicateKey`, or `NotJson` for anything that is
    not JSON, is nested deeper than `MAX_DEPTH` or holds NaN or Infinity. Whole numbers are int,
    others `Number`.
    """
    try:
        text = data if isinstance(data, str) else data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotJson(f"not UTF-8 at byte {error.start}") from None
    _check_shape(text, most)
    try:
        return _DECODER.decode(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        raise NotJson(f"{error.msg} at {error.lineno}:{error.colno}") from None


def dumps(value: object) -> bytes:
    """JSON in UTF-8: compact, keys in their order, numbers by their text.

    What `loads` returned comes back byte for byte, but for white space and the choice of
    escapes in strings. Raises TypeError on a value that JSON has no word for, ValueError on
    NaN, Infinity and nesting beyond `MAX_DEPTH`.
    """
    return _write(value, 0).encode()


def _check_shape(text: str, most: int | None) -> None:
    opened = text.count("[") + text.count("{")
    marked = opened + text.count(",")
    crowded = most is not None and marked >= most
    if opened <= MAX_DEPTH and not crowded:
        return
    # A value has a key and itself for strings, and two brackets: more marks are no JSON.
    bound = 4 * (most if crowded and most is not None else marked) + 4
    depth = values = 0
    for number, mark in enumerate((_CROWD if crowded else _MARKS).finditer(text)):
        first = text[mark.start()]
        if number > bound:
            raise NotJson("strings with nothing between them")
        if first in "[{,":
            depth += first != ","
            values += 1
            if depth > MAX_DEPTH:
                raise NotJson(f"nested deeper than {MAX_DEPTH}")
            if crowded and most is not None and values >= most:
                raise TooMany(most)
        elif first in "]}":
            depth -= 1


# A string counts as one mark, so that brackets in it do not; an unclosed one ends the scan, also
# where it ends in a backslash: nothing is tried twice, however many quotes stand in it.
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)'
_MARKS = re.compile(rf"{_STRING}|[\[\]{{}}]", re.DOTALL)
_CROWD = re.compile(rf"{_STRING}|[\[\]{{}},]", re.DOTALL)


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise DuplicateKey(key)
            seen.add(key)
    return made


def _whole(text: str) -> int | Number:
    if len(text) > _MAX_DIGITS:
        raise NotJson(f"a number of more than {_MAX_DIGITS} digits")
    # JSON tells no difference between 0 and -0, but a copy must.
    return Number(text) if text == "-0" else int(text)


def _fraction(text: str) -> Number:
    if len(text) > _MAX_DIGITS:
        raise NotJson(f"a number of more than {_MAX_DIGITS} digits")
    return Number(text)


def _refuse_constant(text: str) -> object:
    raise NotJson(f"{text} is not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs,
    parse_int=_whole,
    parse_float=_fraction,
    parse_constant=_refuse_constant,
)
_quote = json.JSONEncoder(ensure_ascii=False).encode
_quote_ascii = json.JSONEncoder(ensure_ascii=True).encode


def _write(value: object, depth: int) -> str:
    if depth > MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH}")
    if isinstance(value, Mapping):
        items = (f"{_key(key)}:{_write(item, depth + 1)}" for key, item in value.items())
        return "{" + ",".join(items) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join([_write(item, depth + 1) for item in value]) + "]"
    return _leaf(value)


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a JSON key is text, not {type(key).__name__}")
    return _text(key)


def _leaf(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return _text(value)
        case int():
            return str(int(value))
        case Number():
            return value.text
        case float():
            if not isfinite(value):
                raise ValueError(f"{value} is not JSON")
            return float.__repr__(value)
        case _:
            raise TypeError(f"JSON has no word for {type(value).__name__}")


def _text(value: str) -> str:
    """Quoted. A lone surrogate cannot be UTF-8 and is written as the escape it came from."""
    quoted = _quote(str.__str__(value))
    return quoted if quoted.isascii() or _encodes(quoted) else _quote_ascii(str.__str__(value))


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

"""`application/x-www-form-urlencoded` bodies and queries (WHATWG URL, 5), read strictly.

A `%` that encodes nothing and bytes that are not UTF-8 are errors here, not left as they are:
the service behind may read them otherwise than we do. So are names that PHP reads as others: with
NUL or a blank before them, and `a[b]` beside `a`. What no error tells: that PHP makes `_` of dots
and blanks in a name, and that old readers take `;` for `&`.
"""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote_plus, unquote_to_bytes

from goex_proxy.core.decoded import Decoded
from goex_proxy.wire.outcome import invalid, parsed, too_large

MAX_FIELDS = 4096

type Pairs = list[tuple[str, str]]

_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def decode(data: bytes) -> Decoded:
    """Fields by name: text, or of a repeated name the list of its texts."""
    if data.count(b"&") >= MAX_FIELDS:
        return too_large(f"a form of more than {MAX_FIELDS} fields")
    try:
        return parsed(fields(pairs(data)))
    except ValueError as error:
        return invalid(f"not a form: {error}")


def encode(args: Mapping[str, object]) -> bytes:
    """A form with these fields; a list gives its name once per item.

    Raises ValueError for a value that is neither text, number, truth value nor a list of these.
    """
    items: list[str] = []
    for name, value in args.items():
        for item in value if isinstance(value, list) else [value]:
            items.append(f"{quote_plus(name)}={quote_plus(_text(name, item))}")
    return "&".join(items).encode("ascii")


def pairs(data: bytes) -> Pairs:
    """Names and values in order. Raises ValueError."""
    found: Pairs = []
    for piece in data.split(b"&"):
        if piece:
            name, _, value = piece.partition(b"=")
            found.append((checked(_unquote(name)), _unquote(value)))
    return found


def checked(name: str) -> str:
    """A field's name. Raises ValueError for one that PHP reads as another: it ends at a NUL, and
    begins behind blanks."""
    if "\0" in name or name[:1].isspace():
        raise ValueError("a field's name with a NUL, or a blank before it")
    return name


def merged(fields: Iterable[tuple[str, object]]) -> dict[str, object]:
    """A repeated name's values become a list: no reader's choice of first or last is guessed."""
    many: dict[str, list[object]] = {}
    for name, value in fields:
        many.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in many.items()}


def fields(given: Iterable[tuple[str, object]]) -> dict[str, object]:
    """The same of a form. Raises ValueError for `a[b]` beside `a`: where brackets make lists and
    maps, one of them takes the other's place."""
    made = merged(given)
    for name in made:
        head, bracket, _ = name.partition("[")
        if bracket and head in made:
            raise ValueError(f"the field {head[:80]!r} stands beside {name[:80]!r}")
    return made


def _unquote(raw: bytes) -> str:
    if _BAD_ESCAPE.search(raw):
        raise ValueError("a % that encodes nothing")
    try:
        return unquote_to_bytes(raw.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("percent-encoded bytes that are not UTF-8") from None


def _text(name: str, value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str() | int() | float():
            return str(value)
        case _:
            raise ValueError(f"the form field {name!r} cannot hold {type(value).__name__}")

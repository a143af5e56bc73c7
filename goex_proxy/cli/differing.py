"""What differs between two states of a resource, in lines for a person who was not there.

Fields that a service keeps for itself (links, node ids, the time of the last change) are named
and not shown, objects in fields stand as their name, texts are compared line by line, and what
is base64 is decoded. `--json` has everything as it is.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping
from difflib import unified_diff

from goex_proxy.cli.render import lines as printable
from goex_proxy.cli.render import plain
from goex_proxy.core import exact
from goex_proxy.core.value import ABSENT, same

type Line = tuple[str, str]
"""`-`, `+` or a blank, and the text."""

_KEPT_BY_SERVICES = frozenset(
    ("url", "_links", "node_id", "gravatar_id", "updated_at", "last_set", "reactions", "edited")
)
_NAMES = ("login", "name", "title", "value", "id")
_CONTENTS = ("content", "data")
_SHORT = 72
_LARGE = 2_000
_MOST = 120


def differing(old: object, new: object) -> Iterator[Line]:
    """The lines; none if nothing differs. ABSENT: the resource is not there."""
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _fields(old, new)
    elif isinstance(new, dict) and old is ABSENT:
        yield from (("+", line) for line in _whole(new))
    elif isinstance(old, dict) and new is ABSENT:
        yield from (("-", line) for line in _whole(old))
    elif not same(old, new):
        yield from _block(_decoded("", old, {}), _decoded("", new, {}))


def shown(value: object) -> Iterator[str]:
    """A state of a resource, by itself."""
    if isinstance(value, dict):
        yield from _whole(value)
    elif value is not ABSENT:
        yield from _lines(_decoded("", value, {}))[:_MOST]


def _fields(old: Mapping[str, object], new: Mapping[str, object]) -> Iterator[Line]:
    quiet = []
    for name in {**old, **new}:
        one, other = old.get(name, ABSENT), new.get(name, ABSENT)
        if same(one, other):
            continue
        if _is_kept(name) or _brief(one) == _brief(other):
            quiet.append(plain(name))
            continue
        yield from _field(plain(name), _decoded(name, one, old), _decoded(name, other, new))
    if quiet:
        yield " ", f"(and what the service keeps itself: {', '.join(quiet)})"


def _field(name: str, old: object, new: object) -> Iterator[Line]:
    one, other = _brief(old), _brief(new)
    short = len(one) + len(other) <= _SHORT and "\n" not in one + other
    if short:
        yield " ", f"{name}: {plain(one)} -> {plain(other)}"
        return
    yield " ", f"{name}:"
    for sign, line in _block(old, new):
        yield sign, f"  {line}"


def _block(old: object, new: object) -> Iterator[Line]:
    one, other = _lines(old), _lines(new)
    if max(len(one), len(other)) > _LARGE:
        yield "-", f"({len(one)} lines)"
        yield "+", f"({len(other)} lines; --json has both)"
        return
    told = list(unified_diff(one, other, lineterm="", n=2))[2:]
    for line in told[:_MOST]:
        if not line.startswith("@@"):
            yield line[0], line[1:]
        elif line is not told[0]:
            yield " ", "…"
    if len(told) > _MOST:
        yield " ", f"… ({len(told) - _MOST} lines more; --json has them)"


def _whole(value: Mapping[str, object]) -> Iterator[str]:
    """An object that came or went: what says something."""
    for name, each in value.items():
        if _is_kept(name) or each in (None, "", False) or _brief(each) in ("0", "(none)", "{}"):
            continue
        text = _brief(_decoded(name, each, value))
        if len(text) <= _SHORT and "\n" not in text:
            yield f"{plain(name)}: {plain(text)}"
            continue
        yield f"{plain(name)}:"
        yield from (f"  {line}" for line in printable(text).split("\n")[:_MOST])


def _is_kept(name: str) -> bool:
    return name in _KEPT_BY_SERVICES or name.endswith("_url")


def _decoded(name: str, value: object, beside: Mapping[str, object]) -> object:
    """Text, if a body, or a field that is said to be base64, is text."""
    if isinstance(value, str) and name in _CONTENTS and beside.get("encoding") == "base64":
        try:
            value = base64.b64decode(value)
        except binascii.Error:
            return value
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        return f"({len(value)} bytes, not text; --json has them)"


def _lines(value: object) -> list[str]:
    """A text by its lines, a list by its members."""
    if value is ABSENT:
        return []
    parts = map(_brief, value) if isinstance(value, list) else _brief(value).splitlines()
    return [plain(part.expandtabs(4)) for part in parts]


def _brief(value: object) -> str:
    if value is ABSENT:
        return "(absent)"
    if isinstance(value, str):
        return value or '""'
    if isinstance(value, list):
        return ", ".join(map(_brief, value)) or "(none)"
    if isinstance(value, dict):
        named = next((value[n] for n in _NAMES if isinstance(value.get(n), (str, int))), None)
        if named is not None:
            return str(named)
        value = {k: v for k, v in value.items() if not _is_kept(k)}
    return exact.dumps(value).decode()

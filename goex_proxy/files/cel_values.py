"""Values on their way into CEL and back.

The engine (cel-expr-python 0.1.3) cuts text at NUL, throws on lone surrogates, crashes the
process on deep nesting, and takes only exact types. Nothing reaches it unconverted.

Two ways in. *Plain*, for policies: what the engine cannot hold becomes what comes nearest.
*Sealed*, for reversers: a leaf that would not come back unchanged travels as a handle (U+FDD0,
a number, U+FDD1) and is put back in the result, byte for byte.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field

from goex_proxy.core.exact import MAX_DEPTH, Number

OPEN, CLOSE = "\ufdd0", "\ufdd1"
_INT_MIN, _INT_MAX, _UINT_MAX = -(2**63), 2**63 - 1, 2**64 - 1


class Unfit(ValueError):
    """A value that CEL cannot be given: too deep, or of a type that it does not know."""


def plain(value: object, depth: int = 0) -> object:
    """A value as CEL takes it. Raises `Unfit`."""
    kind = type(value)
    if kind is str:
        return _text(value)  # type: ignore[arg-type]  # kind says that it is
    if kind is bool or value is None:
        return value
    if kind is dict or isinstance(value, Mapping):
        return _map(value, depth)  # type: ignore[arg-type]  # either way a mapping
    if kind is list or isinstance(value, list | tuple):
        _check(depth)
        return [plain(item, depth + 1) for item in value]  # type: ignore[attr-defined]
    return _leaf(value)


def _check(depth: int) -> None:
    if depth >= MAX_DEPTH:
        raise Unfit(f"nested deeper than {MAX_DEPTH}")


def _map(value: Mapping[object, object], depth: int) -> dict[str, object]:
    _check(depth)
    made = {_key(key): plain(item, depth + 1) for key, item in value.items()}
    if len(made) != len(value):
        raise Unfit("two keys differ only in characters that CEL cannot hold")
    return made


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise Unfit(f"a key is text, not {type(key).__name__}")
    return _text(key)


def _text(value: str) -> str:
    """NUL would end the text and a lone surrogate the evaluation: both become U+FFFD."""
    exact = value if type(value) is str else str.__str__(value)
    if "\0" in exact:
        exact = exact.replace("\0", "\ufffd")
    if exact.isascii() or not _surrogate(exact):
        return exact
    return exact.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _leaf(value: object) -> object:
    match value:
        case str():
            return _text(value)
        case int():
            return _whole(int(value))
        case float():
            return float(value)
        case bytes():
            return value.replace(b"\0", b"\xef\xbf\xbd")
        case datetime.datetime():
            if value.tzinfo is None:
                raise Unfit("a time without its zone")
            return value.astimezone(datetime.UTC)
        case datetime.timedelta():
            return value
        case _:
            raise Unfit(f"CEL has no {type(value).__name__}")


def _whole(value: int) -> int | float:
    """Up to 2^64 exact (as uint); beyond that its size, which is what a limit asks for."""
    if _INT_MIN <= value <= _UINT_MAX:
        return value
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


@dataclass(slots=True)
class Sealed:
    """The handles of one scope."""

    _leaves: list[object] = field(default_factory=list)
    _known: dict[tuple[type, object], str] = field(default_factory=dict)
    _orders: dict[frozenset[str], tuple[str, ...]] = field(default_factory=dict)

    def seal(self, value: object, depth: int = 0) -> object:
        """The value with a handle for every leaf that CEL would change. Raises `Unfit`."""
        match value:
            case None | bool():
                return value
            case Mapping():
                _check(depth)
                made = {self._name(k): self.seal(v, depth + 1) for k, v in value.items()}
                self._orders.setdefault(frozenset(made), tuple(made))
                return made
            case list() | tuple():
                _check(depth)
                return [self.seal(item, depth + 1) for item in value]
            case _ if _survives(value):
                return plain(value)
            case str() | int() | float() | bytes():
                return self._handle(value)
            case _:
                return plain(value)

    def _name(self, key: object) -> str:
        if not isinstance(key, str):
            raise Unfit(f"a key is text, not {type(key).__name__}")
        return str.__str__(key) if _survives(key) else self._handle(key)

    def _handle(self, leaf: object) -> str:
        """Equal leaves have equal handles, so that == in CEL still says so."""
        text = leaf.text if isinstance(leaf, Number) else leaf
        known = self._known.get((type(leaf), text))
        if known is None:
            known = f"{OPEN}{len(self._leaves)}{CLOSE}"
            self._leaves.append(leaf)
            self._known[type(leaf), text] = known
        return known

    def unseal(self, value: object) -> object:
        """The value with every handle put back, also within text, keys of maps in order."""
        if isinstance(value, str):
            return self._text(value) if OPEN in value else value
        if isinstance(value, list):
            return [self.unseal(item) for item in value]
        if isinstance(value, dict):
            order = self._orders.get(frozenset(value), value)
            return {self._text(key): self.unseal(value[key]) for key in order}
        return value

    def _text(self, text: str) -> object:
        """Each handle stands for its leaf; alone it is the leaf, within text the leaf's text."""
        if OPEN not in text:
            return text
        if text.startswith(OPEN) and text.find(CLOSE) == len(text) - 1:
            return self._leaf(text[1:-1])
        first, *rest = text.split(OPEN)
        out = [first]
        for part in rest:
            number, closed, tail = part.partition(CLOSE)
            leaf = self._leaf(number if closed else "")
            if isinstance(leaf, bytes):
                raise Unfit("bytes cannot stand inside a text")
            out.append(f"{leaf}{tail}")
        return "".join(out)

    def _leaf(self, number: str) -> object:
        if not number.isdecimal() or int(number) >= len(self._leaves):
            raise Unfit("a value was cut apart that can only be copied whole")
        return self._leaves[int(number)]


def _survives(value: object) -> bool:
    """Whether CEL gives a leaf back as it was."""
    match value:
        case str():
            text = str.__str__(value)
            if text.isascii():
                return "\0" not in text
            marks = "\0" in text or OPEN in text or CLOSE in text
            return not marks and not _surrogate(text)
        case int():
            return _INT_MIN <= value <= _INT_MAX
        case Number():
            return value.text == repr(float(value))
        case float():
            return True
        case _:
            return False

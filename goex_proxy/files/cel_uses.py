"""What a checked expression reads: its names, and of maps the top-level fields.

The engine gives its checked tree away only as the bytes of `cel.expr.CheckedExpr`
(google/api/expr, checked.proto and syntax.proto). What is needed of it takes a few lines of
varint reading and no protobuf library. With it, a rule that reads `args.channel` converts one
field of a body of 100 KiB and not all of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

type Message = dict[int, list[int | bytes]]

_SELECTS = frozenset(("_?._", "_[_]", "_[?_]"))
_REGEX = frozenset(("rx", "matches"))
_TAKE_OPTIONALS = frozenset(
    (
        *("_?._", "_[?_]", "_==_", "_!=_", "or", "orValue", "hasValue", "value"),
        *("optional.of", "optional.ofNonZeroValue", "optional.unwrap", "unwrapOpt"),
    )
)


@dataclass(slots=True)
class Uses:
    fields: dict[str, frozenset[str] | None] = field(default_factory=dict)
    """Of each name the fields that are read; None: the value as a whole."""
    patterns: list[tuple[str, int]] = field(default_factory=list)
    """Regular expressions that stand in the source, with their offset."""
    functions: set[str] = field(default_factory=set)
    """Every function and operator that is called, by the engine's names."""
    two_variables: bool = False
    """Whether a comprehension with two variables is among it."""
    optional_inside: int | None = None
    """Offset of a list or map that holds an optional: the engine crashes on taking it out."""


def uses(serialized: bytes, declared: frozenset[str]) -> Uses:
    """Read the checked tree of an expression. Raises ValueError if it cannot be read."""
    checked = _message(_bytes(_message(serialized), 2))
    walker = _Walker(checked, declared)
    walker.expression(_message(_bytes(checked, 4)))
    return walker.found


class _Walker:
    def __init__(self, checked: Message, declared: frozenset[str]) -> None:
        self.found = Uses()
        self._declared = declared
        self._names: dict[int, str] = {}
        for entry in map(_message, _all(checked, 2)):
            reference = _message(_bytes(entry, 2))
            self._names[_int(entry, 1)] = _bytes(reference, 1).decode()
        info = _message(_bytes(checked, 5))
        self._offsets = {_int(e, 1): _int(e, 2) for e in map(_message, _all(info, 4))}
        self._types = {_int(e, 1): _message(_bytes(e, 2)) for e in map(_message, _all(checked, 3))}

    def expression(self, node: Message) -> None:
        for child in _swallowed(node, self._optional(node)):
            if self._optional(child):
                self.found.optional_inside = self._offsets.get(_int(child, 2), 0)
        if 6 in node:
            self.found.functions.add(_bytes(_message(_bytes(node, 6)), 2).decode())
        if 9 in node and 8 in _message(_bytes(node, 9)):
            self.found.two_variables = True
        name = self._variable(node)
        if name is not None:
            self.found.fields[name] = None
        elif not self._field_of(node):
            self._pattern(node)
            for child in _children(node):
                self.expression(child)

    def _variable(self, node: Message) -> str | None:
        """The declared name that a node is, `credential.name` too."""
        if 4 in node or 5 in node:
            name = self._names.get(_int(node, 2), "")
            return name if name in self._declared else None
        return None

    def _optional(self, node: Message) -> bool:
        kind = self._types.get(_int(node, 2), {})
        return 14 in kind and _bytes(_message(_bytes(kind, 14)), 1) == b"optional_type"

    def _field_of(self, node: Message) -> bool:
        """Whether the node takes one constant field of a name; it is noted then."""
        if 5 in node:
            select = _message(_bytes(node, 5))
            return self._note(_message(_bytes(select, 1)), _bytes(select, 2).decode())
        if 6 not in node:
            return False
        call = _message(_bytes(node, 6))
        args = [_message(arg) for arg in _all(call, 3)]
        function = _bytes(call, 2).decode()
        if len(args) != 2:
            return False
        if function in _SELECTS and (text := _constant(args[1])) is not None:
            return self._note(args[0], text)
        if function == "@in" and (text := _constant(args[0])) is not None:
            return self._note(args[1], text)
        return False

    def _note(self, operand: Message, text: str) -> bool:
        name = self._variable(operand)
        if name is None:
            return False
        known = self.found.fields.get(name, frozenset())
        self.found.fields[name] = None if known is None else known | {text}
        return True

    def _pattern(self, node: Message) -> None:
        if 6 not in node:
            return
        call = _message(_bytes(node, 6))
        args = [_message(arg) for arg in _all(call, 3)]
        if args and _bytes(call, 2).decode() in _REGEX:
            text = _constant(args[-1])
            if text is not None:
                self.found.patterns.append((text, self._offsets.get(_int(args[-1], 2), 0)))


def _children(node: Message) -> Iterator[Message]:
    if 5 in node:
        yield _message(_bytes(_message(_bytes(node, 5)), 1))
    if 6 in node:
        call = _message(_bytes(node, 6))
        yield from map(_message, (*_all(call, 1), *_all(call, 3)))
    if 7 in node:
        yield from map(_message, _all(_message(_bytes(node, 7)), 1))
    if 8 in node:
        for entry in map(_message, _all(_message(_bytes(node, 8)), 2)):
            yield from map(_message, (*_all(entry, 3), *_all(entry, 4)))
    if 9 in node:
        comprehension = _message(_bytes(node, 9))
        for number in (2, 4, 5, 6, 7):
            yield from map(_message, _all(comprehension, number))


def _constant(node: Message) -> str | None:
    """The text of a node that is a literal text."""
    if 3 not in node:
        return None
    constant = _message(_bytes(node, 3))
    return _bytes(constant, 6).decode() if 6 in constant else None


def _swallowed(node: Message, optional: bool) -> Iterator[Message]:
    """The children that become a part of a value, where an optional may not be."""
    if 6 in node:
        call = _message(_bytes(node, 6))
        function = _bytes(call, 2).decode()
        if function not in _TAKE_OPTIONALS and not (function == "_?_:_" and optional):
            yield from map(_message, (*_all(call, 1), *_all(call, 3)))
    if 7 in node:
        made = _message(_bytes(node, 7))
        dropped = _numbers(made, 2)
        for index, element in enumerate(_all(made, 1)):
            if index not in dropped:
                yield _message(element)
    if 8 in node:
        for entry in map(_message, _all(_message(_bytes(node, 8)), 2)):
            if not _int(entry, 5):
                yield from map(_message, _all(entry, 4))


def _message(data: bytes) -> Message:
    """The fields of a protobuf message by number: numbers and bytes."""
    fields: Message = {}
    index = 0
    while index < len(data):
        key, index = _varint(data, index)
        value: int | bytes
        match key & 7:
            case 0:
                value, index = _varint(data, index)
            case 1:
                value, index = data[index : index + 8], index + 8
            case 2:
                size, index = _varint(data, index)
                value, index = data[index : index + size], index + size
            case 5:
                value, index = data[index : index + 4], index + 4
            case _:
                raise ValueError("not a protobuf message")
        fields.setdefault(key >> 3, []).append(value)
    return fields


def _varint(data: bytes, index: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if index >= len(data) or shift > 63:
            raise ValueError("not a protobuf message")
        byte = data[index]
        value |= (byte & 0x7F) << shift
        index += 1
        if byte < 0x80:
            return value, index
        shift += 7


def _all(message: Message, number: int) -> list[bytes]:
    return [value for value in message.get(number, []) if isinstance(value, bytes)]


def _bytes(message: Message, number: int) -> bytes:
    return next(iter(_all(message, number)), b"")


def _numbers(message: Message, number: int) -> set[int]:
    """A repeated number, packed or not."""
    found: set[int] = set()
    for value in message.get(number, []):
        if isinstance(value, int):
            found.add(value)
            continue
        index = 0
        while index < len(value):
            one, index = _varint(value, index)
            found.add(one)
    return found


def _int(message: Message, number: int) -> int:
    return next((value for value in message.get(number, []) if isinstance(value, int)), 0)

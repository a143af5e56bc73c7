"""Values of a YAML file, each with its place; also the places of characters inside its text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from goex_proxy.files.issue import At

type Plain = bool | int | float | str | list["Plain"] | dict[str, "Plain"] | None
type Node = Scalar | Items | Fields


@dataclass(frozen=True, slots=True)
class Source:
    """A file's text, for places inside its scalars."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Scalar:
    """Text, a number, true, false or null."""

    value: bool | int | float | str | None
    text: str
    """The value as text, whatever it was read as: `403`, `on`."""
    at: At
    source: Source
    span: tuple[int, int]
    """Where it stands in the source, quotes and block mark included."""

    def plain(self) -> Plain:
        return self.value

    def inside(self, offset: int) -> At:
        """The place of one character of the text, also in quoted, folded and block text."""
        return place(self.source, _align(self, offset))


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple[Node, ...]
    at: At

    def plain(self) -> Plain:
        return [item.plain() for item in self.items]

    def __iter__(self) -> Iterator[Node]:
        return iter(self.items)


@dataclass(frozen=True, slots=True)
class Fields:
    """A map with text keys, in the order of the file."""

    entries: dict[str, tuple[Scalar, Node]]
    at: At

    def plain(self) -> Plain:
        return {name: node.plain() for name, (_, node) in self.entries.items()}

    def __contains__(self, name: str) -> bool:
        return name in self.entries

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def items(self) -> Iterator[tuple[str, Node]]:
        return ((name, node) for name, (_, node) in self.entries.items())

    def get(self, name: str) -> Node | None:
        found = self.entries.get(name)
        return found[1] if found else None

    def key(self, name: str) -> At:
        """Where the key stands."""
        return self.entries[name][0].at


def place(source: Source, index: int) -> At:
    """The place of a character of the file."""
    before = source.text[:index]
    return At(source.path, before.count("\n") + 1, index - before.rfind("\n"))


def _align(scalar: Scalar, offset: int) -> int:
    """The index in the source of a character of the scalar's text.

    Walks both texts: white space of the value stands for any white space of the source, an
    escape for the character that it means; everything else is itself.
    """
    raw, (index, end) = scalar.source.text, scalar.span
    first = raw[index : index + 1]
    if first in ("|", ">"):
        index = raw.find("\n", index) + 1
    quote = first if first in ("'", '"') else ""
    index += len(quote)
    for char in scalar.text[:offset]:
        index = _step(raw, index, char, quote)
    index = _past_fold(raw, index, quote)
    # The first character of a line is where its indentation ends.
    wanted = scalar.text[offset : offset + 1]
    if wanted and not wanted.isspace():
        index = _past_space(raw, index)
    return min(index, end)


_ESCAPES = {
    '"': re.compile(r"\\(?:x..|u.{4}|U.{8}|.)"),
    "'": re.compile("''"),
}
_FOLD = re.compile(r"(?:\\\n[ \t]*)*")


def _step(raw: str, index: int, char: str, quote: str) -> int:
    """Past one character of the value."""
    index = _past_fold(raw, index, quote)
    if char.isspace():
        if raw[index : index + 1] == "\n":
            return _past_space(raw, index + 1, " \t")
        if raw[index : index + 1].isspace():
            return index + 1
        return _past_escape(raw, index, quote) or index
    index = _past_space(raw, index)
    return _past_escape(raw, index, quote) or index + 1


def _past_space(raw: str, index: int, space: str = " \t\n") -> int:
    while raw[index : index + 1] and raw[index] in space:
        index += 1
    return index


def _past_fold(raw: str, index: int, quote: str) -> int:
    """Past an escaped end of line, which stands for nothing."""
    found = _FOLD.match(raw, index) if quote == '"' else None
    return found.end() if found else index


def _past_escape(raw: str, index: int, quote: str) -> int:
    """Where an escape that begins here ends; 0 if none does."""
    found = _ESCAPES[quote].match(raw, index) if quote else None
    return found.end() if found else 0

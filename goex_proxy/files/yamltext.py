"""Strict YAML, every value with its place.

What is read is a small and unsurprising part of YAML 1.2: maps with text keys, lists, text,
numbers, true, false and null. `on`, `yes`, `12:30`, `2025-11-20` and `1_000` are text. Anchors,
aliases, tags, keys that stand twice, tabs and bytes that are not UTF-8 are refused: what a
person reads in the file is what the gateway does.
"""

import re
from pathlib import Path

import yaml

from goex_proxy.files.issue import At, FileError, Issue, Issues
from goex_proxy.files.node import Fields, Items, Node, Scalar, Source, place

MAX_SIZE = 4 * 1024 * 1024
MAX_DEPTH = 64


def read(path: Path, *, name: str | None = None, limit: int = MAX_SIZE) -> Node:
    """The one document of a file. Raises `FileError`; OSErrors of the file become one too."""
    return _one(read_all(path, name=name, limit=limit), name or str(path))


def read_all(path: Path, *, name: str | None = None, limit: int = MAX_SIZE) -> list[Node]:
    """Every document of a file."""
    shown = name or str(path)
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise FileError(Issue(At(shown), f"cannot be read: {error.strerror}")) from None
    return parse_all(data, shown, limit=limit)


def parse(data: bytes | str, path: str, *, limit: int = MAX_SIZE) -> Node:
    """The one document of a text."""
    return _one(parse_all(data, path, limit=limit), path)


def parse_all(data: bytes | str, path: str, *, limit: int = MAX_SIZE) -> list[Node]:
    """Every document of a text. Raises `FileError` with everything that is wrong with it."""
    source = Source(path, _decode(data, path, limit))
    issues = Issues()
    composer = _Composer(source, issues)
    try:
        documents = composer.documents()
    except yaml.MarkedYAMLError as error:
        issues.found.append(_syntax(error, source))
    except yaml.YAMLError as error:
        issues.found.append(_unreadable(error, source))
    issues.refuse()
    return documents


def _one(documents: list[Node], path: str) -> Node:
    if not documents:
        raise FileError(Issue(At(path), "the file is empty", "begin with: version: 1"))
    if len(documents) > 1:
        what = "a second document begins here, and this file has one"
        raise FileError(Issue(documents[1].at, what, "remove the line of three dashes"))
    return documents[0]


def _decode(data: bytes | str, path: str, limit: int) -> str:
    size = len(data)
    if size > limit:
        raise FileError(Issue(At(path), f"larger than {limit // 1024} KiB"))
    try:
        text = data if isinstance(data, str) else data.decode()
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        at = At(path, before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1)
        raise FileError(Issue(at, "not UTF-8", "save the file as UTF-8")) from None
    return text.removeprefix("\ufeff").replace("\r\n", "\n")


class _Composer:
    """Builds nodes from PyYAML's events; collects what is wrong instead of stopping at it."""

    def __init__(self, source: Source, issues: Issues) -> None:
        self._source = source
        self._issues = issues
        self._events = yaml.parse(source.text, Loader=_Loader)
        self._depth = 0

    def documents(self) -> list[Node]:
        found: list[Node] = []
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent) and event.tags:
                self._issues.add(self._at(event), "%TAG is not used here", "remove the line")
            if isinstance(event, yaml.NodeEvent):
                found.append(self._node(event))
        nothing = len(found) == 1 and isinstance(found[0], Scalar) and found[0].text == ""
        return [] if nothing else found

    def _node(self, event: yaml.Event) -> Node:
        at = self._at(event)
        if isinstance(event, yaml.AliasEvent):
            self._issues.add(at, f"*{event.anchor}: aliases are not used", "write the value out")
            return self._scalar(None, "", event)
        if getattr(event, "anchor", None):
            self._issues.add(at, "anchors (&name) are not used", "write the value out twice")
        tag = getattr(event, "tag", None)
        if tag is not None and tag != "!":
            self._issues.add(at, f"the tag {tag} is not used here", 'remove it; quote text: "..."')
        if isinstance(event, yaml.ScalarEvent):
            # implicit[0]: plain, neither quoted nor tagged.
            value = _resolve(event.value) if event.implicit[0] else event.value
            return self._scalar(value, event.value, event)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise FileError(*self._issues.found, Issue(at, f"nested deeper than {MAX_DEPTH}"))
        node = self._items(at) if isinstance(event, yaml.SequenceStartEvent) else self._fields(at)
        self._depth -= 1
        return node

    def _items(self, at: At) -> Items:
        items = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event))
        return Items(tuple(items), at)

    def _fields(self, at: At) -> Fields:
        entries: dict[str, tuple[Scalar, Node]] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event)
            value = self._node(next(self._events))
            if not isinstance(key, Scalar):
                self._issues.add(key.at, "a key is a word, not a list or a map", "quote the key")
            elif key.text in entries:
                first = entries[key.text][0].at
                self._issues.add(
                    key.at,
                    f"{key.text!r} stands twice; the first is in line {first.line}",
                    "remove one of them",
                )
            else:
                entries[key.text] = (key, value)
        return Fields(entries, at)

    def _scalar(
        self, value: bool | int | float | str | None, text: str, event: yaml.Event
    ) -> Scalar:
        start, end = event.start_mark, event.end_mark
        span = (start.index if start else 0, end.index if end else 0)
        return Scalar(value, text, self._at(event), self._source, span)

    def _at(self, event: yaml.Event) -> At:
        mark = event.start_mark
        path = self._source.path
        return At(path, mark.line + 1, mark.column + 1) if mark else At(path)


_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# The core schema of YAML 1.2 (10.3.2), less octal, hexadecimal, infinity and NaN.
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,18})")
_FLOAT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,18})(?:\.[0-9]{1,30})?(?:[eE][-+]?[0-9]{1,2})?")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def _resolve(text: str) -> bool | int | float | str | None:
    """The value of plain text. `007` is text: it is no number that everybody reads alike."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _syntax(error: yaml.MarkedYAMLError, source: Source) -> Issue:
    mark = error.problem_mark or error.context_mark
    what = " ".join(part for part in (error.context, error.problem) if part)
    if mark is None:
        return Issue(At(source.path), what)
    at = At(source.path, mark.line + 1, mark.column + 1)
    lines = source.text.split("\n")
    if mark.line < len(lines) and "\t" in lines[mark.line][: mark.column + 1]:
        return Issue(at, "a tab, which YAML does not allow in indentation", "indent with spaces")
    return Issue(at, what or "not YAML", _syntax_hint(what))


def _syntax_hint(what: str) -> str:
    if "mapping values are not allowed" in what:
        return 'text with a colon and a space in it wants quotes: "a: b"'
    if "cannot start any token" in what or "flow" in what:
        return "quote text that begins with a special character or holds brackets"
    return "check the indentation and the quotes of this line and the one before"


# What is not c-printable (YAML 1.2, 5.1).
_FORBIDDEN = re.compile(
    "[^\\t\\n\\r\\x20-\\x7e\\x85\\xa0-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]"
)


def _unreadable(error: yaml.YAMLError, source: Source) -> Issue:
    found = _FORBIDDEN.search(source.text)
    if found is None:
        return Issue(At(source.path), f"not YAML: {type(error).__name__}")
    what = f"the character U+{ord(found[0]):04X} is not allowed"
    return Issue(place(source, found.start()), what, "write it as an escape in double quotes")

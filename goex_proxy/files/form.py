"""A map of a file, read key by key: what is unknown, missing or of the wrong type is noted in
its place, and reading goes on, so that one look names everything."""

import difflib
import re
from collections.abc import Collection, Iterator

from goex_proxy.files.issue import At, Issues
from goex_proxy.files.node import Fields, Items, Node, Scalar

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+", re.ASCII)
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", re.ASCII)
_SIZES = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_SIZE = re.compile(r"(\d{1,9})(B|KiB|MiB|GiB)", re.ASCII)


class Form:
    """One map. Every method notes an issue and returns the default where a value is wrong."""

    def __init__(self, fields: Fields, issues: Issues) -> None:
        self.fields = fields
        self.at = fields.at
        self.issues = issues

    def only(self, known: Collection[str], later: Collection[str] = ()) -> None:
        """Note every key that is not known; a key of a later version is told apart."""
        for name in self.fields:
            if name in later:
                what = f"{name!r} is not there yet: it comes with a later version"
                self.issues.add(self.fields.key(name), what, "remove it; it would not be enforced")
            elif name not in known:
                self.issues.add(self.fields.key(name), f"unknown key {name!r}", _meant(name, known))

    def has(self, name: str) -> bool:
        return name in self.fields

    def node(self, name: str) -> Node | None:
        return self.fields.get(name)

    def wrong(self, name: str, wanted: str) -> None:
        node = self.fields.get(name)
        at = node.at if node is not None else self.at
        self.issues.add(at, f"{name}: {said(node)}, and {wanted} is wanted")

    def text(self, name: str) -> Scalar | None:
        """A text; a number or a truth word where a text is wanted is told to be quoted."""
        node = self.fields.get(name)
        if node is None:
            return None
        if isinstance(node, Scalar) and isinstance(node.value, str) and node.value:
            return node
        if isinstance(node, Scalar) and node.value is not None and node.text:
            what = f"{name}: {said(node)}, and a text is wanted"
            self.issues.add(node.at, what, f'quote it: "{node.text}"')
        else:
            self.wrong(name, "a text")
        return None

    def texts(self, name: str) -> tuple[Scalar, ...]:
        """One text or a list of texts."""
        node = self.fields.get(name)
        if not isinstance(node, Items):
            one = self.text(name)
            return (one,) if one else ()
        found = [i for i in node if isinstance(i, Scalar) and isinstance(i.value, str) and i.value]
        if len(found) != len(node.items) or not found:
            self.wrong(name, "a text or a list of texts")
        return tuple(found)

    def flag(self, name: str, default: bool = False) -> bool:
        node = self.fields.get(name)
        if node is None:
            return default
        if isinstance(node, Scalar) and isinstance(node.value, bool):
            return node.value
        self.wrong(name, "true or false")
        return default

    def choice(self, name: str, choices: Collection[str], default: str) -> str:
        node = self.fields.get(name)
        if node is None:
            return default
        if isinstance(node, Scalar) and node.text in choices:
            return node.text
        self.issues.add(node.at, f"{name}: {said(node)}", f"one of: {', '.join(choices)}")
        return default

    def number(self, name: str, default: int) -> int:
        node = self.fields.get(name)
        if node is None:
            return default
        if isinstance(node, Scalar) and type(node.value) is int and node.value > 0:
            return node.value
        self.wrong(name, "a whole number above 0")
        return default

    def duration(self, name: str) -> float | None:
        """Seconds, of `30m`, `1h30m`, `500ms`."""
        node = self.fields.get(name)
        if node is None:
            return None
        if isinstance(node, Scalar) and _DURATION.fullmatch(node.text):
            seconds = sum(float(n) * _UNITS[u] for n, u in _DURATION_PART.findall(node.text))
            if seconds > 0:
                return seconds
        self.issues.add(node.at, f"{name}: {said(node)}, and a time span is wanted", "such as 30m")
        return None

    def size(self, name: str, default: int) -> int:
        """Bytes, of `64KiB`, `1MiB`."""
        node = self.fields.get(name)
        if node is None:
            return default
        found = _SIZE.fullmatch(node.text) if isinstance(node, Scalar) else None
        if found and int(found[1]):
            return int(found[1]) * _SIZES[found[2]]
        self.issues.add(node.at, f"{name}: {said(node)}, and a size is wanted", "such as 1MiB")
        return default

    def form(self, name: str) -> "Form | None":
        """A map inside."""
        node = self.fields.get(name)
        if node is None:
            return None
        if isinstance(node, Fields):
            return Form(node, self.issues)
        self.wrong(name, "a map")
        return None

    def forms(self, name: str) -> "Iterator[Form]":
        """A list of maps."""
        node = self.fields.get(name)
        if node is None:
            return
        if not isinstance(node, Items):
            self.wrong(name, "a list")
            return
        for item in node:
            if isinstance(item, Fields):
                yield Form(item, self.issues)
            else:
                self.issues.add(item.at, f"{said(item)}, and a map is wanted")

    def version(self) -> None:
        """`version: 1`, which every file begins with."""
        node = self.fields.get("version")
        if not (isinstance(node, Scalar) and node.value == 1 and node.value is not True):
            at = node.at if node else self.at
            self.issues.add(at, "not a file of version 1", "begin with: version: 1")

    def place(self, name: str) -> At:
        return self.fields.key(name) if name in self.fields else self.at


def form_of(node: Node, issues: Issues) -> Form:
    """The map that a whole file is. Raises `FileError` if it is something else."""
    if not isinstance(node, Fields):
        issues.add(node.at, f"the file is {said(node)}, and a map is wanted", "version: 1")
        issues.refuse()
        raise TypeError("unreachable: refuse raises")
    return Form(node, issues)


def said(node: Node | None) -> str:
    """What a value is, in words."""
    match node:
        case None:
            return "nothing"
        case Fields():
            return "a map"
        case Items():
            return "a list" if node.items else "an empty list"
        case Scalar(value=None):
            return "nothing"
        case Scalar(value=bool()):
            return node.text
        case Scalar(value=int() | float()):
            return f"the number {node.text}"
        case Scalar():
            return f"{node.text[:60]!r}"


def _meant(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known here: {', '.join(sorted(known))}"

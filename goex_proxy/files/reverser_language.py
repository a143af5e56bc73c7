"""The names that a reverser's expressions can read, and where each of them has a value.

One environment serves a whole service; which names an expression may read depends on where it
stands: `res` has no value before there is an answer. That is checked when the file is loaded.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes, urljoin, urlsplit

from goex_proxy.core.expression import Expression, Scope
from goex_proxy.core.path import Path, encode_segment
from goex_proxy.core.path import parse as parse_path
from goex_proxy.files.cel import Cel, CelType, Want
from goex_proxy.files.cel_functions import REVERSER_FUNCTIONS, TEXT, Function
from goex_proxy.files.issue import FileError, Issue, Issues, Spot, Within
from goex_proxy.files.node import Scalar

TYPES: Mapping[str, str] = {
    "args": CelType.MAP,
    "body": CelType.DYN,
    "headers": CelType.TEXTS,
    "query": CelType.TEXTS,
    "method": CelType.STRING,
    "origin": CelType.STRING,
    "me": CelType.STRING,
    "before": CelType.DYN,
    "now": CelType.DYN,
    "res": CelType.DYN,
    "status": CelType.INT,
    "reply_headers": CelType.TEXTS,
    "after": CelType.DYN,
    "added": CelType.LIST,
    "removed": CelType.LIST,
    "it": CelType.DYN,
    "etag": CelType.DYN,
    "reason": CelType.STRING,
    "outcome": CelType.STRING,
    "entry": CelType.STRING,
    "hint": CelType.STRING,
}
RESERVED = frozenset(TYPES) | {"scheme", "host", "port", "removed", "steps", "gql", "mcp"}
"""No parameter of a path may be called so: it would hide the name."""

ASKED = frozenset({"args", "body", "headers", "query", "method", "origin"})
"""Known of the request as soon as it is classified."""
CALLED = ASKED | {"me"}
"""And who calls, once the call is a subject of its own."""
SEEN = CALLED | {"before"}
PROVING = SEEN | {"now"}
"""When a call in doubt is settled: what is there now, in the place of an answer."""
ANSWER = frozenset({"res", "status", "reply_headers"})
LEFT = SEEN | ANSWER | {"after", "added", "removed"}
REFUSAL = frozenset({"reason", "outcome", "entry", "hint"})


def _origin(values: Mapping[str, object]) -> str:
    origin = values.get("origin")
    if not isinstance(origin, str):
        raise ValueError("the origin of the request is not known here")
    return origin


def absolute(values: Mapping[str, object], path: str) -> str:
    """The URL, at the origin of the request, of a path as parameters hold it: `a b/c`."""
    bare = path.removeprefix("/")
    slash = bare.endswith("/")
    written = Path(tuple(bare.removesuffix("/").split("/")), slash)
    if any(segment in {"", ".", ".."} for segment in written.segments):
        raise ValueError("abs: a path with an empty or a dot segment")
    return f"{_origin(values)}{written}"


def same_host_path(values: Mapping[str, object], url: str) -> str:
    """The path of a URL, as parameters hold it (`a b/c`, decoded, no slash before it).

    It must be at the origin of the request; dot segments, a query or a fragment are refused.
    """
    if any(ord(c) < 0x21 or ord(c) > 0x7E for c in url):
        raise ValueError("a URL with a raw character that must not stand in it")
    here = urlsplit(_origin(values))
    there = urlsplit(urljoin(f"{_origin(values)}/", url) if "://" not in url else url)
    if _place(there) != _place(here) or there.username is not None:
        raise ValueError("a URL of another host")
    if there.query or there.fragment or "?" in url or "#" in url:
        raise ValueError("a URL with a query or a fragment")
    if not url.startswith("/") and "://" not in url:
        raise ValueError("neither a URL nor a path that begins with a slash")
    raw = url if url.startswith("/") else there.path
    return parse_path(raw).shown.removeprefix("/")


def _place(parts: object) -> tuple[str, str, int]:
    scheme, host = getattr(parts, "scheme", ""), getattr(parts, "hostname", None)
    port = getattr(parts, "port", None) or (443 if scheme == "https" else 80)
    return scheme, (host or "").rstrip("."), port


def encoded(text: str) -> str:
    """A text percent-encoded as one segment of a path."""
    return encode_segment(text.replace("/", "%2F"))


def decoded(text: str) -> str:
    """A percent-encoded text as it was meant. Raises ValueError if it is not UTF-8."""
    return unquote_to_bytes(text).decode()


_OWN = (
    Function("abs", ((TEXT,),), TEXT, absolute, placed=True),
    Function("same_host_path", ((TEXT,),), TEXT, same_host_path, placed=True),
    Function("decoded", ((TEXT,),), TEXT, decoded),
)
FUNCTIONS = (
    *(f for f in REVERSER_FUNCTIONS if f.name not in {own.name for own in _OWN}),
    *_OWN,
)


@dataclass(frozen=True, slots=True)
class Broken:
    """Stands for an expression with a mistake in it, until all mistakes have been found."""

    source: str
    names: frozenset[str] = frozenset()

    def evaluate(self, scope: Scope) -> object:
        raise AssertionError(f"a file with a mistake in it was used: {self.source}")


class Tongue:
    """Compiles the expressions of one service; collects what is wrong with them."""

    def __init__(self, params: Iterable[str], binds: Iterable[str], issues: Issues) -> None:
        own = {**dict.fromkeys(params, CelType.STRING), **dict.fromkeys(binds, CelType.DYN)}
        names = {**own, **TYPES}
        self.cel = Cel({name: str(kind) for name, kind in names.items()}, FUNCTIONS, exact=True)
        self.issues = issues

    def expression(self, scalar: Scalar, allowed: frozenset[str], want: Want = "any") -> Expression:
        """A scalar that is one expression as a whole; `true` too."""
        return self.compile(scalar.text, scalar, allowed, want)

    def compile(
        self, source: str, spot: Spot, allowed: frozenset[str], want: Want = "any"
    ) -> Expression:
        try:
            made = self.cel.compile(source, want, spot)
        except FileError as error:
            self.issues.extend(error.issues)
            return Broken(source)
        for name in sorted(made.names - allowed):
            found = re.search(rf"\b{re.escape(name)}\b", source)
            at = spot.inside(found.start() if found else 0)
            hint = "here there are: " + ", ".join(sorted(allowed)) if allowed else "write a literal"
            self.issues.found.append(Issue(at, f"{name} has no value here", hint))
        return made

    def inside(
        self, scalar: Scalar, start: int, source: str, allowed: frozenset[str]
    ) -> Expression:
        """The expression of a `${...}`, which begins at an offset of the scalar's text."""
        return self.compile(source, Within(scalar, start), allowed)

"""The functions that policies and reversers have beside those of CEL and its extensions.

A function is declared once for each combination of concrete types: the engine does not
dispatch on `dyn`. Where a list or a map is wanted, null counts as empty. A function that
raises makes its expression an error, which fails closed.
"""

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, urlsplit

import re2  # type: ignore[import-untyped]  # ships none

from goex_proxy.core import glob as globs
from goex_proxy.core.exchange import Origin
from goex_proxy.core.path import parse as parse_path
from goex_proxy.core.template import parse_template
from goex_proxy.core.value import common, contains, minus, same

type Impl = Callable[..., object]

TEXT, INT, BOOL, DYN = "string", "int", "bool", "dyn"
LIST, MAP, NULL = "list<dyn>", "map<string, dyn>", "null"
ANY = (BOOL, INT, "uint", "double", TEXT, "bytes", NULL, LIST, MAP)
LISTS, MAPS = (LIST, NULL), (MAP, NULL)
BYTES_OR_TEXT = (TEXT, "bytes")


@dataclass(frozen=True, slots=True)
class Function:
    """A function: its parameters (the types that each may have), its result, its meaning."""

    name: str
    params: tuple[tuple[str, ...], ...]
    returns: str
    impl: Impl
    placed: bool = False
    """Whether it is given, before its arguments, the values of the scope that it runs in."""


def domain(address: str) -> str:
    """The domain of one mail address, in lower case; '' if it is not one plain address.

    Several addresses in one text have none: `a@ours, b@theirs` must not pass for ours.
    """
    found = _ADDRESS.fullmatch(address.strip())
    return (found[1] or found[2]).rstrip(".").lower() if found else ""


_HOST = r"([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?\.?)"
_ADDRESS = re.compile(rf"[^\s<>,;:@\"]+@{_HOST}|[^<>,;:@]*<[^\s<>,;:@\"]+@{_HOST}>")


def rx(text: str, pattern: str) -> bool:
    """Whether RE2 finds the pattern somewhere in the text."""
    return pattern_of(pattern).search(text) is not None


@lru_cache(maxsize=1024)
def pattern_of(pattern: str) -> "re2._Regexp":
    """A compiled pattern. Raises ValueError if RE2 does not take it."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        why = error.args[0] if error.args else b""
        raise ValueError(why.decode() if isinstance(why, bytes) else str(why)) from None


def cidr(address: str, network: str) -> bool:
    """Whether an address is in a network. Raises ValueError if it is no address (a host name)."""
    ip = ipaddress.ip_address(address.strip("[]"))
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return ip in ipaddress.ip_network(network, strict=False)


POLICY_FUNCTIONS = (
    Function("domain", ((TEXT,),), TEXT, domain),
    Function("glob", ((TEXT,), (TEXT,)), BOOL, lambda text, p: globs.matches(p, text)),
    Function("rx", ((TEXT,), (TEXT,)), BOOL, rx),
    Function("cidr", ((TEXT,), (TEXT,)), BOOL, cidr),
)


def _map(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _field(item: object, name: str) -> object:
    if not isinstance(item, dict) or name not in item:
        raise ValueError(f"an item without {name!r}")
    return item[name]


def pluck(items: object, name: str) -> list[object]:
    return [_field(item, name) for item in _list(items)]


def names(items: object) -> list[object]:
    """The `name` of each item; an item that is a text is its own name (GitHub's labels)."""
    return [item if isinstance(item, str) else _field(item, "name") for item in _list(items)]


def pick(value: object, keys: object) -> dict[str, object]:
    return {k: v for k, v in _map(value).items() if k in _list(keys)}


def omit(value: object, keys: object) -> dict[str, object]:
    return {k: v for k, v in _map(value).items() if k not in _list(keys)}


def intersect(left: object, right: object) -> list[object]:
    out: list[object] = []
    for item in common(_list(left), _list(right)):
        if not contains(out, item):
            out.append(item)
    return out


def find(items: object, name: str, value: object) -> object:
    """The first item whose field has this value, or null."""
    for item in _list(items):
        if isinstance(item, dict) and name in item and same(item[name], value):
            return item
    return None


def chunk(items: object, size: int) -> list[object]:
    if size < 1:
        raise ValueError("chunk: a size of at least 1")
    listed = _list(items)
    return [listed[i : i + size] for i in range(0, len(listed), size)]


def b64(value: str | bytes) -> str:
    return base64.b64encode(value if isinstance(value, bytes) else value.encode()).decode()


def b64d(text: str) -> object:
    """The bytes of base64, url-safe and unpadded too; text if they are UTF-8."""
    plain = "".join(text.split()).translate(str.maketrans("-_", "+/")).rstrip("=")
    try:
        data = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error:
        raise ValueError("not base64") from None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


def joined(items: object, separator: str) -> str:
    """Numbers and texts in one text; anything else has no one way to be written."""
    listed = _list(items)
    for item in listed:
        if isinstance(item, bool) or not isinstance(item, str | int | float):
            raise ValueError("join: a list of texts and numbers")
    return separator.join(map(str, listed))


def swap(updates: object) -> list[object]:
    """Ref updates the other way round: `old` and `new` change places, the rest stays."""
    out: list[object] = []
    for update in _list(updates):
        old, new = _field(update, "old"), _field(update, "new")
        out.append({**_map(update), "old": new, "new": old})
    return out


def _origin(values: Mapping[str, object]) -> Origin:
    """Where the request goes, by the name `origin` of the scope."""
    origin = values.get("origin")
    parts = urlsplit(str(origin)) if origin else None
    if parts is None or not parts.scheme or not parts.hostname:
        raise ValueError("the request's origin is not known here")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return Origin(scheme=parts.scheme, host=parts.hostname, port=port)


def absolute(values: Mapping[str, object], path: str) -> str:
    """The URL of a path at the origin of the request.

    The path is one of ours, as `{path+}` matches it: decoded, a slash before it or not.
    """
    return f"{_origin(values)}{_ANY_PATH.fill({'path': path.removeprefix('/')})}"


def same_host_path(values: Mapping[str, object], url: str) -> str:
    """The path of a URL as `{path+}` would match it. Raises ValueError unless the URL is at the
    origin of the request and has a path that the gateway would let pass."""
    origin = _origin(values)
    if _NOT_IN_A_URL.search(url):  # urlsplit drops tabs, and the service is sent them
        raise ValueError("a URL with a space or a control character")
    parts = urlsplit(url if "://" in url else f"{origin}{url}")
    default = 443 if parts.scheme == "https" else 80
    there = (parts.scheme, (parts.hostname or "").rstrip("."), parts.port or default)
    if there != (origin.scheme, origin.host, origin.port) or parts.username is not None:
        raise ValueError("a URL of another host")
    if parts.query or parts.fragment:
        raise ValueError("a URL with a query or a fragment")
    found = _ANY_PATH.match(parse_path(parts.path or "/"))
    if found is None:
        raise ValueError("a URL without a path")
    return found["path"]


_NOT_IN_A_URL = re.compile(r"[\x00-\x20\x7f]|[^\x00-\x7f]")
_ANY_PATH = parse_template("/{path+}")

REVERSER_FUNCTIONS = (
    Function("names", (LISTS,), LIST, names),
    Function("pluck", (LISTS, (TEXT,)), LIST, pluck),
    Function("pick", (MAPS, (LIST,)), MAP, pick),
    Function("omit", (MAPS, (LIST,)), MAP, omit),
    Function("keys", (MAPS,), LIST, lambda value: list(_map(value))),
    Function("minus", (LISTS, LISTS), LIST, lambda a, b: minus(_list(a), _list(b))),
    Function("intersect", (LISTS, LISTS), LIST, intersect),
    Function("merge", (MAPS, MAPS), MAP, lambda a, b: {**_map(a), **_map(b)}),
    Function("find", (LISTS, (TEXT,), ANY), DYN, find),
    Function("chunk", (LISTS, (INT,)), LIST, chunk),
    Function("b64", (BYTES_OR_TEXT,), TEXT, b64),
    Function("b64d", ((TEXT,),), DYN, b64d),
    Function("url", ((TEXT,),), TEXT, lambda text: quote(text, safe="")),
    Function("split", ((TEXT,), (TEXT,)), LIST, lambda text, by: text.split(by)),
    Function("join", (LISTS, (TEXT,)), TEXT, joined),
    Function("basename", ((TEXT,),), TEXT, lambda path: path.rstrip("/").rpartition("/")[2]),
    Function("swap", (LISTS,), LIST, swap),
    Function("abs", ((TEXT,),), TEXT, absolute, placed=True),
    Function("same_host_path", ((TEXT,),), TEXT, same_host_path, placed=True),
    Function("is_list", (ANY,), BOOL, lambda value: isinstance(value, list)),
    Function("is_file", (ANY,), BOOL, lambda value: isinstance(value, str | bytes)),
)

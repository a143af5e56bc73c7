"""`goex.yaml` (design, section 6): read strictly into values that never change.

Imports nothing heavy: `goex log` reads it too. Paths are resolved against the file's directory;
nothing is read from the working directory.
"""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from goex_proxy.core.decision import Posture
from goex_proxy.core.exchange import Origin
from goex_proxy.files import yamltext
from goex_proxy.files.config_values import address, base_url, host_name, host_port
from goex_proxy.files.form import Form, form_of, said
from goex_proxy.files.issue import Issues
from goex_proxy.files.node import Items, Node, Plain, Scalar

MAX_SIZE = 256 * 1024
MAX_BODY = 64 << 20
KEYS = frozenset(
    (
        *("version", "listen", "console", "journal", "posture", "policies", "lists"),
        *("reversers", "upstreams", "services", "upstream_ca", "routes", "network"),
        *("limits", "upstream_proxy"),
    )
)
LIMITS = frozenset(("body", "hold_wait", "upstream_timeout", "image_requests"))
_ROUTE = re.compile(r"/[A-Za-z0-9._-]+")
_SERVICE = re.compile(r"[a-z0-9][a-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Address:
    """Where we listen."""

    host: str
    port: int

    @property
    def loopback(self) -> bool:
        return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


LISTEN = Address("127.0.0.1", 8080)
CONSOLE = Address("127.0.0.1", 8081)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    body: int = 1 << 20
    """Bytes of a body that are read to decide."""
    hold_wait: float = 3.0
    """Seconds that a held call waits before the agent is told."""
    upstream_timeout: float = 600.0
    image_requests: int = 50
    """Reads that the images of one call may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    private: str = "deny"
    """`deny` or `allow`: private addresses as upstreams."""
    allow: tuple[tuple[str, int], ...] = ()
    """Exceptions: host and port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The settings of one home."""

    listen: Address = LISTEN
    console: Address = CONSOLE
    posture: Posture = Posture.BALANCED
    policies: tuple[str, ...] = ()
    """As written: relative to `base`, or `shipped:NAME`."""
    lists: Mapping[str, Plain] = field(default_factory=lambda: MappingProxyType({}))
    """Given to policies instead of their own lists of the same name."""
    reversers: tuple[str, ...] = ("shipped",)
    upstreams: Mapping[str, Origin] = field(default_factory=lambda: MappingProxyType({}))
    """Where a host really is; plain http only to loopback."""
    services: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """Hosts of services that have none of their own, or more of them."""
    upstream_ca: Path | None = None
    routes: Mapping[str, Origin] = field(default_factory=lambda: MappingProxyType({}))
    network: Network = field(default_factory=Network)
    limits: Limits = field(default_factory=Limits)
    base: Path = Path()
    """The directory that relative paths are relative to."""


def load(path: Path) -> Config:
    """Read the file. Raises `FileError` with everything that is wrong with it."""
    return read(yamltext.read(path, limit=MAX_SIZE), path.parent)


def read(node: Node, base: Path) -> Config:
    """The settings of a file that stands in `base`. Raises `FileError`."""
    issues = Issues()
    form = form_of(node, issues)
    form.only(KEYS)
    if form.has("version"):
        form.version()
    _later(form)
    config = Config(
        listen=_address(form, "listen", LISTEN),
        console=_address(form, "console", CONSOLE),
        posture=Posture(form.choice("posture", tuple(Posture), Posture.BALANCED)),
        policies=_names(form, "policies", ()),
        lists=_lists(form),
        reversers=_names(form, "reversers", ("shipped",)),
        upstreams=_origins(form, "upstreams"),
        services=_services(form),
        upstream_ca=_file(form, "upstream_ca", base),
        routes=_origins(form, "routes"),
        network=_network(form),
        limits=_limits(form),
        base=base,
    )
    if str(config.listen) == str(config.console) and config.listen.port and not issues.found:
        issues.add(form.place("console"), "the address that listen: has", "another port")
    issues.refuse()
    return config


def _later(form: Form) -> None:
    """Keys with one value as yet."""
    journal = form.text("journal")
    if journal is not None and journal.text != "sqlite":
        what = f"journal: {said(journal)}: other journals come later"
        form.issues.add(journal.at, what, "journal: sqlite")
    proxy = form.node("upstream_proxy")
    if proxy is not None and not (isinstance(proxy, Scalar) and proxy.value is None):
        what = "upstream_proxy: going through another proxy comes later"
        form.issues.add(proxy.at, what, "upstream_proxy: null")


def _address(form: Form, name: str, default: Address) -> Address:
    node = form.text(name)
    if node is None:
        return default
    try:
        return Address(*address(node.text))
    except ValueError as error:
        form.issues.add(node.at, f"{name}: {node.text!r}: {error}", "such as 127.0.0.1:8080")
        return default


def _names(form: Form, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
    node = form.node(name)
    if node is None:
        return default
    if isinstance(node, Items) and not node.items:
        return ()
    return tuple(item.text for item in form.texts(name))


def _lists(form: Form) -> Mapping[str, Plain]:
    lists = form.form("lists")
    found = {name: node.plain() for name, node in lists.fields.items()} if lists else {}
    return MappingProxyType(found)


def _origins(form: Form, name: str) -> Mapping[str, Origin]:
    """Of `upstreams:` by host, of `routes:` by the first segment of the path."""
    inner = form.form(name)
    found: dict[str, Origin] = {}
    for key, node in inner.fields.items() if inner else ():
        place = inner.place(key) if inner else form.at
        try:
            wanted = _ROUTE.fullmatch(key) and key if name == "routes" else host_name(key)
            if not wanted:
                raise ValueError("a route is one path segment")
            found[wanted] = base_url(node.text if isinstance(node, Scalar) else "")
        except ValueError as error:
            form.issues.add(place, f"{name}: {key}: {error}", _ORIGIN_HINTS[name])
    return MappingProxyType(found)


_ORIGIN_HINTS = {
    "routes": "such as /github: https://api.github.com",
    "upstreams": "such as api.github.com: http://127.0.0.1:4001",
}


def _services(form: Form) -> Mapping[str, tuple[str, ...]]:
    inner = form.form("services")
    found: dict[str, tuple[str, ...]] = {}
    for name in inner.fields if inner else ():
        service = inner.form(name) if inner else None
        if service is None:
            continue
        if not _SERVICE.fullmatch(name):
            form.issues.add(service.at, f"services: {name!r} is no name of a service")
        service.only(("hosts",))
        found[name] = tuple(h for item in service.texts("hosts") if (h := _host(form, item)))
    return MappingProxyType(found)


def _host(form: Form, item: Scalar) -> str:
    try:
        return host_name(item.text)
    except ValueError as error:
        form.issues.add(item.at, f"hosts: {item.text!r}: {error}", "such as files.example.com")
        return ""


def _file(form: Form, name: str, base: Path) -> Path | None:
    node = form.node(name)
    if node is None or (isinstance(node, Scalar) and node.value is None):
        return None
    text = form.text(name)
    if text is None:
        return None
    path = base / Path(text.text).expanduser()
    if not path.is_file():
        form.issues.add(text.at, f"{name}: there is no file {path}")
    return path


def _network(form: Form) -> Network:
    inner = form.form("network")
    if inner is None:
        return Network()
    inner.only(("private", "allow"))
    allow: list[tuple[str, int]] = []
    node = inner.node("allow")
    empty = isinstance(node, Items) and not node.items
    for item in () if empty else inner.texts("allow"):
        try:
            allow.append(host_port(item.text))
        except ValueError as error:
            what = f"allow: {item.text!r}: {error}"
            form.issues.add(item.at, what, "such as build.internal:8443")
    private = inner.choice("private", ("deny", "allow"), "deny")
    return Network(private=private, allow=tuple(allow))


def _limits(form: Form) -> Limits:
    inner = form.form("limits")
    if inner is None:
        return Limits()
    inner.only(LIMITS)
    plain = Limits()
    body = inner.size("body", plain.body)
    if body > MAX_BODY:
        what = f"limits: a body of {body} bytes would be read into memory to decide"
        inner.issues.add(inner.place("body"), what, "64MiB at most")
    return Limits(
        body=body,
        hold_wait=inner.duration("hold_wait") or plain.hold_wait,
        upstream_timeout=inner.duration("upstream_timeout") or plain.upstream_timeout,
        image_requests=inner.number("image_requests", plain.image_requests),
    )

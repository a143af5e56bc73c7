"""Where a host really is, and whether a connection that is up leads there."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from goex_proxy.core.exchange import Origin
from goex_proxy.credentials import binding
from goex_proxy.credentials.binding import Binding


class Peer(Protocol):
    """The other end of an upstream connection that is up. Any object with these facts will do."""

    @property
    def ip(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def sni(self) -> str: ...
    @property
    def tls_verified(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Address:
    """What is dialled for an origin. `prefix` is put before the path of a request."""

    host: str
    port: int
    tls: bool
    prefix: str = ""


class Upstreams:
    """The `upstreams` of the config: host -> base URL, for mirrors and test beds."""

    def __init__(self, mapping: Mapping[str, str] | None = None) -> None:
        """Raises ValueError(what is wrong, what to write instead)."""
        pairs = [(_key(host), _address(host, url)) for host, url in (mapping or {}).items()]
        self._exact = {(key.host, key.port): address for key, address in pairs}

    def mapped(self, origin: Origin) -> Address | None:
        if not self._exact:
            return None
        default = 443 if origin.scheme == "https" else 80
        found = self._exact.get((origin.host, origin.port))
        if found is None and origin.port == default:
            found = self._exact.get((origin.host, None))
        return found

    def address(self, origin: Origin) -> Address:
        found = self.mapped(origin)
        return found or Address(origin.host, origin.port, origin.scheme == "https")

    def targets(self) -> frozenset[str]:
        """`host:port` of every mirror: the operator named them, so they may be private."""
        return frozenset(
            f"{f'[{a.host}]' if ':' in a.host else a.host}:{a.port}" for a in self._exact.values()
        )

    def plain(self, origin: Origin) -> bool:
        """Is this origin a declared plain-http mirror on loopback, which counts as verified?"""
        found = self.mapped(origin)
        return found is not None and not found.tls

    def wrong(self, origin: Origin, peer: Peer) -> str | None:
        """Why a secret for `origin` must not go to this connection, or None if it may."""
        address = self.address(origin)
        if not address.tls:
            if self.mapped(origin) is None:
                return "the connection is not encrypted"
            if is_loopback(peer.ip) and peer.port == address.port:
                return None
            return "the plain connection is not the declared one on loopback"
        if not peer.tls_verified:
            return "the connection's certificate was not verified"
        if peer.sni != address.host and not (_is_address(address.host) and not peer.sni):
            return "the certificate was verified for another host"
        return None


def is_loopback(ip: str) -> bool:
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped.is_loopback
    return address.is_loopback


def _is_address(host: str) -> bool:
    return ":" in host or host.rpartition(".")[2].isdigit()


def _key(host: str) -> Binding:
    key = binding.parse(host)
    if key.wildcard:
        raise ValueError(f"upstreams: {host!r}: name one host, a `*.` cannot be mapped")
    return key


def _address(host: str, url: str) -> Address:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ValueError(f"upstreams: {host}: {url!r} is not a base URL: write https://host[:port]")
    if parts.query or parts.fragment:
        raise ValueError(f"upstreams: {host}: a base URL has no query and no fragment")
    target = binding.normal_host(parts.hostname)
    tls = parts.scheme == "https"
    if not tls and not (target == "localhost" or is_loopback(target)):
        raise ValueError(
            f"upstreams: {host}: plain http is for loopback only: write https://{target}"
        )
    return Address(target, parts.port or (443 if tls else 80), tls, parts.path.rstrip("/"))

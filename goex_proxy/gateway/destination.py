"""Where a request goes, once every part of it that says so agrees.

CONNECT target, SNI, absolute URI, Host and :authority are five places for one fact; a proxy that
decides on one and sends by another can be led to hand a secret to a stranger. Here they are made
comparable (lower case, no trailing dot, no exotic spelling of an address) and must be equal.
Never used: mitmproxy's `pretty_host`, which prefers what the client claims.
"""

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from goex_proxy.core.exchange import Origin
from goex_proxy.gateway.mediator import Fault

_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[^:\[\]]{1,254})(?::([0-9]{1,5}))?")
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_DEFAULT = {"https": 443, "http": 80}


class Misread(Exception):
    """A request that cannot be served as it stands. The text is safe to show and to log."""

    def __init__(self, fault: Fault, reason: str) -> None:
        super().__init__(reason)
        self.fault = fault
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Tunnel:
    """What CONNECT asked for, and what was found inside it."""

    host: str
    port: int
    tls: bool = False
    sni: str | None = None


def host_of(raw: str) -> str:
    """One spelling of a host. Raises Misread (400) for what two parties could read differently."""
    text = raw.lower().removesuffix(".")
    if text.startswith("["):
        return _address(text[1:-1] if text.endswith("]") else "")
    if not _NAME.fullmatch(text) or len(text) > 253:
        raise Misread(Fault.BAD_REQUEST, "the host is not a plain host name (use its xn-- form)")
    if _NUMBER.fullmatch(text.rpartition(".")[2]):
        try:
            return str(IPv4Address(text))
        except AddressValueError:
            raise Misread(
                Fault.BAD_REQUEST, "the host is an IPv4 address in an unusual spelling"
            ) from None
    return text


def _address(text: str) -> str:
    try:
        found = IPv6Address(text)
    except AddressValueError:
        raise Misread(Fault.BAD_REQUEST, "the host is not an IPv6 address") from None
    if found.scope_id is not None:
        raise Misread(Fault.BAD_REQUEST, "the host is an IPv6 address with a zone")
    if found.ipv4_mapped is not None:
        raise Misread(Fault.BAD_REQUEST, "the host is an IPv4 address written as IPv6")
    return str(found)


def authority_of(raw: str, scheme: str) -> tuple[str, int]:
    """Host and port of an authority (no userinfo). Raises Misread (400)."""
    found = _AUTHORITY.fullmatch(raw)
    if found is None:
        raise Misread(Fault.BAD_REQUEST, "the authority is not host or host:port")
    port = int(found[2]) if found[2] else _DEFAULT.get(scheme, 0)
    if not 0 < port < 65536:
        raise Misread(Fault.BAD_REQUEST, "the port is not between 1 and 65535")
    return host_of(found[1]), port


def origin_in_tunnel(tunnel: Tunnel, scheme: str, authority: str, hosts: list[str]) -> Origin:
    """The origin of a request inside CONNECT.

    `scheme` and `authority` are those of an absolute URI or of h2's pseudo headers, "" if the
    request has none; `hosts` are the values of its Host fields. Raises Misread (400, 421).
    """
    actual = "https" if tunnel.tls else "http"
    _check_sni(tunnel)
    if not tunnel.tls and tunnel.port == 443:
        raise Misread(Fault.MISDIRECTED, "plain text inside a tunnel to port 443")
    if scheme and scheme != actual:
        raise Misread(Fault.MISDIRECTED, f"an {scheme} URI on an {actual} connection")
    for claimed in _claims(authority, hosts):
        if authority_of(claimed, actual) != (tunnel.host, tunnel.port):
            raise Misread(
                Fault.MISDIRECTED,
                f"the tunnel was opened to {tunnel.host}:{tunnel.port}, the request names another",
            )
    return Origin(scheme=actual, host=tunnel.host, port=tunnel.port)


def _check_sni(tunnel: Tunnel) -> None:
    if not tunnel.tls:
        return
    if tunnel.sni is None:
        if ":" not in tunnel.host and not _NUMBER.fullmatch(tunnel.host.rpartition(".")[2]):
            raise Misread(Fault.MISDIRECTED, "TLS without a server name (SNI)")
    elif host_of(tunnel.sni) != tunnel.host:
        raise Misread(
            Fault.MISDIRECTED,
            f"the tunnel was opened to {tunnel.host}, the server name (SNI) is another",
        )


def origin_of_uri(scheme: str, authority: str, hosts: list[str]) -> Origin:
    """The origin of an absolute URI sent to the proxy. Raises Misread (400, 421)."""
    if scheme not in _DEFAULT:
        raise Misread(Fault.BAD_REQUEST, "the scheme is neither http nor https")
    wanted = authority_of(authority, scheme)
    for claimed in _claims(authority, hosts):
        if authority_of(claimed, scheme) != wanted:
            raise Misread(Fault.MISDIRECTED, "the URI and the Host field name different hosts")
    return Origin(scheme=scheme, host=wanted[0], port=wanted[1])


def check_own_host(authority: str, hosts: list[str]) -> None:
    """A base-URL request must name this machine, not a name that a web page could rebind.

    Raises Misread (400, 421).
    """
    for claimed in _claims(authority, hosts):
        host, _ = authority_of(claimed, "http")
        if host != "localhost" and ":" not in host and not _NUMBER.fullmatch(host.split(".")[-1]):
            raise Misread(Fault.MISDIRECTED, "base-URL access by a name that is not localhost")


def _claims(authority: str, hosts: list[str]) -> list[str]:
    if len(hosts) > 1:
        raise Misread(Fault.BAD_REQUEST, "more than one Host field")
    return [authority, *hosts] if authority else hosts

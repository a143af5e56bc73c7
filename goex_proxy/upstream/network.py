"""Which addresses may be dialled: nothing inside, unless the operator listed it.

For the gateway's connections too. Ask it of the address that is dialled (or was), never of one
that a second look-up gave: a name may answer differently each time.
"""

import ipaddress
from collections.abc import Collection

type _Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052
_NAT64_LOCAL = ipaddress.ip_network("64:ff9b:1::/48")  # RFC 8215
_COMPATIBLE = ipaddress.ip_network("::/96")  # RFC 4291, deprecated
_RELAY_6TO4 = ipaddress.ip_network("192.88.99.0/24")  # RFC 7526, deprecated
_METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in ("169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16",
                 "192.0.0.192", "fd00:ec2::254", "fd20:ce::254")
)  # fmt: skip


def refusal(ip: str, host: str, port: int, allow: Collection[str] = ()) -> str | None:
    """Why a connection to `ip` for `host` and `port` is refused, or None.

    `allow` lists exceptions as `host:port` (IPv6 in brackets). A host that is listed by name
    may be private, but not a metadata service: that has to be listed by its address.
    """
    try:
        outer = ipaddress.ip_address(ip.partition("%")[0])
    except ValueError:
        return f"{ip!r} is not an address"
    addresses = _unwrapped(outer)
    if any(_entry(str(address), port) in allow for address in addresses):
        return None
    if any(address in _METADATA for address in addresses):
        return f"{host} is at {ip}, a cloud's metadata service"
    if _entry(host, port) in allow:
        return None
    kind = next((found for found in map(_kind, addresses) if found), None)
    if kind is None:
        return None
    wanted = _entry(host, port)
    return f"{host} is at {ip}, {kind}; if that is meant, list {wanted} under network.allow"


def _entry(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _unwrapped(address: _Address) -> list[_Address]:
    """The address, and the IPv4 ones that are embedded in it."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    inside: list[_Address] = [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    if address.sixtofour is not None:
        inside.append(address.sixtofour)
    if address.teredo is not None:
        inside += address.teredo
    if address in _NAT64:
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    if address in _COMPATIBLE and int(address) > 1:
        inside.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return inside


def _kind(address: _Address) -> str | None:
    """What is not a public address, in words."""
    if address.is_loopback:
        return "this machine"
    if address.is_unspecified:
        return "the unspecified address"
    if address.is_link_local:
        return "a link-local address"
    if address.is_multicast:
        return "a multicast address"
    if address in _NAT64_LOCAL or address in _RELAY_6TO4 or not address.is_global:
        return "a private or reserved address"
    return None

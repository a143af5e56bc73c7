"""Small texts of `goex.yaml`: addresses, hosts, base URLs. Each raises ValueError(what)."""

import ipaddress
import re
from urllib.parse import urlsplit

from goex_proxy.core.exchange import Origin

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")


def address(text: str) -> tuple[str, int]:
    """Host and port to listen on: an IP address or localhost; port 0 is any free one."""
    host, port = _split(text)
    if host != "localhost":
        _ip(host)
    return host, port


def host_port(text: str) -> tuple[str, int]:
    """A host and its port, both written."""
    host, port = _split(text)
    if not port:
        raise ValueError("a port above 0")
    return host_name(host) if ":" not in host else host, port


def host_name(text: str) -> str:
    """A host in lower case, with a port or `*.` before it if written; IDNA where it has other
    letters."""
    name, colon, port = text.partition(":")
    if text.startswith("["):
        return _bracketed(text)
    if colon:
        _port(port)
    star = "*." if name.startswith("*.") else ""
    plain = _idna(name.removeprefix("*.").rstrip("."))
    if not plain or len(plain) > 253 or not all(map(_LABEL.fullmatch, plain.split("."))):
        raise ValueError("not a host name")
    return f"{star}{plain}{colon}{port}"


def base_url(text: str) -> Origin:
    """Scheme, host and port of a URL that has nothing else; plain http only to loopback."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("a base URL is wanted")
    if parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("a base URL without path, query and user")
    host = parts.hostname if ":" in parts.hostname else host_name(parts.hostname)
    port = parts.port if parts.port is not None else (443 if parts.scheme == "https" else 80)
    if parts.scheme == "http" and not _loopback(host):
        raise ValueError("plain http goes only to loopback")
    return Origin(scheme=parts.scheme, host=host, port=port)


def _split(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise ValueError("host:port is wanted")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
        _ip(host)
    elif ":" in host:
        raise ValueError("an IPv6 address stands in brackets")
    return host.lower(), int(port)


def _bracketed(text: str) -> str:
    host, closed, rest = text[1:].partition("]")
    _ip(host)
    if not closed or (rest and not rest.startswith(":")):
        raise ValueError("not a host name")
    if rest:
        _port(rest[1:])
    return f"[{host.lower()}]{rest}"


def _port(text: str) -> None:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise ValueError("a port from 1 to 65535")


def _ip(text: str) -> None:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise ValueError("an IP address or localhost is wanted") from None


def _idna(name: str) -> str:
    if name.isascii():
        return name.lower()
    try:
        return name.encode("idna").decode().lower()
    except UnicodeError:
        raise ValueError("not a host name") from None


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

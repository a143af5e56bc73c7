"""To which hosts a credential may go. The binding is the boundary of promise P2."""

import ipaddress
import re
from dataclasses import dataclass

import idna

from goex_proxy.core.exchange import Origin

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMERIC = re.compile(r"(0x[0-9a-f]*|[0-9]+)")


def normal_host(text: str) -> str:
    """A host name as it is compared: lower case, no last dot, IDNA (UTS 46, RFC 5891).

    An address is written its one canonical way, IPv6 without brackets. Raises ValueError for
    what two programs may read differently: NUL, spaces, user names, `0x7f.1`, `2130706433`.
    """
    host = text.removeprefix("[").removesuffix("]") if text.startswith("[") else text
    if ":" in host:
        return str(ipaddress.IPv6Address(host))
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True, std3_rules=True).decode()
        except idna.IDNAError:
            raise ValueError(f"{text!r} is not a host name") from None
    host = host.lower().removesuffix(".")
    labels = host.split(".")
    if _NUMERIC.fullmatch(labels[-1]):
        return str(ipaddress.IPv4Address(host))
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"{text!r} is not a host name")
    return host


@dataclass(frozen=True, slots=True)
class Binding:
    """One host, or every name that is one label longer than `suffix`; at one port."""

    host: str
    port: int | None = None
    """None: the scheme's own port, 443 or 80, and no other."""
    wildcard: bool = False

    def covers(self, origin: Origin) -> bool:
        wanted = self.port or (443 if origin.scheme == "https" else 80)
        if origin.port != wanted:
            return False
        if self.wildcard:
            label, _, suffix = origin.host.partition(".")
            return bool(label) and suffix == self.host
        return origin.host == self.host

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'*.' * self.wildcard}{host}{f':{self.port}' if self.port else ''}"


def parse(text: str) -> Binding:
    """Read `api.github.com`, `*.example.com` (one label, as in certificates), `host:8443`.

    Raises ValueError(what is wrong, what to write instead).
    """
    written = text.strip()
    if "/" in written or "@" in written:
        raise ValueError(f"host {text!r}: write the host alone, as in api.example.com or host:8443")
    wildcard = written.startswith("*.")
    name, port = _split_port(written.removeprefix("*."))
    if "*" in name:
        raise ValueError(f"host {text!r}: a `*` stands only for the whole first label")
    try:
        host = normal_host(name)
    except ValueError:
        raise ValueError(f"host {text!r} is not a host name: write api.example.com") from None
    if wildcard and "." not in host:
        raise ValueError(f"host {text!r} is too wide: name at least two labels after `*.`")
    if wildcard and _is_address(host):
        raise ValueError(f"host {text!r}: an address has no labels, write it out")
    return Binding(host, port, wildcard)


def _split_port(text: str) -> tuple[str, int | None]:
    name, colon, port = text.rpartition(":")
    bare_ipv6 = text.count(":") > 1 and not text.startswith("[")
    if not colon or bare_ipv6 or text.endswith("]"):
        return text, None
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"host {text!r}: {port!r} is not a port")
    return name, int(port)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True

"""Host patterns: `api.github.com`, `*.example.com`, `files.example.com:8443`."""

from functools import lru_cache

from goex_proxy.core.exchange import Origin


def matches(pattern: str, origin: Origin) -> bool:
    """Whether an origin is one that a pattern names.

    Without a port a pattern means the scheme's own; a star is one or more labels.
    """
    host, port = split(pattern)
    default = 443 if origin.scheme == "https" else 80
    if origin.port != (port if port is not None else default):
        return False
    if host.startswith("*."):
        return origin.host.endswith(host[1:]) and len(origin.host) > len(host) - 1
    return origin.host == host


@lru_cache(maxsize=1024)
def split(pattern: str) -> tuple[str, int | None]:
    """Host and port of a pattern. IPv6 addresses stand in brackets."""
    if pattern.startswith("["):
        host, _, rest = pattern[1:].partition("]")
        return host.lower(), int(rest[1:]) if rest.startswith(":") else None
    host, colon, port = pattern.partition(":")
    return host.lower().rstrip("."), int(port) if colon else None

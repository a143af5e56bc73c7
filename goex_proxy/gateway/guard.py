"""mitmproxy as it is used here: one version, no key log, no type check per message.

The seam replaces internals that another version may arrange differently, so another version is
refused at start rather than trusted.
"""

from mitmproxy import http, options, version
from mitmproxy.net import tls

KNOWN = "12.2.3"


class WrongMitmproxy(Exception):
    """An installed mitmproxy that the gateway was not written for."""


def check_version(found: str = version.VERSION) -> None:
    """Raises WrongMitmproxy unless this is the version the gateway was tested with."""
    if found != KNOWN:
        raise WrongMitmproxy(
            f"mitmproxy {found} is installed, goex-proxy works with {KNOWN} only: "
            f"pip install mitmproxy=={KNOWN}"
        )


def prepare(idle: float) -> options.Options:
    """Options for mitmproxy's layers; `idle` seconds without a byte end a connection."""
    check_version()
    tls.log_master_secret = None
    if hasattr(http.MessageData, "__post_init__"):
        http.MessageData.__post_init__ = lambda self: None  # type: ignore[method-assign]
    made = options.Options()
    for name, kind, value in (
        ("connection_strategy", str, "lazy"),
        ("validate_inbound_headers", bool, True),
        ("normalize_outbound_headers", bool, False),
        ("proxy_debug", bool, False),
        ("store_streamed_bodies", bool, False),
        ("keep_host_header", bool, False),
    ):
        made.add_option(name, kind, value, "")
    made.update(rawtcp=False, websocket=True, http2=True, http3=False, tcp_timeout=int(idle))
    return made

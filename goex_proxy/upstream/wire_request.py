"""The last step before the wire, inside aiohttp: wait for the word, check the peer, swap.

`ClientRequest.send` is called when a connection is up (its certificate verified) and before
one byte of the request is written. Here, and nowhere earlier, secrets come in.
"""

import asyncio
import ipaddress
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from multidict import CIMultiDict

from goex_proxy.core.exchange import Headers, Request
from goex_proxy.upstream.errors import NotSentError

_HOP_BY_HOP = (
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection",
    "te", "trailer", "transfer-encoding", "upgrade", "content-length", "accept-encoding", "expect",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class WirePeer:
    """The other end of a connection of ours."""

    ip: str
    port: int
    sni: str
    tls_verified: bool


@dataclass(slots=True, kw_only=True)
class Call:
    """One request on its way: what the wire asks, and what it tells."""

    arm: Callable[[WirePeer], Request]
    """Checks the peer and swaps. Whatever it raises, nothing was sent."""
    go: asyncio.Event = field(default_factory=asyncio.Event)
    """Set: the request may leave."""
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    """Set: the connection is up."""
    sent: bool = False
    """Bytes may have left."""
    reused: bool = False


class WireRequest(aiohttp.ClientRequest):
    """aiohttp's request; `call` is given to it by a client middleware."""

    call: Call | None = None

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        call = self.call
        if call is None:
            raise NotSentError("a request without its call: this is a defect of goex-proxy")
        call.arm(_peer(conn, self.url.raw_host or ""))  # a wrong peer is known before the word
        call.ready.set()
        await call.go.wait()
        if conn.protocol is None or not conn.protocol.is_connected():
            raise NotSentError("the connection was closed by the service before it was used")
        wire = call.arm(_peer(conn, self.url.raw_host or ""))
        self.headers = CIMultiDict(fields(wire))
        self.headers["Content-Length"] = str(len(wire.body or b""))
        if not wire.body and wire.method in ("GET", "HEAD", "OPTIONS", "DELETE", "TRACE"):
            del self.headers["Content-Length"]
        call.sent = True
        return await super().send(conn)


def fields(request: Request) -> list[tuple[str, str]]:
    """Header fields as aiohttp writes them (it encodes UTF-8; ours are latin-1).

    Raises NotSentError for what it cannot write as it was.
    """
    kept = Headers(request.headers.fields).without("host", *_HOP_BY_HOP)
    coding = "identity" if kept.has("range") else "gzip, deflate"
    pairs = [("Host", request.origin.authority), *kept.fields, ("Accept-Encoding", coding)]
    try:
        return [(name, value.encode("latin-1").decode()) for name, value in pairs]
    except UnicodeError:
        raise NotSentError("a header holds bytes that are neither ASCII nor UTF-8") from None


def _peer(conn: Connection, host: str) -> WirePeer:
    protocol = conn.protocol
    transport = protocol.transport if isinstance(protocol, ResponseHandler) else None
    name = transport.get_extra_info("peername") if transport else None
    if transport is None or not name:
        raise NotSentError("the connection was closed by the service before it was used")
    tls = transport.get_extra_info("ssl_object")
    verified = tls is not None and _verifies(tls.context)
    return WirePeer(ip=name[0], port=name[1], sni=_server_name(host), tls_verified=verified)


def _verifies(context: ssl.SSLContext) -> bool:
    return context.verify_mode is ssl.CERT_REQUIRED and context.check_hostname


def _server_name(host: str) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return host.rstrip(".").lower()

"""Opening a connection to a service: both address families, bounded, checked before any byte."""

import asyncio
import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass

from goex_proxy.gateway.mediator import Mediator
from goex_proxy.gateway.upstream import Upstream

TIMEOUT = 30.0
"""Seconds for name resolution and the TCP handshake together."""
_STAGGER = 0.25
"""Seconds before the next address is tried as well (RFC 8305)."""


class DialRefused(Exception):
    """The connection was up, and what it reached must not be spoken to. The text is safe."""


class Gated:
    """A reader that can be shut: unread bytes then stay with the kernel, and so with the peer.

    Not done with `pause_reading`: the StreamReader resumes its transport on its own account.
    """

    def __init__(self, inner: asyncio.StreamReader) -> None:
        self._inner = inner
        self._open = asyncio.Event()
        self._open.set()

    async def read(self, size: int) -> bytes:
        if not self._open.is_set():
            await self._open.wait()
        return await self._inner.read(size)

    def shut(self) -> None:
        self._open.clear()

    def reopen(self) -> None:
        self._open.set()


@dataclass(frozen=True, slots=True)
class Dialled:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    peer: tuple[str, int]


async def dial(
    server: Upstream, mediator: Mediator, is_self: Callable[[str, int, str], bool]
) -> Dialled:
    """Raises OSError (TimeoutError among them) or DialRefused."""
    route = server.route
    async with asyncio.timeout(TIMEOUT):
        reader, writer = await asyncio.open_connection(
            route.host, route.port, happy_eyeballs_delay=_STAGGER
        )
    try:
        ip, port = peer = writer.get_extra_info("peername")[:2]
        if is_self(ip, port, writer.get_extra_info("sockname")[0]):
            raise DialRefused("the request would come back to this proxy")
        objection = _objection(server, mediator, ip)
    except BaseException:
        writer.close()
        raise
    if objection is not None:
        writer.close()
        raise DialRefused(objection)
    return Dialled(reader, writer, peer)


def _objection(server: Upstream, mediator: Mediator, ip: str) -> str | None:
    if server.origin.scheme == "https" and not server.route.tls and not is_loopback(ip):
        return "plain text in place of https is allowed to this machine only"
    return mediator.dialled(server.origin, ip)


def is_loopback(ip: str) -> bool:
    return ipaddress.ip_address(ip.partition("%")[0]).is_loopback


def reason_of(error: Exception) -> str:
    """Why a dial failed, in words that name no address of this machine."""
    if isinstance(error, DialRefused):
        return str(error)
    if isinstance(error, TimeoutError):
        return f"no connection within {TIMEOUT:.0f} s"
    if isinstance(error, socket.gaierror):
        return "its name does not resolve"
    if isinstance(error, ConnectionRefusedError):
        return "it refused the connection"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "it cannot be reached"

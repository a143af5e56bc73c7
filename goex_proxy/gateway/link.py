"""One agent's connection: what mitmproxy's layers ask of the world is done here.

No addons and no hooks: of mitmproxy's events the handful that must be answered are, by a fixed
table, and a failure there closes the connection. Nothing here logs the content of a message.
"""

import asyncio
import logging
import sys
import time
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

from mitmproxy import http
from mitmproxy.connection import Client as AgentConnection
from mitmproxy.connection import Connection, ConnectionState
from mitmproxy.net.tls import starts_like_tls_record
from mitmproxy.options import Options
from mitmproxy.proxy import commands, events, layer, server, server_hooks
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers import tls
from mitmproxy.proxy.layers.websocket import WebsocketMessageHook
from mitmproxy.tls import TlsData

from goex_proxy.core.exchange import Response
from goex_proxy.gateway import translate
from goex_proxy.gateway.destination import Tunnel, host_of
from goex_proxy.gateway.dial import DialRefused, Gated, dial, reason_of
from goex_proxy.gateway.exchange import Exchange
from goex_proxy.gateway.layers import GatewayLayer
from goex_proxy.gateway.mediator import Client, Fault, Mediator
from goex_proxy.gateway.pump import Pump
from goex_proxy.gateway.tls import AgentSide, ServiceSide
from goex_proxy.gateway.underway import House, Underway
from goex_proxy.gateway.upstream import Upstream

if TYPE_CHECKING:
    from types import TracebackType

logger = logging.getLogger(__name__)

_AFTER_A_CRASH = 5.0
"""Seconds that exchanges beside the one whose layers broke have to come to their end."""


class Shared(House, Protocol):
    """What the connections of one gateway have in common."""

    options: Options
    mediator: Mediator
    agent_side: AgentSide
    service_side: ServiceSide

    def is_self(self, ip: str, port: int, from_ip: str) -> bool: ...


class Link(Pump):
    """Lives as long as the agent's connection, or as long as a change it sent has no outcome."""

    def __init__(
        self,
        gateway: Shared,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        local: str | None,
    ) -> None:
        peer = own = ("127.0.0.1", 0)
        if local is None:
            peer = writer.get_extra_info("peername")[:2]
            own = writer.get_extra_info("sockname")[:2]
        agent = AgentConnection(peername=peer, sockname=own, state=ConnectionState.OPEN)
        super().__init__(Context(agent, gateway.options))
        self.gateway = gateway
        self.mediator = gateway.mediator
        self.local = local
        self.transports[agent] = self._io(reader, writer)
        first = layer.NextLayer(Context(agent, gateway.options))
        first.context.layers.append(first)  # ClientTLSLayer looks for a layer above it
        self.layer = first
        self.tunnel: Tunnel | None = None
        self._tunnel_at = 0
        self.lingering: set[Underway] = set()
        self.owed: set[Underway] = set()
        self._broken = False
        self.sockets: dict[str, Underway] = {}
        self._settled = asyncio.Event()
        self._known: tuple[str | None, Client] | None = None
        self._table: dict[type[commands.StartHook], Callable[[Any], None]] = {
            layer.NextLayerHook: self._next_layer,
            tls.TlsStartClientHook: self._tls_to_agent,
            tls.TlsStartServerHook: self._tls_to_service,
            WebsocketMessageHook: self._websocket_message,
        }

    # -- who is calling, and through what

    def caller(self, authorization: str | None) -> Client | Response:
        """The client; asked of the mediator when the credential differs from the last one."""
        if self._known is not None and (self.tunnel or self._known[0] == authorization):
            return self._known[1]
        pair = None if authorization is None else translate.basic(authorization)
        found = self.mediator.client(pair, self.local)
        if not isinstance(found, Response):
            self._known = (authorization, found)
        return found

    def enter(self, tunnel: Tunnel, depth: int) -> None:
        """CONNECT was granted; `depth` layers were there before what is in it."""
        self.tunnel = tunnel
        self._tunnel_at = depth

    def leap(self, child: layer.Layer) -> None:
        """Bytes go straight to what is in the tunnel from now on, past the layers of the CONNECT,

        unless those have TLS of their own to undo (an agent that speaks TLS to the proxy).
        """
        outer = self.layer
        while isinstance(outer, layer.NextLayer) and outer.layer is not None:
            outer = outer.layer
        if not isinstance(outer, tls.ClientTLSLayer):
            self.layer = child

    def refusal_bytes(self, fault: Fault, reason: str) -> bytes:
        """A complete HTTP/1.1 answer to what could not even be read."""
        said = self.mediator.refuse(None, fault, reason)
        phrase, fields = translate.response_bytes(said)
        body = said.body or b""
        fields += [(b"Content-Length", b"%d" % len(body)), (b"Connection", b"close")]
        status = b"HTTP/1.1 %d %s\r\n" % (said.status, phrase or translate.phrase(said.status))
        return status + bytes(http.Headers(fields)) + b"\r\n" + body

    # -- what mitmproxy asks

    async def handle_hook(self, hook: commands.StartHook) -> None:
        """Of the agent's connection itself: it came, it went."""
        if isinstance(hook, server_hooks.ClientDisconnectedHook):
            await self._linger()

    def at_once(self, hook: commands.StartHook) -> None:
        act = self._table.get(type(hook))
        if act is not None:
            act(hook.args()[0])

    def _next_layer(self, asked: layer.NextLayer) -> None:
        data = asked.data_client()
        inside = asked.context.layers[self._tunnel_at :]
        encrypted = any(isinstance(each, tls.ClientTLSLayer) for each in inside)
        if not encrypted and data[:1] == b"\x16":
            if len(data) < 3:
                return
            if starts_like_tls_record(data):
                asked.layer = tls.ClientTLSLayer(asked.context)
                return
        tunnel = self.tunnel
        if tunnel is not None and encrypted:
            tunnel = Tunnel(tunnel.host, tunnel.port, tls=True, sni=self.client.sni)
        asked.layer = GatewayLayer(asked.context, self, tunnel, Exchange)

    def _tls_to_agent(self, data: TlsData) -> None:
        if self.tunnel is not None:
            host = self.tunnel.host
        else:
            host = host_of(self.client.sni) if self.client.sni else self.client.sockname[0]
        # An HTTPS proxy is spoken to in HTTP/1: CONNECT over h2 is not supported.
        data.ssl_conn = self.gateway.agent_side.connection(host, h2=self.tunnel is not None)

    def _tls_to_service(self, data: TlsData) -> None:
        if not isinstance(data.conn, Upstream):
            raise TypeError(type(data.conn).__name__)
        h2 = b"h2" in data.conn.alpn_offers
        data.ssl_conn = self.gateway.service_side.connection(data.conn.route.sni, h2=h2)

    def _websocket_message(self, flow: http.HTTPFlow) -> None:
        exchange = self.sockets[flow.id]
        messages = flow.websocket.messages if flow.websocket is not None else []
        message = messages[-1]
        messages.clear()  # mitmproxy would keep them all
        if not message.from_client:
            message.content = exchange.scrub_message(message.content)

    async def _linger(self) -> None:
        while self.lingering:
            self._settled.clear()
            try:
                async with asyncio.timeout(_AFTER_A_CRASH if self._broken else None):
                    await self._settled.wait()
            except TimeoutError:
                self.lingering.clear()

    async def close_accounts(self) -> None:
        """The connection is over. Every ticket is told how its exchange ended, also if a layer
        broke and the exchange does not know itself."""
        ends = (exchange.orphaned() for exchange in list(self.owed))
        for error in await asyncio.gather(*ends, return_exceptions=True):
            if isinstance(error, Exception):  # counted; the others are told, too
                self.mediator.failed(f"exchange: {type(error).__name__}")
        self.owed.clear()

    def settle(self, exchange: Underway) -> None:
        """The outcome of a change is known and recorded, or nobody will know it."""
        self.lingering.discard(exchange)
        self.owed.discard(exchange)
        self._settled.set()

    def abort(self) -> None:
        """Close now, whatever is under way. Only `Gateway.stop` does this."""
        self.lingering.clear()
        self.owed.clear()
        self._settled.set()
        self._close()

    def _close(self) -> None:
        io = self.transports.get(self.client)
        if io is not None and io.handler is not None:
            io.handler.cancel("closed")

    # -- dialling

    async def open_connection(self, command: commands.OpenConnection) -> None:
        found = command.connection
        if not isinstance(found, Upstream):
            raise TypeError(type(found).__name__)
        try:
            dialled = await dial(found, self.mediator, self.gateway.is_self)
        except asyncio.CancelledError:
            await self._not_dialled(command, "the connection was given up")
            raise
        except Exception as error:  # noqa: BLE001 - said to the agent; nothing was sent
            found.refused = isinstance(error, DialRefused)
            if not isinstance(error, DialRefused | OSError):
                self.mediator.failed(f"dial: {type(error).__name__}")
            await self._not_dialled(command, reason_of(error))
            return
        found.state = ConnectionState.OPEN
        found.timestamp_start = found.timestamp_tcp_setup = time.time()
        found.peername = dialled.peer
        found.sockname = dialled.writer.get_extra_info("sockname")[:2]
        io = self.transports[found] = self._io(dialled.reader, dialled.writer)
        io.handler = asyncio.current_task()
        await self.server_event(events.OpenConnectionCompleted(command, None))
        await self.handle_connection(found)

    async def _not_dialled(self, command: commands.OpenConnection, reason: str) -> None:
        self.transports.pop(command.connection, None)
        await self.server_event(events.OpenConnectionCompleted(command, reason))

    # -- back-pressure

    def pause(self, connection: Connection) -> None:
        """Read no more from a connection for now."""
        io = self.transports.get(connection)
        if io is not None and isinstance(io.reader, Gated):
            io.reader.shut()

    def resume(self, connection: Connection) -> None:
        io = self.transports.get(connection)
        if io is not None and isinstance(io.reader, Gated):
            io.reader.reopen()

    @staticmethod
    def _io(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> server.ConnectionIO:
        gated = cast(asyncio.StreamReader, Gated(reader))  # all that mitmproxy calls is `read`
        return server.ConnectionIO(reader=gated, writer=writer)

    # -- what mitmproxy says

    def log(
        self,
        message: str,
        level: int = logging.INFO,
        exc_info: "Literal[True] | tuple[type[BaseException], BaseException, TracebackType | None] | None" = None,  # noqa: E501
    ) -> None:
        """Warnings go on; an error is a crashed layer, whose texts may quote what was sent."""
        if level >= logging.ERROR:
            error = exc_info[1] if isinstance(exc_info, tuple) else sys.exception()
            self._crashed(error)
        elif level >= logging.WARNING:
            logger.warning("%s", message)

    def _crashed(self, error: BaseException | None) -> None:
        """Count it, say where without its text, and close: a half-dead connection hangs."""
        kind = type(error).__name__ if error is not None else "an unknown error"
        where = traceback.extract_tb(error.__traceback__)[-1:] if error is not None else []
        place = "".join(f" in {frame.name}, line {frame.lineno}" for frame in where)
        logger.error("a connection was closed after %s%s", kind, place)
        self.mediator.failed(f"connection: {kind}")
        self._broken = True
        self._settled.set()
        self._close()

"""mitmproxy's protocol layers with what it leaves out: limits, JSON errors, our own upstreams.

Connections to services are found by origin, never by address: two origins that are really on one
machine (config `upstreams`) never share a connection that proved the name of only one of them.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import h11
from h11._readers import ChunkedReader
from h11._receivebuffer import ReceiveBuffer
from mitmproxy import http
from mitmproxy.connection import Connection, ConnectionState, Server
from mitmproxy.net.http import http1
from mitmproxy.proxy import commands, events, layer, tunnel
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers.http import (
    GetHttpConnection,
    GetHttpConnectionCompleted,
    HttpClient,
    HttpLayer,
    HTTPMode,
    RegisterHttpConnection,
)
from mitmproxy.proxy.layers.http._base import HttpEvent, ReceiveHttp
from mitmproxy.proxy.layers.http._events import (
    ErrorCode,
    RequestHeaders,
    ResponseHeaders,
    ResponseProtocolError,
)
from mitmproxy.proxy.layers.http._http1 import Http1Client, Http1Server, make_body_reader
from mitmproxy.proxy.layers.http._http2 import Http2Client, Http2Server
from mitmproxy.proxy.layers.tls import ServerTLSLayer

from goex_proxy.core.exchange import Origin
from goex_proxy.gateway.destination import Tunnel
from goex_proxy.gateway.mediator import Address, Fault

if TYPE_CHECKING:
    from goex_proxy.gateway.link import Link
    from goex_proxy.gateway.stream import Stream

HEAD_CAP = 64 * 1024
"""Bytes of a request's or an answer's head (request line and all fields)."""
_PIPELINE_CAP = 1 << 20


@dataclass(eq=False, repr=False, kw_only=True)
class Upstream(Server):
    """A connection to a service, known by the origin it serves."""

    origin: Origin
    route: Address
    busy: bool = False
    """Given to an exchange that is not over (h1 only; h2 multiplexes)."""
    refused: bool = False
    """The dial was refused for what it reached, not for lack of an answer."""


class Dial(GetHttpConnection):
    """Get a connection to an origin: one that is idle, or a new one. Replies as the original."""

    def __init__(self, origin: Origin, route: Address) -> None:
        super().__init__((route.host, route.port), route.tls, None)
        self.origin = origin
        self.route = route

    def connection_spec_matches(self, connection: Connection) -> bool:
        return (
            isinstance(connection, Upstream)
            and connection.origin == self.origin
            and connection.route == self.route
        )


@dataclass
class Expired(events.Event):
    """An exchange has waited too long for its service."""

    stream: "Stream"


@dataclass
class Release(events.Event):
    """All that a service had sent was read: the answer that it began is not complete yet."""

    stream: "Stream"


@dataclass
class WholeRequest(HttpEvent):
    """An h1 request and its end: head and body leave in one piece."""

    request: http.Request
    body: bytes


@dataclass
class WholeAnswer(HttpEvent):
    """An h1 answer and its end, in one piece."""

    response: http.Response
    body: bytes


class TrailerlessReader:
    """Chunked bodies whose trailers are dropped: mitmproxy's h1 layer crashes on them."""

    def __init__(self) -> None:
        self._inner = ChunkedReader()

    def __call__(self, buffer: ReceiveBuffer) -> object:
        return _without_trailers(self._inner(buffer))

    def read_eof(self) -> object:
        return self._inner.read_eof()


def _without_trailers(found: object) -> object:
    if isinstance(found, h11.EndOfMessage) and found.headers:
        return h11.EndOfMessage()
    return found


def _reader(size: int | None) -> object:
    return TrailerlessReader() if size is None else make_body_reader(size)


class AgentHttp1(Http1Server):
    """HTTP/1 towards an agent: heads are bounded, and what cannot be read is answered in JSON."""

    def __init__(self, context: Context, link: "Link") -> None:
        super().__init__(context)
        self.link = link

    def read_headers(self, event: events.ConnectionEvent) -> layer.CommandGenerator[None]:
        if not isinstance(event, events.DataReceived):
            yield commands.CloseConnection(self.conn)
            return
        lines = self.buf.maybe_extract_lines()
        if lines is None:
            if len(self.buf) > HEAD_CAP:
                yield from self._refuse(Fault.HEADERS_TOO_LARGE, "the head is above 64 KiB")
            return
        if not lines:
            return
        if sum(len(line) for line in lines) > HEAD_CAP:
            yield from self._refuse(Fault.HEADERS_TOO_LARGE, "the head is above 64 KiB")
            return
        try:
            self.request = http1.read_request_head([bytes(line) for line in lines])
            size = http1.expected_http_body_size(self.request)
        except ValueError:
            yield from self._refuse(Fault.BAD_REQUEST, "the head or its framing cannot be read")
            return
        yield ReceiveHttp(RequestHeaders(self.stream_id, self.request, size == 0))
        self.body_reader = _reader(size)  # type: ignore[assignment]
        self.state = self.read_body
        yield from self.state(event)

    def send(self, event: HttpEvent) -> layer.CommandGenerator[None]:
        if type(event) is WholeAnswer:
            self.response = event.response
            head = http1.assemble_response_head(event.response)
            yield commands.SendData(self.conn, head + event.body)
            yield from self.mark_done(response=True)
        else:
            yield from super().send(event)

    def _refuse(self, fault: Fault, reason: str) -> layer.CommandGenerator[None]:
        self.buf = type(self.buf)()
        self.state = self.done
        yield commands.SendData(self.conn, self.link.refusal_bytes(fault, reason))
        yield commands.CloseConnection(self.conn)

    def wait(self, event: events.Event) -> layer.CommandGenerator[None]:
        if isinstance(event, events.DataReceived) and len(self.buf) > _PIPELINE_CAP:
            yield commands.CloseConnection(self.conn)
        else:
            yield from super().wait(event)


class ServiceHttp1(Http1Client):
    """HTTP/1 towards a service: interim answers are skipped, heads bounded, trailers dropped."""

    def read_headers(self, event: events.ConnectionEvent) -> layer.CommandGenerator[None]:
        if not isinstance(event, events.DataReceived) or self.request is None:
            yield from self._over(event)
            return
        lines = self.buf.maybe_extract_lines()
        while lines and bytes(lines[0]).split(b" ", 2)[1:2] in ([b"100"], [b"102"], [b"103"]):
            lines = self.buf.maybe_extract_lines()
        if not lines and len(self.buf) <= HEAD_CAP:
            return
        try:
            if not lines or sum(len(line) for line in lines) > HEAD_CAP:
                raise ValueError
            self.response = http1.read_response_head([bytes(line) for line in lines])
            size = http1.expected_http_body_size(self.request, self.response)
        except ValueError:
            yield commands.CloseConnection(self.conn)
            yield self._broken("its answer cannot be read")
            return
        yield ReceiveHttp(ResponseHeaders(self._stream(), self.response, size == 0))
        self.body_reader = _reader(size)  # type: ignore[assignment]
        self.state = self.read_body
        yield from self.state(event)

    def send(self, event: HttpEvent) -> layer.CommandGenerator[None]:
        if type(event) is WholeRequest:
            self.stream_id, self.request = event.stream_id, event.request
            head = http1.assemble_request_head(event.request)
            yield commands.SendData(self.conn, head + event.body)
            yield from self.mark_done(request=True)
        else:
            yield from super().send(event)

    def _over(self, event: events.ConnectionEvent) -> layer.CommandGenerator[None]:
        """The service closed, or spoke without being asked."""
        if self.conn.state & ConnectionState.CAN_WRITE:
            yield commands.CloseConnection(self.conn)
        if isinstance(event, events.ConnectionClosed) and self.stream_id:
            yield self._broken("it closed the connection without an answer")

    def _broken(self, reason: str) -> ReceiveHttp:
        return ReceiveHttp(
            ResponseProtocolError(self._stream(), reason, ErrorCode.GENERIC_SERVER_ERROR)
        )

    def _stream(self) -> int:
        if self.stream_id is None:
            raise RuntimeError("an answer without a request")
        return self.stream_id


class ServiceClient(HttpClient):
    """Opens a connection to a service and speaks what it negotiated."""

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        error = yield commands.OpenConnection(self.context.server)
        if not error:
            h2 = self.context.server.alpn == b"h2"
            self.child_layer = (Http2Client if h2 else ServiceHttp1)(self.context)
            self._handle_event = self.child_layer.handle_event  # type: ignore[method-assign]
            yield from self.child_layer.handle_event(event)
        yield RegisterHttpConnection(self.context.server, error)

    @property
    def idle(self) -> bool:
        """An h1 connection that is up and between two exchanges."""
        child = getattr(self, "child_layer", None)
        return isinstance(child, ServiceHttp1) and child.stream_id is None


class GatewayLayer(HttpLayer):
    """One client connection's HTTP: its streams are `Exchange`s, its upstreams known by origin."""

    def __init__(self, context: Context, link: "Link", tunnel_: Tunnel | None) -> None:
        super().__init__(context, HTTPMode.regular)
        self.link = link
        self.tunnel = tunnel_
        self.h2 = context.client.alpn == b"h2"
        self._clients: dict[Upstream, ServiceClient] = {}
        self.begun: set[Stream] = set()
        """Streams whose answer has begun in the piece that is being read."""
        self.congested: set[Stream] = set()
        """Streams whose service is not read, because the agent does not (h2 windows)."""

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if isinstance(event, events.Start):
            fork = self.context.fork()
            server = Http2Server(fork) if self.h2 else AgentHttp1(fork, self.link)
            self.connections[self.context.client] = server
            yield from self.event_to_child(server, event)
        elif isinstance(event, Expired):
            yield from self.event_to_child(event.stream, event)
        else:
            yield from super()._handle_event(event)
            while self.begun:
                stream = self.begun.pop()
                yield from self.event_to_child(stream, Release(stream))
            if self.congested:
                self._ease()
            if isinstance(event, events.ConnectionClosed) and isinstance(
                event.connection, Upstream
            ):
                self._clients.pop(event.connection, None)
                if event.connection not in self.waiting_for_establishment:
                    self.connections.pop(event.connection, None)

    def backlog(self, stream_id: int) -> int:
        """Pieces of an answer that wait for the agent's h2 window."""
        agent = self.connections[self.context.client]
        if not isinstance(agent, Http2Server):
            return 0
        return len(agent.h2_conn.stream_buffers.get(stream_id, ()))

    def _ease(self) -> None:
        for stream in [each for each in self.congested if not self.backlog(each.stream_id)]:
            self.congested.discard(stream)
            if stream.server is not None:
                self.link.resume(stream.server)

    def make_stream(self, stream_id: int) -> layer.CommandGenerator[None]:
        self.streams[stream_id] = self.link.exchange(self, stream_id)
        yield from ()

    def fork(self) -> Context:
        """A context for one stream; cheaper than Context.fork, which invents a server."""
        made = Context.__new__(Context)
        made.client = self.context.client
        made.options = self.context.options
        made.server = self.context.server
        made.layers = self.context.layers.copy()
        return made

    def get_connection(
        self, event: GetHttpConnection, *, reuse: bool = True
    ) -> layer.CommandGenerator[None]:
        if not isinstance(event, Dial):
            raise TypeError(type(event).__name__)
        found = self._usable(event) if reuse else None
        if found is None:
            yield from self._open(event)
        elif found in self.waiting_for_establishment:
            self.waiting_for_establishment[found].append(event)
        else:
            stream = self.command_sources.pop(event)
            yield from self.event_to_child(stream, GetHttpConnectionCompleted(event, (found, None)))

    def _usable(self, event: Dial) -> Upstream | None:
        for server, client in self._clients.items():
            if not event.connection_spec_matches(server):
                continue
            if server in self.waiting_for_establishment:
                return server
            if server.connected and (server.alpn == b"h2" or (client.idle and not server.busy)):
                return server
        return None

    def _open(self, event: Dial) -> layer.CommandGenerator[None]:
        context = self.context.fork()
        server = context.server = Upstream(
            address=event.address, origin=event.origin, route=event.route, sni=event.route.sni
        )
        server.alpn_offers = (b"h2", b"http/1.1") if self.h2 else (b"http/1.1",)
        stack = tunnel.LayerStack()
        if event.route.tls:
            stack /= ServerTLSLayer(context)
        client = ServiceClient(context)
        stack /= client
        self._clients[server] = client
        self.connections[server] = stack[0]
        self.waiting_for_establishment[server].append(event)
        yield from self.event_to_child(stack[0], events.Start())

    def register_connection(self, command: RegisterHttpConnection) -> layer.CommandGenerator[None]:
        if command.err and isinstance(command.connection, Upstream):
            self._clients.pop(command.connection, None)
        yield from super().register_connection(command)

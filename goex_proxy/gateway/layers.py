"""mitmproxy's HTTP layer with what it leaves out: our own upstreams, known by their origin.

Connections to services are found by origin, never by address (`upstream`).
"""

from collections.abc import Callable

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
from mitmproxy.proxy.layers.http._http2 import Http2Client, Http2Server
from mitmproxy.proxy.layers.tls import ServerTLSLayer

from goex_proxy.gateway.destination import Tunnel
from goex_proxy.gateway.http1 import AgentHttp1, ServiceHttp1
from goex_proxy.gateway.underway import Expired, Line, Release, Underway
from goex_proxy.gateway.upstream import Dial, Upstream


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

    def __init__(
        self,
        context: Context,
        link: Line,
        tunnel_: Tunnel | None,
        make: Callable[["GatewayLayer", int], Underway],
    ) -> None:
        """`make` makes the exchange of a stream."""
        super().__init__(context, HTTPMode.regular)
        self.link = link
        self.tunnel = tunnel_
        self._make = make
        self.h2 = context.client.alpn == b"h2"
        self._clients: dict[Upstream, ServiceClient] = {}
        self.begun: set[Underway] = set()
        """Streams whose answer has begun in the piece that is being read."""
        self.congested: set[Underway] = set()
        """Streams whose service is not read, because the agent does not (h2 windows)."""

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if isinstance(event, events.Start):
            fork = self.context.fork()
            server = Http2Server(fork) if self.h2 else AgentHttp1(fork, self.link.refusal_bytes)
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
        self.streams[stream_id] = self._make(self, stream_id)
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

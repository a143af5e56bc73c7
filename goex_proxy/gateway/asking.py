"""The first half of an exchange: read, decide, dial, swap, send.

Refused by default: bytes go to a service in `_transmit` only, and it is reached only after this
exchange's own `swap` or `sending` has returned.
"""

import time
from functools import partial

from mitmproxy import http
from mitmproxy.proxy import commands, layer
from mitmproxy.proxy.layers.http import SendHttp
from mitmproxy.proxy.layers.http._events import (
    RequestData,
    RequestEndOfMessage,
    RequestHeaders,
    RequestTrailers,
    ResponseHeaders,
)

from goex_proxy.core.exchange import Request, Response
from goex_proxy.gateway import reading, translate
from goex_proxy.gateway.destination import Misread, Tunnel
from goex_proxy.gateway.http1 import WholeRequest
from goex_proxy.gateway.layers import GatewayLayer
from goex_proxy.gateway.mediator import Fault, NeedBody, Peer, Refusal, Waiting
from goex_proxy.gateway.stream import Steps, Stream, Upload, known
from goex_proxy.gateway.upstream import Dial, Upstream


class Asking(Stream):
    """From the request's head to its last byte on the wire."""

    def __init__(self, parent: GatewayLayer, stream_id: int) -> None:
        super().__init__(parent, stream_id)
        self._held: list[bytes] = []
        self._held_size = 0
        self._cap = 0
        self._expects = False

    # -- from the agent

    def on_request(self, event: RequestHeaders) -> Steps[None]:
        incoming = event.request
        if self.link.gateway.stopping:
            yield from self.refuse(Fault.UNAVAILABLE, "goex-proxy is stopping", close=True)
            return
        self._expects = not event.end_stream and "100-continue" in translate.field_values(
            incoming, b"expect"
        )
        try:
            if incoming.data.method.upper() == b"CONNECT":
                yield from self._connect(incoming)
                return
            read = reading.read(self.parent, incoming, has_body=not event.end_stream)
        except Misread as error:
            yield from self.refuse(error.fault, error.reason, close=True)
            return
        if isinstance(read, Response):
            yield from self.deliver(read)
            return
        self.caller, self.request = read
        yield from self._screen(event)

    def _screen(self, event: RequestHeaders) -> Steps[None]:
        verdict = self.mediator.screen(known(self.caller), known(self.request))
        if isinstance(verdict, Response):
            yield from self.deliver(verdict)
            return
        if self._expects:
            yield from self._go_ahead()
        if isinstance(verdict, NeedBody):
            self._cap = verdict.cap
            self.upload = Upload.DONE if event.end_stream else Upload.HOLD
            if event.end_stream:
                yield from self._decide(b"", b"")
        else:
            self.ticket = verdict
            self.upload = Upload.DONE if event.end_stream else Upload.RELAY
            yield from self._send(b"" if event.end_stream else None, b"")

    def _go_ahead(self) -> Steps[None]:
        """100 Continue. On h1 past mitmproxy, which would take it for the answer."""
        if self.parent.h2:
            head = translate.client_response(100, b"", [], h2=True)
            yield SendHttp(ResponseHeaders(self.stream_id, head), self.agent)
        else:
            yield commands.SendData(self.agent, b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_data(self, event: RequestData) -> Steps[None]:
        if self.upload is Upload.RELAY:
            self.since = time.monotonic()
            yield SendHttp(event, known(self.server))
        elif self.upload is Upload.HOLD:
            self._held.append(event.data)
            self._held_size += len(event.data)
            if self._held_size > self._cap:
                yield from self._decide(None, self._take_held())

    def on_trailers(self, event: RequestTrailers) -> Steps[None]:
        if self.upload is Upload.RELAY and known(self.server).alpn == b"h2":
            yield SendHttp(event, known(self.server))

    def on_upload_end(self, event: RequestEndOfMessage) -> Steps[None]:
        how, self.upload = self.upload, Upload.DONE
        if how is Upload.HOLD:
            yield from self._decide(self._take_held(), b"")
        elif how is Upload.RELAY:
            self.since = time.monotonic()
            yield SendHttp(event, known(self.server))

    def _take_held(self) -> bytes:
        held, self._held = self._held, []
        return b"".join(held)

    def _decide(self, body: bytes | None, prefix: bytes) -> Steps[None]:
        request = self.request = with_body(known(self.request), body)
        self.waiting = Waiting()
        work = partial(self.mediator.admit, known(self.caller), request, prefix, self.waiting)
        self.link.owed.add(self)
        verdict = yield from self.wait(work, interruptible=True)
        if isinstance(verdict, Response):
            yield from self.deliver(verdict)
            return
        self.ticket = verdict
        if self.gone:
            verdict.hung_up()
            yield from self.abandon("the caller hung up before it was sent")
            yield from self.end()
            return
        if self.upload is Upload.HOLD:
            self.upload = Upload.RELAY
        yield from self._send(body, prefix)

    # -- towards the service

    def _send(self, body: bytes | None, first: bytes) -> Steps[None]:
        """Dial, have the credentials put in, send. `body` None: relayed, `first` to begin with."""
        if not (yield from self._dial()):
            return
        ticket = known(self.ticket)
        wire = translate.for_the_wire(with_body(known(self.request), body))
        try:
            if ticket.mutating:
                self.link.lingering.add(self)
                wire = yield from self.wait(partial(ticket.sending, wire, self._peer()))
            else:
                wire = ticket.swap(wire, self._peer())
        except Refusal as refusal:
            yield from self.deliver(refusal.response)
            return
        if not known(self.server).connected and not (yield from self._dial(again=True)):
            return
        yield from self._transmit(wire, body, first)

    def _transmit(self, wire: Request, body: bytes | None, first: bytes) -> Steps[None]:
        server = known(self.server)
        out = translate.wire_request(wire, h2=server.alpn == b"h2", sized=body is not None)
        content = wire.body if body is not None else first
        self.sent = True
        self.since = time.monotonic()
        self.link.gateway.waiting.add(self)
        if body is not None and server.alpn != b"h2":
            yield SendHttp(WholeRequest(self.stream_id, out, content or b""), server)
            return
        ended = body is not None and not content
        yield SendHttp(RequestHeaders(self.stream_id, out, ended), server)
        if content:
            yield SendHttp(RequestData(self.stream_id, content), server)
        if body is not None:
            yield SendHttp(RequestEndOfMessage(self.stream_id), server)

    def _dial(self, *, again: bool = False) -> Steps[bool]:
        """False: there is no connection, and all that had to be said has been said.

        `again`: `sending` has returned already, so a caller that went away changes nothing.
        """
        origin = known(self.request).origin
        self.free()
        found: Upstream | None
        found, error = yield Dial(origin, self.mediator.upstream(origin))
        self.read_on()
        if found is None:
            reason = f"{origin} cannot be reached: {error}"
            said = yield from self.abandon(reason)
            yield from self.deliver(
                said or self.mediator.refuse(self.request, Fault.UNREACHABLE, reason)
            )
            return False
        self.server = found
        found.busy = True
        if not self.gone or again:
            return True
        yield from self.abandon("the caller hung up before it was sent")
        yield from self.end()
        return False

    def _peer(self) -> Peer:
        server = known(self.server)
        ip, port = known(server.peername)[:2]
        mirrored = server.origin.scheme == "https" and not server.route.tls
        return Peer(
            ip=ip,
            port=port,
            sni=server.route.sni if server.route.tls else "",
            tls_verified=server.tls_established or mirrored,
        )

    # -- CONNECT

    def _connect(self, incoming: http.Request) -> Steps[None]:
        target = reading.connect_target(self.parent, incoming)
        if isinstance(target, Response):
            yield from self.deliver(target)
            return
        flow = self.flow = http.HTTPFlow(self.agent, self.context.server)
        flow.request = incoming
        head = translate.client_response(200, b"Connection established", [], h2=False)
        flow.response = head
        child = layer.NextLayer(self.context)
        self.link.enter(Tunnel(*target), len(self.context.layers))
        yield from self.become(child, head)
        self.link.leap(child)


def with_body(request: Request, body: bytes | None) -> Request:
    if request.body == body:
        return request
    return Request(
        method=request.method,
        origin=request.origin,
        target=request.target,
        headers=request.headers,
        body=body,
    )

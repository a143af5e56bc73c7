"""The second half of an exchange: the answer, cleaned, recorded where it must be, delivered.

The agent learns that a change is complete only when its outcome is durable: a held answer waits
for `answered` as a whole; of a streamed one the end is withheld, and with a Content-Length the
bytes that would complete it.
"""

import time
from functools import partial

from mitmproxy import http
from mitmproxy.proxy.layers.http import SendHttp
from mitmproxy.proxy.layers.http._events import (
    RequestData,
    RequestEndOfMessage,
    RequestHeaders,
    RequestProtocolError,
    RequestTrailers,
    ResponseData,
    ResponseEndOfMessage,
    ResponseHeaders,
    ResponseProtocolError,
    ResponseTrailers,
)
from mitmproxy.proxy.layers.websocket import WebsocketLayer
from mitmproxy.websocket import WebSocketData

from goex_proxy.core.exchange import Response
from goex_proxy.gateway import translate
from goex_proxy.gateway.answer import Answer, Undecodable
from goex_proxy.gateway.asking import Asking
from goex_proxy.gateway.layers import GatewayLayer
from goex_proxy.gateway.mediator import Fault
from goex_proxy.gateway.stream import Steps, known
from goex_proxy.gateway.underway import Expired, Release

_BODILESS = (101, 204, 304)
BACKLOG = 8
"""Pieces of an answer (64 KiB at most) that wait for an h2 agent's window, before reading stops."""


class Exchange(Asking):
    """One request and its answer."""

    def __init__(self, parent: GatewayLayer, stream_id: int) -> None:
        super().__init__(parent, stream_id)
        self._holding = False
        self._withheld = b""
        self._fresh = False
        """A read's answer of which nothing was let out yet: it may be complete already."""

    def on_answer(self, event: ResponseHeaders) -> Steps[None]:
        ticket, head = known(self.ticket), event.response
        self.since = time.monotonic()
        bodiless = head.status_code in _BODILESS or known(self.request).method == "HEAD"
        try:
            translate.check_answer(head)
            answer = Answer(head, ticket.scrubber(), bodiless=bodiless, h2=self.parent.h2)
        except Undecodable as error:
            yield from self.broken(str(error))
            return
        except ValueError:
            yield from self.broken("its answer has a framing that cannot be relayed")
            return
        self.answer = answer
        if head.status_code == 101:
            yield from self._switch(head)
            return
        fits = (answer.left or 0) <= ticket.answer_cap
        self._holding = ticket.mutating and not ticket.streams and fits
        if self._holding:
            return
        if ticket.mutating:
            yield from self._begin(answer)
        else:
            self._fresh = True  # what came with the head goes out with it, in one piece
            self.parent.begun.add(self)

    def on_release(self, event: Release) -> Steps[None]:
        """More of the answer is still to come: the client gets what there is."""
        answer = self.answer
        if answer is None or not self._fresh:
            return
        self._fresh = False
        yield from self._begin(answer)
        yield from self._relay(answer, answer.take())

    def _begin(self, answer: Answer) -> Steps[None]:
        """Let the head out, for a body that follows as it comes."""
        ticket = known(self.ticket)
        if ticket.mutating:
            yield from self.wait(partial(ticket.begun, answer.core(None)))
        self.head_out = True
        if not self.gone:
            yield SendHttp(ResponseHeaders(self.stream_id, answer.streamed_head()), self.agent)

    def on_answer_data(self, event: ResponseData) -> Steps[None]:
        answer = self.answer
        if answer is None:
            return
        self.since = time.monotonic()
        try:
            data = answer.feed(event.data)
        except Undecodable as error:
            yield from self.broken(str(error))
            return
        if self._fresh:
            answer.hold(data)
            return
        if self._holding:
            answer.hold(data)
            if answer.size <= known(self.ticket).answer_cap:
                return
            self._holding = False
            yield from self._begin(answer)
            data = answer.take()
        yield from self._relay(answer, data)

    def _relay(self, answer: Answer, data: bytes) -> Steps[None]:
        if answer.left is not None and known(self.ticket).mutating:
            answer.left -= len(data)
            if answer.left <= 0:  # with these bytes the client would know that it is complete
                self._withheld += data
                return
        if data and not self.gone:
            yield SendHttp(ResponseData(self.stream_id, data), self.agent)
            if self.parent.h2 and self.parent.backlog(self.stream_id) > BACKLOG:
                self.parent.congested.add(self)
                self.link.pause(known(self.server))

    def on_answer_trailers(self, event: ResponseTrailers) -> Steps[None]:
        """Trailers end an h2 stream, so they are withheld like any end; h1 loses them."""
        if self.answer is not None:
            self.answer.trailers = self.answer.clean_trailers(event.trailers.fields)
        yield from ()

    def on_answer_end(self, event: ResponseEndOfMessage) -> Steps[None]:
        answer = self.answer
        if answer is None:
            return
        if answer.status == 101:
            yield from self._upgrade(answer)
            return
        try:
            tail = answer.finish()
        except Undecodable as error:
            yield from self.broken(str(error))
            return
        if self._fresh and answer.trailers is None and not self.gone:
            body = answer.take() + tail
            yield from self.say(answer.whole_head(len(body)), body)
            return
        if self._fresh:
            yield from self.on_release(Release(self))
        if self._holding:
            final = yield from self._record(answer.core(answer.take() + tail))
            yield from self.deliver(final)
            return
        yield from self._relay(answer, tail)
        if known(self.ticket).mutating:
            yield from self._record(answer.core(None))
        if not self.gone:
            yield from self._complete(answer)
        yield from self.end()

    def _complete(self, answer: Answer) -> Steps[None]:
        if self._withheld:
            yield SendHttp(ResponseData(self.stream_id, self._withheld), self.agent)
        if answer.trailers is not None and self.parent.h2:
            yield SendHttp(ResponseTrailers(self.stream_id, answer.trailers), self.agent)
        yield SendHttp(ResponseEndOfMessage(self.stream_id), self.agent)

    def _record(self, response: Response) -> Steps[Response]:
        """The outcome made durable. What cannot be recorded is in doubt, and said to be."""
        self.link.gateway.waiting.discard(self)
        try:
            return (yield from self.tell(partial(known(self.ticket).answered, response)))
        except Exception as error:
            if self.head_out:
                raise
            self.mediator.failed(f"outcome: {type(error).__name__}")
            return self.mediator.refuse(
                self.request, Fault.IN_DOUBT, "it was sent; its outcome could not be recorded"
            )

    def on_service_error(self, event: ResponseProtocolError) -> Steps[None]:
        # mitmproxy's own texts quote what the service sent; ours begin so and do not
        ours = event.message.startswith("it")
        yield from self.broken(event.message if ours else "it broke off the connection")

    def on_expired(self, event: Expired) -> Steps[None]:
        yield from self.broken("it did not answer in time")

    # -- WebSocket

    def _switch(self, head: http.Response) -> Steps[None]:
        """101: the service speaks WebSocket from here on."""
        asked = known(self.request).headers.has("upgrade")
        if not asked or not translate.is_websocket(head):
            yield from self.broken("it changed the protocol without being asked")
        elif known(self.ticket).mutating:
            said = yield from self._record(known(self.answer).core(None))
            if said.status != 101:
                yield from self.cut()
                yield from self.deliver(said)

    def _upgrade(self, answer: Answer) -> Steps[None]:
        """The head of the 101 is complete: what follows are frames."""
        if self.gone:
            yield from self.cut()
            yield from self.end()
            return
        server = known(self.server)
        fields = [*answer.fields, (b"Connection", b"Upgrade"), (b"Upgrade", b"websocket")]
        flow = self.flow = http.HTTPFlow(self.agent, server)
        flow.request = http.Request.make("GET", "http://websocket/")
        flow.response = translate.client_response(101, answer.reason, fields, h2=False)
        flow.websocket = WebSocketData()
        self.context.server = server
        self.link.sockets[flow.id] = self
        self.link.gateway.waiting.discard(self)
        self.link.settle(self)
        yield from self.become(WebsocketLayer(self.context, flow), flow.response)

    def scrub_message(self, content: bytes) -> bytes:
        """One whole WebSocket message of the service, cleaned."""
        scrubber = known(self.ticket).scrubber()
        return content if scrubber is None else scrubber.feed(content) + scrubber.flush()


Exchange.actions = {
    RequestHeaders: Exchange.on_request,
    RequestData: Exchange.on_data,
    RequestTrailers: Exchange.on_trailers,
    RequestEndOfMessage: Exchange.on_upload_end,
    RequestProtocolError: Exchange.on_hang_up,
    ResponseHeaders: Exchange.on_answer,
    ResponseData: Exchange.on_answer_data,
    ResponseTrailers: Exchange.on_answer_trailers,
    ResponseEndOfMessage: Exchange.on_answer_end,
    ResponseProtocolError: Exchange.on_service_error,
    Expired: Exchange.on_expired,
    Release: Exchange.on_release,
}

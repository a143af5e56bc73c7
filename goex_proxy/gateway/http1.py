"""HTTP/1 both ways: heads are bounded, framing is checked, trailers dropped, whole messages sent
in one piece."""

from collections.abc import Callable
from dataclasses import dataclass

import h11
from h11._readers import ChunkedReader
from h11._receivebuffer import ReceiveBuffer
from mitmproxy import http
from mitmproxy.connection import ConnectionState
from mitmproxy.net.http import http1
from mitmproxy.proxy import commands, events, layer
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers.http._base import HttpEvent, ReceiveHttp
from mitmproxy.proxy.layers.http._events import (
    ErrorCode,
    RequestHeaders,
    ResponseHeaders,
    ResponseProtocolError,
)
from mitmproxy.proxy.layers.http._http1 import Http1Client, Http1Server, make_body_reader

from goex_proxy.gateway.mediator import Fault

HEAD_CAP = 64 * 1024
"""Bytes of a request's or an answer's head (request line and all fields)."""
INTERIM_CAP = 100
"""Interim answers (1xx) to one request: without an end they would be read for ever."""
_PIPELINE_CAP = 1 << 20


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

    def __init__(self, context: Context, refusal: Callable[[Fault, str], bytes]) -> None:
        """`refusal` says a refusal as a complete answer, for what cannot be read."""
        super().__init__(context)
        self._refusal = refusal

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
        yield commands.SendData(self.conn, self._refusal(fault, reason))
        yield commands.CloseConnection(self.conn)

    def wait(self, event: events.Event) -> layer.CommandGenerator[None]:
        if isinstance(event, events.DataReceived) and len(self.buf) > _PIPELINE_CAP:
            yield commands.CloseConnection(self.conn)
        else:
            yield from super().wait(event)


class ServiceHttp1(Http1Client):
    """HTTP/1 towards a service: interim answers are skipped, heads bounded, trailers dropped."""

    _interim = 0

    def read_headers(self, event: events.ConnectionEvent) -> layer.CommandGenerator[None]:
        if not isinstance(event, events.DataReceived) or self.request is None:
            yield from self._over(event)
            return
        lines = self.buf.maybe_extract_lines()
        while lines and bytes(lines[0]).split(b" ", 2)[1:2] in ([b"100"], [b"102"], [b"103"]):
            self._interim += 1
            if self._interim > INTERIM_CAP:
                yield commands.CloseConnection(self.conn)
                yield self._broken(f"it sent more than {INTERIM_CAP} interim answers")
                return
            lines = self.buf.maybe_extract_lines()
        if not lines and len(self.buf) <= HEAD_CAP:
            return
        self._interim = 0
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

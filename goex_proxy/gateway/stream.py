"""What every part of an exchange stands on: waiting, failing closed, answering, ending.

`Stream` takes the place of mitmproxy's HttpStream. It is one flat object; its methods are spread
over three files (stream, asking, exchange) only because they are many. No mitmproxy flow is made
for a request, so none can hold a secret.
"""

from collections.abc import Awaitable, Callable, Generator
from enum import Enum, auto
from functools import partial
from typing import Any, ClassVar

from mitmproxy import http
from mitmproxy.connection import Connection
from mitmproxy.proxy import commands, events, layer
from mitmproxy.proxy.layers.http import DropStream, SendHttp
from mitmproxy.proxy.layers.http._events import (
    ErrorCode,
    RequestData,
    RequestEndOfMessage,
    RequestProtocolError,
    ResponseData,
    ResponseEndOfMessage,
    ResponseHeaders,
    ResponseProtocolError,
)

from goex_proxy.core.exchange import Request, Response
from goex_proxy.gateway import translate
from goex_proxy.gateway.answer import Answer
from goex_proxy.gateway.http1 import WholeAnswer
from goex_proxy.gateway.layers import GatewayLayer
from goex_proxy.gateway.mediator import Client, Fault, Ticket, Waiting
from goex_proxy.gateway.underway import Underway
from goex_proxy.gateway.upstream import Upstream
from goex_proxy.gateway.wait import Await, Interrupted

type Steps[T] = Generator[commands.Command, Any, T]

QUEUE_CAP = 256 * 1024
"""Bytes that may queue up while something is awaited, before reading stops."""

_LAST_AWAITS = 8
"""How many things in a row an exchange may await after its agent's connection is over."""


class Upload(Enum):
    """What becomes of the request's body."""

    DROP = auto()
    HOLD = auto()
    RELAY = auto()
    DONE = auto()


class Broken(Exception):
    """A step was taken out of order: a bug here, answered by refusing."""


def known[T](value: T | None) -> T:
    """A value that this point of an exchange cannot be reached without."""
    if value is None:
        raise Broken
    return value


class Stream(Underway):
    """One request and its answer. Never more than one generator of it runs at a time."""

    actions: ClassVar[dict[type[events.Event], Callable[[Any, Any], Steps[None]]]] = {}

    def __init__(self, parent: GatewayLayer, stream_id: int) -> None:
        layer.Layer.__init__(self, parent.fork())
        self.stream_id = stream_id
        self.parent = parent
        self.link = parent.link
        self.mediator = parent.link.mediator
        self.agent = parent.context.client
        self.caller: Client | None = None
        self.request: Request | None = None
        self.ticket: Ticket | None = None
        self.server: Upstream | None = None
        self.answer: Answer | None = None
        self.upload = Upload.DROP
        self.waiting: Waiting | None = None
        self.since = 0.0
        """When the service was last heard of, or spoken to (time.monotonic)."""
        self.sent = False
        """A byte of the request may have left."""
        self.gone = False
        """The caller has hung up."""
        self.head_out = False
        """The agent has been given the head of an answer."""
        self.done = False
        self._told = False
        """The ticket knows how it ended, or is being told."""
        self._queued = 0
        self._silenced: list[Connection] = []

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.stream_id})"

    # -- events

    def handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if self._paused is not None:
            self._note(event)
        return super().handle_event(event)

    def _note(self, event: events.Event) -> None:
        """What cannot wait until this stream goes on: the caller hangs up, or sends too much."""
        if isinstance(event, RequestProtocolError):
            self.hung_up()
        elif isinstance(event, RequestData | ResponseData):
            self._queued += len(event.data)
            connection = self.agent if isinstance(event, RequestData) else self.server
            if (
                self._queued > QUEUE_CAP
                and connection is not None
                and connection not in self._silenced
            ):
                self._silenced.append(connection)
                self.link.pause(connection)

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        action = self.actions.get(type(event))
        if action is None or self.done:
            if isinstance(event, RequestEndOfMessage):
                self.upload = Upload.DONE
            return
        try:
            yield from action(self, event)
        except Exception as error:  # noqa: BLE001 - fail closed, whatever it was
            yield from self._collapse(error)

    def _collapse(self, error: Exception) -> Steps[None]:
        """Something of ours broke, or the gateway is stopping."""
        if not isinstance(error, Interrupted):
            self.mediator.failed(f"exchange: {type(error).__name__}")
        try:
            if self.sent:
                yield from self.broken("the gateway failed while it relayed the answer")
            else:
                yield from self.abandon("the gateway failed before it was sent")
                yield from self.refuse(Fault.UNAVAILABLE, "goex-proxy cannot decide on it now")
        except Exception as second:  # noqa: BLE001 - nothing is left but to cut the connection
            self.mediator.failed(f"exchange: {type(second).__name__}")
            yield from self.kill()

    def wait[T](self, work: Callable[[], Awaitable[T]], *, interruptible: bool = False) -> Steps[T]:
        """Run a coroutine; its value or exception is this generator's."""
        hook = Await(work)
        if interruptible:
            self.link.gateway.decisions.add(hook)
        try:
            yield hook
        finally:
            self.link.gateway.decisions.discard(hook)
            self.read_on()
        if hook.error is not None:
            raise hook.error
        value: T = hook.value
        return value

    def read_on(self) -> None:
        """Undo what `_note` silenced."""
        self._queued = 0
        silenced, self._silenced = self._silenced, []
        for connection in silenced:
            self.link.resume(connection)

    def become(self, child: layer.Layer, head: http.Response) -> Steps[None]:
        """From now on this stream only passes bytes to another layer (a tunnel, a WebSocket)."""
        self.child_layer = child
        self._handle_event = self.passthrough  # type: ignore[method-assign]
        yield from child.handle_event(events.Start())
        yield SendHttp(ResponseHeaders(self.stream_id, head, True), self.agent)
        yield SendHttp(ResponseEndOfMessage(self.stream_id), self.agent)

    # -- endings

    def hung_up(self) -> None:
        """The caller went away; who waits for a decision hears of it at once."""
        if self.gone:
            return
        self.gone = True
        if self.waiting is not None:
            self.waiting.hang_up()
        if self.ticket is not None:
            self.ticket.hung_up()

    def on_hang_up(self, event: RequestProtocolError) -> Steps[None]:
        self.hung_up()
        lingers = self.ticket is not None and self.ticket.mutating
        if not self.sent:
            yield from self.abandon("the caller hung up before it was sent")
        elif self.upload is Upload.RELAY:
            yield from self.cut()
            if lingers:
                lost = partial(known(self.ticket).lost, "the caller hung up during the upload")
                yield from self.tell(lost)
        elif lingers:
            return  # the service goes on, so that the outcome is known
        else:
            yield from self.cut()
        yield from self.end()

    def abandon(self, reason: str) -> Steps[Response | None]:
        """Tell the ticket, if there is one, that nothing left. What it says to the caller."""
        if self.ticket is None:
            return None
        return (yield from self.tell(partial(self.ticket.abandoned, reason)))

    def tell[T](self, end: Callable[[], Awaitable[T]]) -> Steps[T]:
        """Tell the ticket how it ended."""
        self._told = True
        return (yield from self.wait(end))

    def broken(self, reason: str) -> Steps[None]:
        """No whole answer will come from the service."""
        yield from self.cut()
        reason = f"the service failed: {reason}"
        if self.ticket is not None and self.ticket.mutating:
            said = yield from self.tell(partial(self.ticket.lost, reason))
        else:
            said = self.mediator.refuse(self.request, Fault.BAD_ANSWER, reason)
        if self.head_out:
            yield from self.kill()
        else:
            yield from self.deliver(said)

    def refuse(self, fault: Fault, reason: str, *, close: bool = False) -> Steps[None]:
        yield from self.deliver(self.mediator.refuse(self.request, fault, reason), close=close)

    def deliver(self, response: Response, *, close: bool = False) -> Steps[None]:
        """A complete response; then this exchange is over, and the rest of the upload dropped."""
        if self.gone:
            yield from self.end()
            return
        if self.head_out:
            yield from self.kill()
            return
        reason, fields = translate.response_bytes(response)
        head_only = self.request is not None and self.request.method == "HEAD"
        body = b"" if head_only else response.body or b""
        if response.status >= 200 and response.status not in (204, 304):
            length = len(response.body or b"")
            if head_only and self.answer is not None:
                length = self.answer.declared or 0
            fields.append((b"Content-Length", b"%d" % length))
        if close and not self.parent.h2:
            fields.append((b"Connection", b"close"))
        head = translate.client_response(response.status, reason, fields, h2=self.parent.h2)
        yield from self.say(head, body)

    def say(self, head: http.Response, body: bytes) -> Steps[None]:
        """A whole answer, and the end of this exchange."""
        self.head_out = True
        if not self.parent.h2:
            yield SendHttp(WholeAnswer(self.stream_id, head, body), self.agent)
        else:
            yield SendHttp(ResponseHeaders(self.stream_id, head, not body), self.agent)
            if body:
                yield SendHttp(ResponseData(self.stream_id, body), self.agent)
            yield SendHttp(ResponseEndOfMessage(self.stream_id), self.agent)
        yield from self.end()

    def kill(self) -> Steps[None]:
        """The answer was begun and cannot be completed: the client must see that."""
        if not self.gone:
            error = ResponseProtocolError(self.stream_id, "cut", ErrorCode.KILL)
            yield SendHttp(error, self.agent)
        yield from self.end()

    def cut(self) -> Steps[None]:
        """Break off the exchange with the service."""
        server = self.server
        if server is None:
            return
        self.free()
        if self.sent and server in self.parent.connections:
            error = RequestProtocolError(self.stream_id, "cut", ErrorCode.CANCEL)
            yield SendHttp(error, server)

    def free(self) -> None:
        """Let go of the connection to the service."""
        if self.server is not None:
            self.server.busy = False
            if self in self.parent.congested:
                self.parent.congested.discard(self)
                self.link.resume(self.server)
            self.server = None

    async def orphaned(self) -> None:
        """A layer around it broke, so its end never came: its ticket is told all the same.

        Else its locks would be kept, and a retry would wait for it.
        """
        self.hung_up()
        await self._last_await()
        if self.done or self._told or self.ticket is None:
            return
        self.done = True
        self.link.gateway.waiting.discard(self)
        if self.sent:
            await self.ticket.lost("the gateway failed before its answer was complete")
        else:
            await self.ticket.abandoned("the gateway failed before it was sent")

    async def _last_await(self) -> None:
        """Wait for what this stream awaits. A layer that broke does not hand it on: then a ticket
        that was being made is ours to end."""
        for _ in range(_LAST_AWAITS):
            paused = self._paused
            if self.done or not paused or not isinstance(paused.command, Await):
                return
            await paused.command.finished()
            if self._paused is paused:
                made = paused.command.value
                if self.ticket is None and made is not None and not isinstance(made, Response):
                    self.ticket = made
                    made.hung_up()
                return

    def end(self) -> Steps[None]:
        if self.done:
            return
        if self.upload is Upload.RELAY:
            yield from self.cut()
        self.done = True
        self.free()
        self.link.gateway.waiting.discard(self)
        self.link.settle(self)
        yield DropStream(self.stream_id)

"""What the gateway asks of whoever decides: the two protocols, and the small values between them.

The gateway translates HTTP and moves bytes; it knows nothing of policies, journals or secrets.
The engine implements `Mediator` and `Ticket`. Every method may raise: the gateway then refuses
the request (`Fault.UNAVAILABLE`), lets nothing out, and counts it with `Mediator.failed`.

The life of an exchange, in the order of calls (reads: the synchronous ones only):

    client -> [tunnel | route] -> screen -> [admit] -> dialled -> swap | sending
           -> scrubber -> [begun] -> answered | lost
    and from anywhere before `swap`/`sending` have returned: abandoned
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from goex_proxy.core.exchange import Origin, Request, Response


class Fault(StrEnum):
    """Why the gateway itself cannot serve a request; `status` is what HTTP calls it."""

    BAD_REQUEST = "bad_request"
    NO_ROUTE = "no_route"
    TOO_LARGE = "too_large"
    MISDIRECTED = "misdirected"
    HEADERS_TOO_LARGE = "headers_too_large"
    UNREACHABLE = "unreachable"
    """The service could not be dialled or did not prove its name: nothing was sent."""
    BAD_ANSWER = "bad_answer"
    """The request was sent; no answer came, or one that cannot be relayed."""
    UNAVAILABLE = "unavailable"
    """A part of goex-proxy failed or is stopping: nothing was sent."""
    IN_DOUBT = "in_doubt"
    """A change was sent, and its outcome could not be recorded."""

    @property
    def status(self) -> int:
        return _STATUS[self]


_STATUS = {
    Fault.BAD_REQUEST: 400,
    Fault.NO_ROUTE: 404,
    Fault.TOO_LARGE: 413,
    Fault.MISDIRECTED: 421,
    Fault.HEADERS_TOO_LARGE: 431,
    Fault.UNREACHABLE: 502,
    Fault.BAD_ANSWER: 502,
    Fault.UNAVAILABLE: 503,
    Fault.IN_DOUBT: 502,
}


class Refusal(Exception):
    """Raised by `Ticket.swap` and `Ticket.sending`: nothing leaves, `response` is delivered."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"refused with status {response.status}")
        self.response = response


class Client(Protocol):
    """Who is calling (session, agent): a value of the mediator's that the gateway only carries."""


@dataclass(frozen=True, slots=True)
class NeedBody:
    """`screen` cannot decide on the headers: hold the body, up to `cap` bytes, then `admit`."""

    cap: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a host really is. Plain text (`tls` False) for an https origin: loopback only."""

    host: str
    port: int
    tls: bool
    sni: str
    """The name the certificate must prove."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """The upstream connection that is up and waiting for the request."""

    ip: str
    port: int
    sni: str
    tls_verified: bool
    """The certificate proved `sni`; also true of a loopback mirror of an https origin."""


@dataclass(slots=True)
class Waiting:
    """The caller's presence while `admit` waits. Not a lock: nothing is cancelled by force."""

    gone: bool = False
    _callbacks: list[Callable[[], None]] = field(default_factory=list)

    def on_hang_up(self, callback: Callable[[], None]) -> None:
        """Call back once, when the caller goes away or the gateway stops; at once if it has."""
        if self.gone:
            callback()
        else:
            self._callbacks.append(callback)

    def hang_up(self) -> None:
        """Called by the gateway; a second call does nothing."""
        if self.gone:
            return
        self.gone = True
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()


class Scrubber(Protocol):
    """Removes secrets from what a service says. Keeps back a suffix that may be a beginning."""

    def feed(self, data: bytes) -> bytes: ...
    def flush(self) -> bytes:
        """What was kept back; the scrubber then starts afresh."""

    def text(self, value: str) -> str:
        """A complete text (a header's value) without its secrets; keeps no state."""


class Ticket(Protocol):
    """One admitted exchange."""

    @property
    def mutating(self) -> bool:
        """It is journaled: `sending`, `begun`, `answered`, `lost` are awaited; it lingers."""

    @property
    def streams(self) -> bool:
        """The answer is relayed as it comes. Always so for a call that is not `mutating`."""

    @property
    def answer_cap(self) -> int:
        """Bytes of an answer that are held for `answered`; a longer one is streamed."""

    def swap(self, wire: Request, peer: Peer) -> Request:
        """A read: the request with its credentials, for the wire and nothing else.

        Raises Refusal; nothing leaves then.
        """

    async def sending(self, wire: Request, peer: Peer) -> Request:
        """A change: returns when `Sent` is durable, with the credentials swapped in.

        Raises Refusal; nothing leaves then. When it has returned the request is sent, though the
        caller may have gone meanwhile.
        """

    def scrubber(self) -> Scrubber | None:
        """A fresh scrubber for the answer; None: there is nothing to scrub."""

    async def begun(self, head: Response) -> None:
        """The head (`body` None) of a change's answer that will be streamed; durable on return."""

    async def answered(self, response: Response) -> Response:
        """The outcome, durable on return. What it returns is delivered (normally the same).

        `body` is None if it was streamed past; then the end is withheld until this returns, and
        what it returns does not matter.
        """

    async def lost(self, reason: str) -> Response:
        """Sent (perhaps in part), and no whole answer came. Returns what the caller is told.

        It can come after `begun` or `answered` has raised in mid-stream.
        """

    async def abandoned(self, reason: str) -> Response | None:
        """No byte of the request left: not dialled, or the caller went before it was sent.

        Returns what the caller is told, with the entry; None: nothing is on record.

        It can come after `sending` has returned, if the connection had gone and could not be
        made again, and for a ticket that nobody waits for any more.
        """

    def hung_up(self) -> None:
        """The caller went away. Comes at once, also while `sending` or `answered` is awaited."""


class Mediator(Protocol):
    """Who decides. One per gateway; called from its event loop only."""

    def client(
        self, proxy_authorization: tuple[str, str] | None, local: str | None
    ) -> Client | Response:
        """Who is calling: (user, password) of Proxy-Authorization, or the unix socket's name.

        A Response (407) refuses.
        """

    def tunnel(self, client: Client, host: str, port: int) -> Response | None:
        """May this client CONNECT there? A Response (407, 403) refuses."""

    def route(self, path: str) -> tuple[Origin, str] | None:
        """Base-URL access: `/github/user` is (https://api.github.com, `/user`); None: no route."""

    def screen(self, client: Client, request: Request) -> Ticket | Response | NeedBody:
        """Decide on the headers; `request.body` is None if there is a body, else b""."""

    async def admit(
        self, client: Client, request: Request, prefix: bytes, waiting: Waiting
    ) -> Ticket | Response:
        """Decide with the body; may wait for a person.

        `request.body` is None for a body above the cap; `prefix` is then its beginning. Use
        `waiting` to stop when nobody waits any more; whatever is returned then is not sent.
        """

    def upstream(self, origin: Origin) -> Address:
        """Where an origin really is (config `upstreams`)."""

    def dialled(self, origin: Origin, peer_ip: str) -> str | None:
        """The connection is up, no byte was sent: a reason to refuse it, or None."""

    def refuse(self, request: Request | None, outcome: Fault, reason: str) -> Response:
        """An error of the gateway's own, said in the service's dialect. Must not raise."""

    def failed(self, what: str) -> None:
        """Count something that broke; `what` is safe to show (no data of a message in it)."""

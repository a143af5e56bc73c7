"""Our own client: for images, probes, undo, and calls that are sent after an approval.

It follows no redirect, keeps no cookie, reads no proxy variables or netrc, never sends a
request twice, and rewrites no escape. Undecided things never leave: it swaps and checks the
host, the certificate and the address like the gateway, and scrubs what comes back.
"""

import asyncio
import ssl
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace, TracebackType

import aiohttp
from yarl import URL

from goex_proxy.core.exchange import Request, Response
from goex_proxy.credentials.keyring import Keyring
from goex_proxy.credentials.peer import Upstreams
from goex_proxy.credentials.problem import CredentialRefusedError
from goex_proxy.upstream import network
from goex_proxy.upstream.answer import read_answer
from goex_proxy.upstream.errors import LostError, NotSentError, UpstreamError
from goex_proxy.upstream.failure import failed, reason_of
from goex_proxy.upstream.resolver import CheckedResolver
from goex_proxy.upstream.sender import Sender
from goex_proxy.upstream.tls import client_context
from goex_proxy.upstream.wire_request import Call, WirePeer, WireRequest, fields

_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT", "SEARCH"})
_NO_AUTO = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
_HEAD_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What of the config concerns the client. Times in seconds."""

    upstream_ca: Path | None = None
    """PEM, added to the system's roots."""
    allow: frozenset[str] = field(default_factory=frozenset)
    """`network.allow`: private `host:port` that may be dialled."""
    connect: float = 30.0
    timeout: float = 600.0
    """From the first byte sent to the last received."""
    connections: int = 100


class Client:
    """Use it as `async with Client(...)`. Reads share a pool; a `Sender` has its own connection."""

    def __init__(self, keyring: Keyring, upstreams: Upstreams, settings: Settings) -> None:
        self._keyring = keyring
        self._upstreams = upstreams
        self._settings = settings
        self._allow = settings.allow | upstreams.targets()
        self._sessions: tuple[aiohttp.ClientSession, aiohttp.ClientSession] | None = None

    async def __aenter__(self) -> "Client":
        context = client_context(self._settings.upstream_ca)
        self._sessions = (self._session(context, pool=True), self._session(context, pool=False))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        sessions, self._sessions = self._sessions, None
        for session in sessions or ():
            await session.close()

    async def fetch(self, request: Request, credential: str | None, *, limit: int) -> Response:
        """Send a read and return its answer, scrubbed; at most `limit` bytes of body.

        `credential`: the id that the request must carry (its placeholder is added if it carries
        none); None: it must carry none of ours. Raises NotSentError, LostError, TooLargeError,
        UnreadableError. Only a safe method is tried again, once, if a pooled connection was
        stale.
        """
        call = self._call(request, credential)
        call.go.set()
        try:
            return await self._exchange(request, call, limit, pool=True)
        except LostError:
            if not call.reused or request.method not in _SAFE:
                raise
        again = self._call(request, credential)
        again.go.set()
        return await self._exchange(request, again, limit, pool=False)

    def sender(self, request: Request, credential: str | None, *, limit: int) -> "Sender":
        """For a mutating request: `dial`, make `Sent` durable, then `send`."""
        call = self._call(request, credential)
        return Sender(call, self._exchange(request, call, limit, pool=False))

    def _call(self, request: Request, credential: str | None) -> Call:
        armed = request if credential is None else self._armed(request, credential)

        def arm(peer: WirePeer) -> Request:
            origin = armed.origin
            target = self._upstreams.address(origin)
            refused = network.refusal(peer.ip, target.host, target.port, self._allow)
            if refused is not None:
                raise NotSentError(refused)
            try:
                return self._keyring.swap(armed, peer, credential or "")
            except CredentialRefusedError as error:
                reason = str(error)
            raise NotSentError(reason)

        return Call(arm=arm)

    def _armed(self, request: Request, credential: str) -> Request:
        try:
            return self._keyring.arm(request, credential)
        except CredentialRefusedError as error:
            reason = str(error)
        raise NotSentError(reason)

    async def _exchange(self, request: Request, call: Call, limit: int, *, pool: bool) -> Response:
        """One request and its answer. No exception of aiohttp leaves: they hold the headers."""
        failure: UpstreamError
        try:
            async with asyncio.timeout(None) as clock:
                return await self._run(request, call, limit, clock, pool=pool)
        except UpstreamError as error:
            failure = error
        except TimeoutError:
            call.reused = False  # silence is no sign of a stale connection
            failure = failed(call, "the service did not answer in time")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            failure = failed(call, reason_of(error))
        raise failure.with_traceback(None)

    async def _run(
        self, request: Request, call: Call, limit: int, clock: asyncio.Timeout, *, pool: bool
    ) -> Response:
        if self._sessions is None:
            raise NotSentError("the client is closed")
        if request.body is None:
            raise NotSentError("the body of this request was not kept, so it cannot be sent")
        session = self._sessions[0 if pool else 1]
        url = self._url(request)

        async def give(
            sent: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
        ) -> aiohttp.ClientResponse:
            if isinstance(sent, WireRequest):
                sent.call = call
            return await handler(sent)

        async with session.request(
            request.method,
            url,
            headers=fields(request),
            data=request.body or None,
            skip_auto_headers=_NO_AUTO,
            allow_redirects=False,
            middlewares=(give,),
            trace_request_ctx=call,
        ) as response:
            clock.reschedule(asyncio.get_running_loop().time() + self._settings.timeout)
            return await read_answer(request, response, limit, self._keyring.scrubs)

    def _url(self, request: Request) -> URL:
        address = self._upstreams.address(request.origin)
        if not request.target.startswith("/") or "#" in request.target:
            raise NotSentError("the target of a request begins with / and has no fragment")
        scheme = "https" if address.tls else "http"
        refused = _literal_refusal(address.host, address.port, self._allow)
        if refused is not None:
            raise NotSentError(refused)
        host = f"[{address.host}]" if ":" in address.host else address.host
        text = f"{scheme}://{host}:{address.port}{address.prefix}{request.target}"
        return URL(text, encoded=True)

    def _session(self, context: ssl.SSLContext, *, pool: bool) -> aiohttp.ClientSession:
        settings = self._settings
        trace = aiohttp.TraceConfig()
        trace.on_connection_reuseconn.append(_note_reuse)
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=context,
                resolver=CheckedResolver(self._allow),
                use_dns_cache=False,
                limit=settings.connections,
                force_close=not pool,
                keepalive_timeout=15.0 if pool else None,
            ),
            request_class=WireRequest,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=settings.connect, sock_read=settings.timeout
            ),
            trust_env=False,
            auto_decompress=False,
            trace_configs=[trace],
            max_line_size=_HEAD_BYTES,
            max_field_size=_HEAD_BYTES,
        )
        session._retry_connection = False  # aiohttp would send an idempotent request twice
        return session


async def _note_reuse(
    session: aiohttp.ClientSession,
    context: SimpleNamespace,
    params: aiohttp.TraceConnectionReuseconnParams,
) -> None:
    call = context.trace_request_ctx
    if isinstance(call, Call):
        call.reused = True


def _literal_refusal(host: str, port: int, allow: Collection[str]) -> str | None:
    """An address in place of a name is never resolved, so it is checked here."""
    literal = ":" in host or host.rpartition(".")[2].isdigit()
    return network.refusal(host, host, port, allow) if literal else None

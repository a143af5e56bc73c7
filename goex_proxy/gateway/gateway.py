"""The gateway: listeners, what they share, and an orderly end.

mitmproxy's Master, addons and process-wide context are not used: its protocol layers are, one
stack per connection (`Link`). So several gateways can live in one process.
"""

import asyncio
import logging
import os
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path

from goex_proxy.gateway import guard
from goex_proxy.gateway.certificates import Authority, bundle, system_roots
from goex_proxy.gateway.link import Link
from goex_proxy.gateway.mediator import Mediator
from goex_proxy.gateway.tls import AgentSide, ServiceSide
from goex_proxy.gateway.underway import Expired, Underway
from goex_proxy.gateway.wait import Await

logger = logging.getLogger(__name__)

BACKLOG = 4096


class ListenError(Exception):
    """An address that cannot be listened on: which, why, and what to do."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the gateway needs to know of the configuration."""

    listen: tuple[tuple[str, int], ...] = (("127.0.0.1", 8080),)
    upstream_timeout: float = 600.0
    """Seconds without a word from the service, once the request was sent."""
    idle_timeout: float = 600.0
    """Seconds without a byte on a connection on which nothing is under way."""
    upstream_ca: Path | None = None
    """PEM file, added to the roots."""
    roots: bytes = field(default_factory=system_roots, repr=False)


class Gateway:
    """Serves agents until `stop`. One event loop; not for use from other threads."""

    def __init__(self, mediator: Mediator, authority: Authority, settings: Settings) -> None:
        """Raises guard.WrongMitmproxy, CertificateError."""
        self.options = guard.prepare(settings.idle_timeout)
        self.mediator = mediator
        self.settings = settings
        extra = settings.upstream_ca.read_bytes() if settings.upstream_ca else b""
        self.agent_side = AgentSide(authority)
        self.service_side = ServiceSide(bundle(settings.roots, extra))
        self.decisions: set[Await] = set()
        """Decisions that are awaited: interrupted when the gateway stops."""
        self.waiting: set[Underway] = set()
        """Exchanges that wait for their service."""
        self.stopping = False
        """No new request is begun."""
        self._links: set[Link] = set()
        self._quiet = asyncio.Event()
        self._servers: list[asyncio.Server] = []
        self._sockets: dict[Path, asyncio.Server] = {}
        self._ticker: asyncio.Task[None] | None = None

    # -- listening

    async def start(self) -> None:
        """Listen. Raises ListenError (then nothing is listened on)."""
        try:
            for host, port in self.settings.listen:
                await self._listen(host, port)
        except ListenError:
            self._close_listeners()
            raise
        self._ticker = asyncio.create_task(self._tick())

    async def _listen(self, host: str, port: int) -> None:
        try:
            made = await asyncio.start_server(
                lambda r, w: self._serve(r, w, None), host, port, backlog=BACKLOG
            )
        except OSError as error:
            raise ListenError(
                f"cannot listen on {host}:{port} ({error.strerror or error}); stop what uses it, "
                "or change `listen` in goex.yaml"
            ) from None
        self._servers.append(made)

    async def add_unix(self, path: Path, name: str) -> None:
        """Listen on a Unix socket (mode 0600) whose callers are `name`. Raises ListenError."""
        old = os.umask(0o177)
        try:
            made = await asyncio.start_unix_server(
                lambda r, w: self._serve(r, w, name), path, backlog=BACKLOG
            )
        except OSError as error:
            raise ListenError(f"cannot listen on {path} ({error.strerror or error})") from None
        finally:
            os.umask(old)
        self._sockets[path] = made

    def remove_unix(self, path: Path) -> None:
        """Listen there no more. What is connected already goes on: each request asks anew."""
        made = self._sockets.pop(path, None)
        if made is not None:
            made.close()
            path.unlink(missing_ok=True)

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]:
        """Where TCP is listened on: host and port, the real one if 0 was asked for."""
        return tuple(
            each.getsockname()[:2]
            for made in self._servers
            for each in made.sockets
            if each.family in (socket.AF_INET, socket.AF_INET6)
        )

    def is_self(self, ip: str, port: int, from_ip: str) -> bool:
        """Whether a connection from `from_ip` to this address reached one of our listeners."""
        for own, own_port in self.addresses:
            everywhere = own in ("0.0.0.0", "::")  # noqa: S104 - compared, not bound
            if port == own_port and (ip == own or (everywhere and ip == from_ip)):
                return True
        return False

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, local: str | None
    ) -> None:
        link = Link(self, reader, writer, local)
        self._links.add(link)
        try:
            await link.handle_client()
            await link.close_accounts()
        finally:
            self._links.discard(link)
            self._quiet.set()

    # -- time

    async def _tick(self) -> None:
        """Give up on services that have been silent for too long."""
        limit = self.settings.upstream_timeout
        while True:
            await asyncio.sleep(min(5.0, limit / 4))
            late = time.monotonic() - limit
            for exchange in [each for each in self.waiting if each.since < late]:
                self.waiting.discard(exchange)
                await exchange.link.server_event(Expired(exchange))

    # -- the end

    async def stop(self, grace: float = 5.0) -> None:
        """Take no more, answer what still waits for a decision, let the rest end in `grace` s."""
        self.stopping = True
        self._close_listeners()
        for decision in list(self.decisions):
            decision.interrupt()
        end = time.monotonic() + grace
        while self._busy() and time.monotonic() < end:  # noqa: ASYNC110 - many hands; polled once
            await asyncio.sleep(0.02)
        if self._ticker is not None:
            self._ticker.cancel()
        for link in list(self._links):
            link.abort()
        end = time.monotonic() + 2.0
        while self._links and time.monotonic() < end:
            self._quiet.clear()
            async with asyncio.timeout(2.0):
                await self._quiet.wait()

    def _busy(self) -> bool:
        under_way = any(link.lingering for link in self._links)
        return under_way or bool(self.waiting or self.decisions)

    def _close_listeners(self) -> None:
        for made in self._servers:
            made.close()
        for path in list(self._sockets):
            self.remove_unix(path)

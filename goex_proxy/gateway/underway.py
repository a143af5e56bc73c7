"""An exchange under way as others see it, and what it asks of its surroundings.

Layers, exchanges and the connection of an agent know one another only by this: so that each of
them can be read, and imported, without those above it.
"""

from dataclasses import dataclass
from typing import Protocol

from mitmproxy.connection import Connection
from mitmproxy.proxy import events, layer
from mitmproxy.proxy.layers.http import HttpStream

from goex_proxy.core.exchange import Response
from goex_proxy.gateway.destination import Tunnel
from goex_proxy.gateway.mediator import Client, Fault, Mediator
from goex_proxy.gateway.upstream import Upstream
from goex_proxy.gateway.wait import Await


class Underway(HttpStream):
    """One request and its answer. `Exchange` is the only kind there is."""

    link: "Line"
    server: Upstream | None
    """The connection to its service, while it has one."""
    since: float
    """When the service was last heard of, or spoken to (time.monotonic)."""

    def scrub_message(self, content: bytes) -> bytes:
        """One whole WebSocket message of the service, cleaned."""
        raise NotImplementedError

    async def orphaned(self) -> None:
        """The connection of its agent is over, and it did not come to its end."""
        raise NotImplementedError


class House(Protocol):
    """What exchanges ask of the gateway."""

    decisions: set[Await]
    """Decisions that are awaited: interrupted when the gateway stops."""
    waiting: set[Underway]
    """Exchanges that wait for their service."""
    stopping: bool
    """No new request is begun."""


class Line(Protocol):
    """What exchanges ask of the connection of their agent."""

    mediator: Mediator
    lingering: set[Underway]
    """Changes that were sent and have no outcome: they outlive their caller."""
    owed: set[Underway]
    """Exchanges that are, or were, admitted, and whose ticket has not been told how they ended."""
    sockets: dict[str, Underway]
    """Those that became a WebSocket, by their flow."""

    @property
    def gateway(self) -> House: ...

    def caller(self, authorization: str | None) -> Client | Response: ...
    def enter(self, tunnel: Tunnel, depth: int) -> None: ...
    def leap(self, child: layer.Layer) -> None: ...
    def refusal_bytes(self, fault: Fault, reason: str) -> bytes: ...
    def pause(self, connection: Connection) -> None: ...
    def resume(self, connection: Connection) -> None: ...
    def settle(self, exchange: Underway) -> None: ...
    async def server_event(self, event: events.Event) -> None: ...


@dataclass
class Expired(events.Event):
    """An exchange has waited too long for its service."""

    stream: Underway


@dataclass
class Release(events.Event):
    """All that a service had sent was read: the answer that it began is not complete yet."""

    stream: Underway

"""A connection to a service, and the wish for one.

Found by origin, never by address: two origins that are really on one machine (config
`upstreams`) never share a connection that proved the name of only one of them.
"""

from dataclasses import dataclass

from mitmproxy.connection import Connection, Server
from mitmproxy.proxy.layers.http import GetHttpConnection

from goex_proxy.core.exchange import Origin
from goex_proxy.gateway.mediator import Address


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

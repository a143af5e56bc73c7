"""From a parsed head to a core request: who calls, for what, and where it really goes."""

from mitmproxy import http

from goex_proxy.core.exchange import Origin, Request, Response
from goex_proxy.core.path import canonical
from goex_proxy.gateway import translate
from goex_proxy.gateway.destination import (
    Misread,
    authority_of,
    check_own_host,
    origin_in_tunnel,
    origin_of_uri,
)
from goex_proxy.gateway.layers import GatewayLayer
from goex_proxy.gateway.mediator import Client, Fault


def read(
    layer: GatewayLayer, incoming: http.Request, *, has_body: bool
) -> tuple[Client, Request] | Response:
    """The caller and the request; a Response if the caller is refused. Raises Misread."""
    translate.check_request(incoming)
    client = _caller(layer, incoming)
    if isinstance(client, Response):
        return client
    origin, target = _destination(layer, incoming)
    return client, translate.core_request(incoming, origin, target, has_body)


def connect_target(layer: GatewayLayer, incoming: http.Request) -> tuple[str, int] | Response:
    """Host and port that CONNECT may open. Raises Misread."""
    translate.check_request(incoming)
    if layer.tunnel is not None:
        raise Misread(Fault.MISDIRECTED, "CONNECT inside a tunnel")
    host, port = authority_of(incoming.data.authority.decode("latin-1"), "")
    for claimed in translate.field_values(incoming, b"host"):
        if authority_of(claimed, "https")[0] != host:
            raise Misread(Fault.MISDIRECTED, "CONNECT and the Host field name different hosts")
    client = _caller(layer, incoming)
    if isinstance(client, Response):
        return client
    refused = layer.link.mediator.tunnel(client, host, port)
    return (host, port) if refused is None else refused


def _caller(layer: GatewayLayer, incoming: http.Request) -> Client | Response:
    given = translate.field_values(incoming, b"proxy-authorization")
    if len(given) > 1:
        raise Misread(Fault.BAD_REQUEST, "more than one Proxy-Authorization field")
    return layer.link.caller(given[0] if given else None)


def _destination(layer: GatewayLayer, incoming: http.Request) -> tuple[Origin, str]:
    data = incoming.data
    target = data.path.decode("latin-1")
    if not target.startswith("/") and not (target == "*" and data.method == b"OPTIONS"):
        raise Misread(Fault.BAD_REQUEST, "the request target is neither a path nor a URI")
    scheme, authority = data.scheme.decode("latin-1"), data.authority.decode("latin-1")
    hosts = translate.field_values(incoming, b"host")
    if layer.tunnel is not None:
        return origin_in_tunnel(layer.tunnel, scheme, authority, hosts), target
    if authority and not layer.h2:
        return origin_of_uri(scheme, authority, hosts), target
    check_own_host(authority, hosts)
    try:
        found = layer.link.mediator.route(canonical(target))
    except ValueError as error:
        raise Misread(Fault.BAD_REQUEST, str(error)) from None
    if found is None:
        raise Misread(Fault.NO_ROUTE, "no route of this proxy begins with this path")
    return found

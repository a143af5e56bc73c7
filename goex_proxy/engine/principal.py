"""Who a credential acts as now: an entry is never undone in another's name."""

from goex_proxy.core.command import Fetch, FetchFailed
from goex_proxy.core.entry import Entry
from goex_proxy.core.exchange import Headers, Origin, Request
from goex_proxy.core.service import Service
from goex_proxy.core.value import dotted
from goex_proxy.engine.engine import Engine


async def principal(engine: Engine, service: Service, origin: Origin, credential: str) -> str:
    """Who it is, by the service's own word; '' if the service's file does not say how to ask.

    Raises `FetchFailed`.
    """
    shape = service.credential
    if shape is None or shape.check is None or not shape.principal:
        return ""
    method, path = shape.check
    request = Request(method=method, origin=origin, target=path, headers=Headers())
    response = await engine.fetch(Fetch(request=request, credential=credential))
    if not response.ok:
        raise FetchFailed(f"{method} {path} answered {response.status}")
    found = dotted(engine.shelf.book.read(response).value, shape.principal)
    return found if isinstance(found, str) else ""


async def principal_trouble(engine: Engine, entry: Entry) -> str:
    """Why the credential that an undo would use must not be used; '' if it may."""
    call = entry.call
    service = engine.shelf.book.catalog.named(entry.opened.service)
    if service is None or not call.credential or not call.principal:
        return ""
    try:
        now = await principal(engine, service, call.request.origin, call.credential)
    except FetchFailed as error:
        return f"its credential could not be checked: {error}"
    if now and now != call.principal:
        return f"the credential {call.credential_name} now acts as {now}, not as {call.principal}"
    return ""

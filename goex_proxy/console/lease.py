"""A session's lease: it is open as long as the connection of the process that runs its agent.

    POST /v1/session.lease, chunked: a line of JSON (the arguments of session.open), then nothing
    200, chunked: a line (what was opened); at the session's end another

However that process ends, SIGKILL included, the kernel closes its connection, and the session
is over. A gateway that stops ends the connection without the last line: its run may take the
session up again when there is a new one.
"""

import asyncio
import json
from contextlib import suppress

from aiohttp import web

from goex_proxy.console.api import Api

ENDED = b'{"ended": true}\n'


async def hold(request: web.Request, api: Api, stopping: asyncio.Event) -> web.StreamResponse:
    """Open a session and hold it. Raises what `Api.call` does, ValueError for a bad line."""
    args = json.loads(await request.content.readline())
    if not isinstance(args, dict):
        raise ValueError("the arguments are not an object")
    opened = await api.call("session.open", args)
    name = str(args["name"])
    waits = [asyncio.ensure_future(w) for w in (api.over(name), _left(request), stopping.wait())]
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    try:
        await response.prepare(request)
        await response.write(json.dumps(opened).encode() + b"\n")
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    except ConnectionError:
        pass  # it left while it was answered: the session ends here, as below
    finally:
        closed = waits[0].done()
        for wait in waits:
            wait.cancel()
        if not closed and not stopping.is_set():
            await api.call("session.close", {"name": name})
    if not stopping.is_set():
        with suppress(ConnectionError):
            await response.write(ENDED)
    return response


async def _left(request: web.Request) -> None:
    """Until the other end has finished its request, or is gone."""
    with suppress(OSError, web.RequestPayloadError):
        while await request.content.readany():
            continue

"""The control socket: HTTP over a 0600 Unix socket, for processes of the home's owner."""

import asyncio
import os
import socket
import struct
import sys
from functools import partial
from pathlib import Path

from aiohttp import web

from goex_proxy.console import lease
from goex_proxy.console.api import Api
from goex_proxy.console.fault import trail
from goex_proxy.engine.actions import ActionError

_UCRED = struct.Struct("3i")


class ControlServer:
    """Serves an `Api` on a socket file. A stale file of a dead gateway is replaced: the home's
    lock says that there is no other."""

    def __init__(self, api: Api, path: Path) -> None:
        self._api = api
        self._path = path
        self._stopping = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen. The folder is 0700, and the file is made 0600 before anyone can connect."""
        app = web.Application(client_max_size=1 << 20)
        app.router.add_post("/v1/{name}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        self._path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            await web.UnixSite(self._runner, str(self._path)).start()
        finally:
            os.umask(before)

    async def stop(self) -> None:
        self._stopping.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._path.unlink(missing_ok=True)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if not _is_owner(request):
            return _refusal(ActionError("not your gateway", 3), 403)
        name = request.match_info["name"]
        try:
            if name == "session.lease":
                return await lease.hold(request, self._api, self._stopping)
            args = await request.json()
            if not isinstance(args, dict):
                raise ActionError("the arguments are not an object", 2)
            # A connection that was closed has no transport: its person waits no longer.
            wanted = partial(_is_there, request)
            return web.json_response(await self._api.call(name, args, wanted))
        except ActionError as error:
            return _refusal(error, 400)
        except ValueError:
            return _refusal(ActionError("the body is not JSON", 2), 400)
        except Exception as error:  # noqa: BLE001 - counted, and told to both ends
            sys.stderr.write(f"goex: {name} failed: {trail(error)}\n")
            return _refusal(self._api.fault(name, error), 500)


def _refusal(error: ActionError, status: int) -> web.Response:
    return web.json_response({"error": str(error), "code": error.code}, status=status)


def _is_there(request: web.Request) -> bool:
    transport = request.transport
    return transport is not None and not transport.is_closing()


def _is_owner(request: web.Request) -> bool:
    """Whether the peer is our own user, or root (SO_PEERCRED, unix(7))."""
    transport = request.transport
    sock = transport.get_extra_info("socket") if transport is not None else None
    if sock is None:
        return False
    packed = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    _, uid, _ = _UCRED.unpack(packed)
    return uid in {os.geteuid(), 0}

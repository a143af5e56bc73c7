"""A small WebDAV service for `goex demo`: files in one folder, with ETags and If-Match.

A real HTTP service on loopback, of RFC 4918 only what the demo and its undo use: GET, HEAD,
PUT, DELETE, MKCOL, PROPFIND (depth 0 and 1). It keeps no state but its files.
"""

import asyncio
import threading
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote
from xml.sax.saxutils import escape

from aiohttp import web

if TYPE_CHECKING:
    from types import TracebackType

_START = 20.0


class DemoService:
    """Serves a folder on a free port, from a thread of its own, while it is entered."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="demo service", daemon=True)
        self.port = 0

    def __enter__(self) -> "DemoService":
        self._thread.start()
        if not self._ready.wait(_START):
            raise RuntimeError("the demo service did not start")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: "TracebackType | None",
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_START)

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path = self._path(request.match_info["path"])
        if path is None:
            return web.Response(status=403)
        body = await request.read()
        wanted = request.headers.get("If-Match", _etag(path))
        if wanted != _etag(path) or (request.headers.get("If-None-Match") and path.exists()):
            return web.Response(status=412)
        match request.method:
            case "GET" | "HEAD":
                return _get(path)
            case "PUT":
                return _put(path, body)
            case "DELETE":
                return _delete(path)
            case "MKCOL":
                return _make(path)
            case "PROPFIND":
                return self._properties(path, request.headers.get("Depth", "1"))
            case _:
                return web.Response(status=405)

    def _path(self, name: str) -> Path | None:
        path = (self._folder / name).resolve()
        return path if path == self._folder or self._folder in path.parents else None

    def _properties(self, path: Path, depth: str) -> web.Response:
        if not path.exists():
            return web.Response(status=404)
        shown = [path, *(sorted(path.iterdir()) if path.is_dir() and depth != "0" else ())]
        parts = "".join(self._property(each) for each in shown)
        text = f'<?xml version="1.0"?><D:multistatus xmlns:D="DAV:">{parts}</D:multistatus>'
        return web.Response(status=207, text=text, content_type="application/xml")

    def _property(self, path: Path) -> str:
        href = "/" + quote(path.relative_to(self._folder).as_posix().removeprefix("."))
        kind = "<D:collection/>" if path.is_dir() else ""
        tag = f"<D:getetag>{escape(_etag(path))}</D:getetag>" if path.is_file() else ""
        props = f"<D:prop><D:resourcetype>{kind}</D:resourcetype>{tag}</D:prop>"
        found = f"<D:propstat>{props}<D:status>HTTP/1.1 200 OK</D:status></D:propstat>"
        return f"<D:response><D:href>{href}</D:href>{found}</D:response>"


def _etag(path: Path) -> str:
    return f'"{sha256(path.read_bytes()).hexdigest()[:16]}"' if path.is_file() else ""


def _get(path: Path) -> web.Response:
    if not path.is_file():
        return web.Response(status=404)
    return web.Response(
        body=path.read_bytes(), headers={"ETag": _etag(path)}, content_type="text/plain"
    )


def _put(path: Path, body: bytes) -> web.Response:
    if not path.parent.is_dir() or path.is_dir():
        return web.Response(status=409)
    status = 204 if path.exists() else 201
    path.write_bytes(body)
    return web.Response(status=status, headers={"ETag": _etag(path)})


def _delete(path: Path) -> web.Response:
    if path.is_dir():
        return web.Response(status=403)
    if not path.exists():
        return web.Response(status=404)
    path.unlink()
    return web.Response(status=204)


def _make(path: Path) -> web.Response:
    if path.exists() or not path.parent.is_dir():
        return web.Response(status=405 if path.exists() else 409)
    path.mkdir()
    return web.Response(status=201)

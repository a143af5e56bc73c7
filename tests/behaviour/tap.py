"""What stands between the gateway and a bed: it counts requests, and fails where it is told to.

The services are third-party; the faults are ours. One thread serves all taps of a test run.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

READS = frozenset({"GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT", "SEARCH"})
SLACK_READS = ("list", "info", "history", "replies", "members", "get", "auth.test", "getPermalink")
_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came from the gateway."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def writes(self) -> bool:
        """By verb; for Slack by the method's name; git's advertisement is a GET."""
        if self.target.startswith("/api/"):
            return not self.target.partition("?")[0].endswith(SLACK_READS)
        return self.method not in READS and not self.target.endswith("git-upload-pack")


@dataclass(slots=True)
class Fault:
    """What happens to the next `times` requests that `matches` accepts."""

    matches: Callable[[Asked], bool]
    forward: bool = True
    """Whether the service gets it."""
    before: float = 0.0
    """Seconds that it is kept before the service gets it."""
    delay: float = 0.0
    """Seconds between the service's answer and ours."""
    cut: int | None = None
    """Bytes of the answer that are relayed before the connection is closed."""
    status: int | None = None
    """An answer of our own instead."""
    times: int = 1
    hit: threading.Event = field(default_factory=threading.Event)
    """Set when the request is here, whole."""
    done: threading.Event = field(default_factory=threading.Event)
    """Set when the service has answered, or the request was not handed on."""


def writing(asked: Asked) -> bool:
    """Matches any write."""
    return asked.writes


class Loop:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run[T](self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def stop(self) -> None:
        self.run(_cancel_others())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()


async def _cancel_others() -> None:
    others = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


class Tap:
    """A plain-HTTP relay on 127.0.0.1 to a bed's port."""

    def __init__(self, loop: Loop, bed_port: int) -> None:
        self.asked: list[Asked] = []
        self.faults: list[Fault] = []
        self._bed_port = bed_port
        self._loop = loop
        self._server = loop.run(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port: int = self._server.sockets[0].getsockname()[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def writes(self) -> list[Asked]:
        """The writes that came, in order."""
        return [asked for asked in list(self.asked) if asked.writes]

    def fail(self, matches: Callable[[Asked], bool] = writing, **how: Any) -> Fault:  # noqa: ANN401 - Fault's fields
        fault = Fault(matches, **how)
        self.faults.append(fault)
        return fault

    def clear(self) -> None:
        self.asked.clear()
        self.faults.clear()

    def wait(self, count: int, seconds: float = 5.0) -> list[Asked]:
        """Wait until that many writes have come; what has."""
        deadline = time.monotonic() + seconds
        while len(self.writes()) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.writes()

    def close(self) -> None:
        self._loop.run(self._close())

    async def _close(self) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the gateway closed its end, or was killed: nothing to relay to
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        asked, raw = await _request(reader)
        self.asked.append(asked)
        fault = self._fault(asked)
        if fault is None:
            writer.write(await self._forward(raw))
            await writer.drain()
            return False
        fault.hit.set()
        await asyncio.sleep(fault.before)
        answer = await self._forward(raw) if fault.forward else b""
        fault.done.set()
        await asyncio.sleep(fault.delay)
        if fault.status is not None:
            answer = f"HTTP/1.1 {fault.status} Fault\r\nContent-Length: 2\r\n\r\n{{}}".encode()
        if fault.forward or fault.status is not None:
            writer.write(answer[: fault.cut])
            await writer.drain()
        return False

    def _fault(self, asked: Asked) -> Fault | None:
        for fault in self.faults:
            if fault.times > 0 and fault.matches(asked):
                fault.times -= 1
                return fault
        return None

    async def _forward(self, raw: bytes) -> bytes:
        """Hand on one request, its connection closed afterwards, and read the answer whole."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._bed_port)
        try:
            writer.write(raw)
            await writer.drain()
            return await reader.read(-1)
        finally:
            writer.close()


async def _request(reader: asyncio.StreamReader) -> tuple[Asked, bytes]:
    head = await reader.readuntil(_END)
    first, *lines = head[:-4].decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    fields = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines)}
    body = await _body(reader, fields)
    kept = [line for line in lines if not line.lower().startswith(_HOPS)]
    kept += [f"Content-Length: {len(body)}"] if body or "content-length" in fields else []
    raw = "\r\n".join([first, *kept, "Connection: close", "", ""]).encode("latin-1") + body
    return Asked(method, target, fields, body, time.monotonic()), raw


_HOPS = ("connection:", "keep-alive:", "content-length:", "transfer-encoding:")


async def _body(reader: asyncio.StreamReader, fields: dict[str, str]) -> bytes:
    if "chunked" not in fields.get("transfer-encoding", ""):
        return await reader.readexactly(int(fields.get("content-length", "0")))
    body = b""
    while size := int((await reader.readline()).partition(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body


@contextlib.contextmanager
def loop() -> Any:  # noqa: ANN401 - a context manager's type is long
    """A `Loop` for as long as it is needed."""
    made = Loop()
    try:
        yield made
    finally:
        made.stop()

"""Waiting in the middle of a stream: a generator yields `Await`, a coroutine runs meanwhile.

Only this stream waits; others on the same connection go on (mitmproxy pauses the layer that
yielded a blocking command). What the coroutine returned or raised is kept on the command.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from mitmproxy.proxy.commands import StartHook


class Interrupted(Exception):
    """The gateway is stopping: the decision was not waited for."""


@dataclass
class Await(StartHook):
    """One coroutine to run. `Link.handle_hook` calls `run`; nothing else does."""

    name: ClassVar[str] = "goex_await"
    work: Callable[[], Awaitable[Any]]
    value: Any = None
    error: Exception | None = None
    _task: "asyncio.Task[Any] | None" = field(default=None, repr=False)
    _stopped: bool = False
    _over: bool = False
    _ended: asyncio.Event | None = field(default=None, repr=False)

    async def run(self) -> None:
        """Never raises, but for a cancellation that is not ours."""
        self._task = asyncio.current_task()
        try:
            if self._stopped:
                raise Interrupted
            self.value = await self.work()
        except Exception as error:  # noqa: BLE001 - kept, and raised again in the stream
            self.error = error
        except asyncio.CancelledError:
            if not self._stopped:
                raise
            self.error = Interrupted()
            if self._task is not None:
                self._task.uncancel()
        finally:
            self._task = None
            self._over = True
            if self._ended is not None:
                self._ended.set()

    async def finished(self) -> None:
        """Wait until it is over, for one whom the stream does not tell. Where the stream can still
        be told, it was, and has gone on, before this returns."""
        if not self._over:
            self._ended = self._ended or asyncio.Event()
            await self._ended.wait()

    def interrupt(self) -> None:
        """Stop waiting; the stream sees Interrupted."""
        self._stopped = True
        if self._task is not None:
            self._task.cancel()

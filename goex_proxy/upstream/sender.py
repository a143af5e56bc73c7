"""Sending what changes something: dial first, send when it is recorded."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from goex_proxy.core.exchange import Response
from goex_proxy.upstream.wire_request import Call


class Sender:
    """One mutating request, in two steps, so that `Sent` is durable before the first byte."""

    def __init__(self, call: Call, exchange: Coroutine[Any, Any, Response]) -> None:
        self._call = call
        self._task = asyncio.ensure_future(exchange)

    def __repr__(self) -> str:
        return "Sender(redacted)"

    async def dial(self) -> None:
        """Returns when the connection is up, verified and checked; nothing was sent.

        Raises NotSentError.
        """
        ready = asyncio.ensure_future(self._call.ready.wait())
        try:
            await asyncio.wait({ready, self._task}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
        if self._task.done():
            self._task.result()

    async def send(self) -> Response:
        """Let it leave, and wait for the answer.

        Cancelling the wait does not cut the call: await `send` again for its outcome. Raises
        NotSentError (the connection was lost meanwhile), LostError, TooLargeError,
        UnreadableError.
        """
        self._call.go.set()
        return await asyncio.shield(self._task)

    async def abandon(self) -> None:
        """Give up. Before `send`, nothing was sent; after it, the outcome is unknown."""
        self._task.cancel()
        await asyncio.wait({self._task})
        if not self._task.cancelled():
            self._task.exception()

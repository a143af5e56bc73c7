"""Who may change which resource now: one call or undo at a time, through this gateway.

It closes the race between taking an image and writing among agents of one gateway; against
everybody else only the service's own preconditions help.
"""

import asyncio
from collections import deque


class Holder:
    """One call's hold on resources. Taking what it has already is no wait; order is by name,
    so that two holders never wait for each other."""

    def __init__(self, table: "LockTable") -> None:
        self._table = table
        self._keys: list[str] = []

    async def take(self, keys: tuple[str, ...]) -> None:
        """Wait for all of these. If the task is cancelled meanwhile, nothing more is held.

        What comes before one that is held already breaks the order: then all are let go of
        first, and others may have them meanwhile. What was read before counts no more.
        """
        missing = set(keys) - set(self._keys)
        if missing and self._keys and min(missing) < max(self._keys):
            missing |= set(self._keys)
            self.release()
        for key in sorted(missing):
            await self._table.acquire(key)
            self._keys.append(key)

    def release(self) -> None:
        """Let go of everything. A second call does nothing."""
        keys, self._keys = self._keys, []
        for key in keys:
            self._table.release(key)


class LockTable:
    """Locks by key, first come first served; one that nobody holds takes no memory."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    def holder(self) -> Holder:
        return Holder(self)

    async def acquire(self, key: str) -> None:
        queue = self._waiting.get(key)
        if queue is None:
            self._waiting[key] = deque()
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release(key)
            else:
                queue.remove(turn)
            raise

    def release(self, key: str) -> None:
        queue = self._waiting[key]
        while queue:
            turn = queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        del self._waiting[key]

    def __len__(self) -> int:
        return len(self._waiting)

"""Appends under way: who waits for them, and what the writer thread is to do."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from goex_proxy.stores.appending import Outcome, Prepared
from goex_proxy.stores.open_transaction import OpenTransaction


@dataclass(slots=True)
class Waiting:
    prepared: Prepared
    future: asyncio.Future[Outcome]


class Batch:
    """Appends on their way to the writer thread. Given up if the lock takes too long: then,
    and only then, nothing of it will be written."""

    def __init__(self, batch: Sequence[Prepared], deliver: Callable[[list[Outcome]], None]) -> None:
        self.batch = batch
        self.deliver = deliver
        self._guard = threading.Lock()
        self._settled = False

    def claim(self) -> bool:
        """For the writer (may it write?) and for the clock (may it give up?): the first wins."""
        with self._guard:
            first, self._settled = not self._settled, True
        return first


class Written:
    """A batch whose statements have run: the thread is to commit it."""

    def __init__(
        self,
        transaction: OpenTransaction,
        outcomes: list[Outcome],
        deliver: Callable[[list[Outcome]], None],
    ) -> None:
        self.transaction = transaction
        self.outcomes = outcomes
        self.deliver = deliver

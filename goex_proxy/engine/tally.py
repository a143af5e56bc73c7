"""How many changes a session has made: a fact for policy, counted so that no burst gets past it.

What was sent is counted from the journal once, in a thread (of a million entries it takes about
a second), and in memory from there on. What has been
decided and may yet be sent counts from its decision; it is taken back if it is not sent.
"""

import asyncio
from collections.abc import Callable

from goex_proxy.core.call import Caller
from goex_proxy.stores.journal_errors import JournalError

UNKNOWN = -1
"""The journal could not be read: a rule that asks for the number fails closed."""


class Tally:
    """One per process; for one event loop."""

    def __init__(self, count: Callable[[Caller], int]) -> None:
        """`count`: what the journal says was sent. May raise `JournalError`."""
        self._count = count
        self._sent: dict[Caller, int] = {}
        self._may_be: dict[Caller, int] = {}
        self._asked: dict[Caller, asyncio.Task[None]] = {}
        self._meanwhile: dict[Caller, int] = {}

    def knows(self, caller: Caller) -> bool:
        """Whether `of` need not ask the journal."""
        return caller in self._sent

    async def learn(self, caller: Caller) -> None:
        """Have it counted beside the event loop. If the journal cannot be read, `of` says so."""
        if caller in self._sent:
            return
        task = self._asked.get(caller)
        if task is None:
            task = self._asked[caller] = asyncio.create_task(self._learn(caller))
        await asyncio.shield(task)

    async def _learn(self, caller: Caller) -> None:
        self._meanwhile[caller] = 0
        try:
            sent = await asyncio.to_thread(self._count, caller)
            # What was sent while it was counted may count twice: too many fails closed.
            self._sent.setdefault(caller, sent + self._meanwhile[caller])
        except JournalError:
            return
        finally:
            del self._meanwhile[caller], self._asked[caller]

    def of(self, caller: Caller) -> int:
        """The number, with what may yet be sent; `UNKNOWN`."""
        sent = self._sent.get(caller)
        if sent is None:
            try:
                sent = self._sent[caller] = self._count(caller)
            except JournalError:
                return UNKNOWN
        return sent + self._may_be.get(caller, 0)

    def reserve(self, caller: Caller) -> "Place":
        """Count one that is being decided."""
        self._may_be[caller] = self._may_be.get(caller, 0) + 1
        return Place(self, caller)

    def wrote(self, caller: Caller) -> None:
        """Count one that was sent without being reserved."""
        if caller in self._sent:
            self._sent[caller] += 1
        elif caller in self._meanwhile:
            self._meanwhile[caller] += 1
        # Else it will be in the journal when it is first asked for.

    def leave(self, caller: Caller) -> None:
        """For `Place`: one less that may be sent."""
        left = self._may_be[caller] - 1
        if left:
            self._may_be[caller] = left
        else:
            del self._may_be[caller]


class Place:
    """One call that counts, until it is known that it is not sent."""

    def __init__(self, tally: Tally, caller: Caller) -> None:
        self._tally: Tally | None = tally
        self._caller = caller

    def sent(self) -> None:
        """It counts for good."""
        if self._tally is not None:
            self._tally.wrote(self._caller)
            self.release()

    def release(self) -> None:
        """It was not sent; once it was, this does nothing."""
        tally, self._tally = self._tally, None
        if tally is not None:
            tally.leave(self._caller)

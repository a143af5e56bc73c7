"""Retries: which entry a call is really about, when it has been made before.

A retry (same session, same call) of one that is held, in doubt, or whose first caller hung
up joins it: never two sends, never two holds. Two identical calls whose callers both wait
are two calls.
"""

from collections import OrderedDict

from goex_proxy.engine.tickets import LiveTicket

_MOST = 4096


class Joins:
    """By fingerprint: the entry that a retry would be about, and who is sending it now."""

    def __init__(self) -> None:
        self._entries: OrderedDict[str, int] = OrderedDict()
        self._live: dict[str, LiveTicket] = {}

    def entry(self, fingerprint: str) -> int | None:
        return self._entries.get(fingerprint)

    def remember(self, fingerprint: str, entry: int) -> None:
        """A retry of this call is about that entry."""
        self._entries[fingerprint] = entry
        self._entries.move_to_end(fingerprint)
        while len(self._entries) > _MOST:
            self._entries.popitem(last=False)

    def forget(self, fingerprint: str) -> None:
        self._entries.pop(fingerprint, None)

    def live(self, fingerprint: str) -> LiveTicket | None:
        return self._live.get(fingerprint)

    def begin(self, fingerprint: str, ticket: LiveTicket) -> None:
        self._live[fingerprint] = ticket

    def end(self, fingerprint: str, ticket: LiveTicket) -> None:
        if self._live.get(fingerprint) is ticket:
            del self._live[fingerprint]

    def __len__(self) -> int:
        return len(self._live)

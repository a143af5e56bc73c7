"""What must be done beside the appends, in a thread of its own: checkpoints, and fresh keys."""

import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from goex_proxy.stores.journal_errors import JournalError


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to do when `due`."""

    name: str
    due: Callable[[], bool]
    do: Callable[[], None]


class Housekeeper:
    """Looks after its chores when woken. If one fails it is tried again at the next wake; why it
    failed stays in `troubles`, for `status` and `doctor`. Nothing that is promised rests on it:
    without it SQLite checkpoints by itself (later), and an append makes its keys (slower)."""

    def __init__(self, chores: Sequence[Chore]) -> None:
        self._chores = chores
        self._woken = threading.Event()
        self._stop = False
        self._thread: threading.Thread | None = None
        self._guard = threading.Lock()
        self.troubles: dict[str, str] = {}

    def wake(self) -> None:
        """Look at the chores soon. Cheap; from any thread."""
        if self._thread is None:
            self._start()
        self._woken.set()

    def _start(self) -> None:
        with self._guard:
            if self._thread is not None or self._stop:
                return
            self._thread = threading.Thread(
                target=self._work, name="goex-journal-housekeeper", daemon=True
            )
            self._thread.start()

    def _work(self) -> None:
        while True:
            self._woken.wait()
            self._woken.clear()
            if self._stop:
                return
            for chore in self._chores:
                self._see_to(chore)

    def _see_to(self, chore: Chore) -> None:
        try:
            if chore.due():
                chore.do()
            self.troubles.pop(chore.name, None)
        except (JournalError, sqlite3.Error, OSError) as error:
            self.troubles[chore.name] = str(error)

    def close(self, timeout: float) -> None:
        """Finish what is being done, and stop."""
        with self._guard:
            self._stop = True
        self._woken.set()
        if self._thread is not None:
            self._thread.join(timeout)

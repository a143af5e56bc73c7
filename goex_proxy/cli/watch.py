"""What happens in a session: held calls as they come, and the list at its end."""

import threading
from typing import TYPE_CHECKING

from goex_proxy.cli.render import plain, talk

if TYPE_CHECKING:
    from types import TracebackType

    from goex_proxy.home import Home
    from goex_proxy.stores.rows import LogRow

_POLL = 0.4
_LISTED = 20
_CHANGED = ("applied", "partial", "undoing", "conflict", "stuck", "kept", "pending")


class HeldWatch:
    """While it is entered: says on stderr what is held, and the command that approves it."""

    def __init__(self, home: "Home", session: str) -> None:
        self._home = home
        self._session = session
        self._end = threading.Event()
        self._told: set[int] = set()
        self._thread = threading.Thread(target=self._watch, name="held", daemon=True)

    def __enter__(self) -> "HeldWatch":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: "TracebackType | None",
    ) -> None:
        self._end.set()
        self._thread.join(5.0)

    def _watch(self) -> None:
        from goex_proxy.stores.journal_errors import JournalError
        from goex_proxy.stores.rows import Filters

        filters = Filters(session=self._session, states=("held",))
        with self._home.reader() as reader:
            while not self._end.wait(_POLL):
                try:
                    rows = list(reader.log(filters))
                except JournalError as error:
                    talk(f"goex: held calls can no longer be announced: {error}")
                    return
                for row in rows:
                    self._tell(row)

    def _tell(self, row: "LogRow") -> None:
        if row.id in self._told:
            return
        self._told.add(row.id)
        c = row.columns
        target = f"{plain(c['host'])}{plain(c['path'])}"
        talk(
            # The agent may have the terminal in raw mode: a line needs its carriage return.
            f"\r\ngoex: held e{row.id}: {plain(c['operation'])} {target}: {plain(c['reason'])}\r\n"
            f"goex: from another terminal: goex show e{row.id}; goex approve e{row.id}\r"
        )


def summary(home: "Home", session: str) -> None:
    """What was changed, held and refused in a session, and the next command to type."""
    from goex_proxy.core.journal import State
    from goex_proxy.stores.rows import Filters

    with home.reader() as reader:
        rows = [r for r in reader.log(Filters(session=session)) if r.columns["undo_of"] is None]
    by: dict[str, list[LogRow]] = {}
    for row in rows:
        by.setdefault(State(str(row.columns["state"])).public, []).append(row)
    changed = [row for state in _CHANGED for row in by.get(state, [])]
    talk(f"goex: session {session}: {_counts(len(changed), by)}")
    for row in sorted(changed, key=lambda row: row.id)[-_LISTED:]:
        c = row.columns
        target = f"{plain(c['host'])}{plain(c['path'])}"
        talk(f"  e{row.id}  {plain(c['operation'])}  {target}  {c['fidelity']}")
    for row in by.get("held", []):
        talk(f"hint: goex show e{row.id}; goex approve e{row.id}")
    for row in by.get("in_doubt", []):
        talk(f"hint: goex resolve e{row.id} --applied or --not-applied")
    if any(row.columns["fidelity"] != "none" for row in by.get("applied", [])):
        talk(f"hint: take it back: goex undo --session {session}")
    elif by.get("refused"):
        talk(f"hint: why: goex log --session {session} --state refused")


def _counts(changed: int, by: "dict[str, list[LogRow]]") -> str:
    said = [f"{changed} changed"]
    for state in ("held", "refused", "failed", "in_doubt", "undone"):
        if by.get(state):
            said.append(f"{len(by[state])} {state.replace('_', ' ')}")
    return ", ".join(said)

"""`goex log`: what was called, newest last. Reads the journal; needs no gateway."""

import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from goex_proxy.cli.failure import Failure
from goex_proxy.cli.given import MOMENT, json_option, made_home
from goex_proxy.cli.render import plain

if TYPE_CHECKING:
    from goex_proxy.home import Home
    from goex_proxy.stores.reader import JournalReader
    from goex_proxy.stores.rows import Filters, LogRow

STATES = (
    *("held", "refused", "abandoned", "pending", "applied", "partial", "failed", "in_doubt"),
    *("undoing", "undone", "compensated", "conflict", "stuck", "expired", "kept"),
)
TITLES = ("id", "time", "session", "operation", "target", "status", "state", "fidelity", "rule")
_TARGET = 4
_POLL = 0.4
_COMMON = 50


@click.command(short_help="What was called, newest last")
@click.option("--session", metavar="S")
@click.option("--agent", metavar="A")
@click.option("--service", metavar="NAME")
@click.option("--host", metavar="HOST")
@click.option("--operation", metavar="GLOB", help="Such as github.issues/*")
@click.option("--state", type=click.Choice(STATES), multiple=True)
@click.option("--effect", type=click.Choice(["allow", "hold", "deny"]))
@click.option("--fidelity", type=click.Choice(["exact", "equivalent", "compensating", "none"]))
@click.option("--since", type=MOMENT, help="30m, 2h, 1d, or a time")
@click.option("--by", type=click.Choice(["agent", "person"]), help="Who wanted it.")
@click.option("--last", type=click.IntRange(1), metavar="N", help=f"Else {_COMMON} on a terminal.")
@click.option("--follow", "-f", is_flag=True, help="Go on: a line whenever an entry changes.")
@json_option
def log(
    *,
    operation: str | None,
    state: tuple[str, ...],
    by: str | None,
    last: int | None,
    follow: bool,
    as_json: bool,
    **columns: str | None,
) -> None:
    """What was called, newest last.

    Every change has an entry, and so have reads that were held or refused. With --json: an
    object a line.
    """
    from goex_proxy.stores.rows import Filters

    home = made_home()
    wanted = Filters(**columns, states=_internal(state), last=None)  # type: ignore[arg-type]
    with home.reader() as reader:
        seen = reader.head().seq
        if columns["session"] is not None and not follow:
            _require_session(home, reader, columns["session"])
        chosen = _Chosen(reader, wanted, operation, by)
        chosen.show(chosen.newest(last or _default_last(as_json)), as_json=as_json)
        while follow:
            time.sleep(_POLL)
            seen = chosen.follow(seen, as_json=as_json)


def _require_session(home: "Home", reader: "JournalReader", name: str) -> None:
    """One that made no call yet is known to the gateway alone."""
    from goex_proxy.cli.control import asked
    from goex_proxy.stores.rows import Filters

    if next(iter(reader.log(Filters(session=name, last=1))), None) is not None:
        return
    sessions = (asked(home, "session.list") or {}).get("sessions")
    if not any(each["name"] == name for each in sessions or ()):  # type: ignore[attr-defined]
        raise Failure(f"there is no session {plain(name)}", hint="goex session list")


def _default_last(as_json: bool) -> int | None:
    return None if as_json or not sys.stdout.isatty() else _COMMON


def _internal(states: tuple[str, ...]) -> tuple[str, ...]:
    """The journal's states that people see as these."""
    if not states:
        return ()
    from goex_proxy.core.journal import State

    return tuple(s.value for s in State if s.public in states)


class _Chosen:
    """The entries that somebody asked for, as lines."""

    def __init__(
        self, reader: "JournalReader", filters: "Filters", operation: str | None, by: str | None
    ) -> None:
        self._reader = reader
        self._filters = filters
        self._operation = operation
        self._by = by

    def newest(self, last: int | None) -> list["LogRow"]:
        """The newest that pass, oldest first."""
        from dataclasses import replace

        whole = self._operation is None and self._by is None
        filters = replace(self._filters, last=last if whole else None)
        if self._operation is not None and "*" not in self._operation:
            filters = replace(filters, operation=self._operation)
        rows = [row for row in self._reader.log(filters) if self._passes(row)]
        return rows[-last:] if last else rows

    def follow(self, seen: int, *, as_json: bool) -> int:
        """Show the entries that changed since an event; the number of the newest event."""
        changed: dict[int, None] = {}
        for event in self._reader.all_events(seen):
            changed[event.entry] = None
            seen = event.seq
        rows = (self._reader.entry(id_) for id_ in changed)
        self.show([r for r in rows if r and self._passes(r, every=True)], as_json=as_json)
        return seen

    def show(self, rows: list["LogRow"], *, as_json: bool) -> None:
        """A line each, and in the order given."""
        from goex_proxy.report import log_fields

        fields = [log_fields(row) for row in rows]
        if as_json:
            import json

            for each in fields:
                click.echo(json.dumps(each, ensure_ascii=False))
            return
        from goex_proxy.cli.render import table

        table(TITLES, map(_cells, fields), stretch=_TARGET)

    def _passes(self, row: "LogRow", *, every: bool = False) -> bool:
        """What the journal did not filter itself; `every`: all of it."""
        from goex_proxy.core import glob

        c = row.columns
        if self._by is not None and c["actor"] != self._by:
            return False
        if self._operation and not glob.matches(self._operation, str(c["operation"])):
            return False
        return not every or all(value == c[name] for name, value in self._columns(c["state"]))

    def _columns(self, state: object) -> Iterator[tuple[str, object]]:
        filters = self._filters
        for name in ("session", "agent", "service", "host", "effect", "fidelity"):
            if (value := getattr(filters, name)) is not None:
                yield name, value
        if filters.states and state not in filters.states:
            yield "state", filters.states[0]


def _cells(fields: dict[str, object]) -> tuple[object, ...]:
    of = fields.get("undo_of") or fields.get("redo_of")
    verb = "undoes" if fields.get("undo_of") else "redoes"
    return (
        fields["id"],
        str(fields["time"])[:19].replace("T", " "),
        fields["session"],
        f"{fields['operation']} ({verb} {of})" if of else fields["operation"],
        f"{fields['method']} {str(fields['url']).partition('://')[2]}",
        fields["status"],
        fields["state"],
        fields["fidelity"],
        fields["rule"],
    )


def entry_missing(id_: int) -> Failure:
    """There is no such entry."""
    return Failure(f"there is no entry e{id_}", hint="goex log")

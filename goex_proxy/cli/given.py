"""What commands are given: the home, entries, times; and the options that several share."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from goex_proxy.home import Home

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGO = re.compile(r"(\d{1,6})([smhdw])")

json_option = click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")


def the_home() -> "Home":
    """The home of `--home` or GOEX_HOME; it need not exist."""
    from goex_proxy.home import Home

    root = click.get_current_context().find_root()
    return Home.find(root.params.get("home"))


def made_home() -> "Home":
    """The home, which must have been made. Raises HomeError."""
    home = the_home()
    home.require()
    return home


def person() -> str:
    """Who is at the keyboard, as the journal will name them."""
    import getpass
    import os

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid-{os.geteuid()}"


class EntryId(click.ParamType[int]):
    """`e1042` or `1042` -> 1042."""

    name = "entry"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        text = str(value).removeprefix("e")
        if not (text.isascii() and text.isdigit() and 0 < len(text) < 16):
            self.fail(f"{value!r} is not an entry; write it like e1042", param, ctx)
        return int(text)


class Moment(click.ParamType[str]):
    """`30m`, `2h`, `1d`, or RFC 3339 -> RFC 3339, UTC."""

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        text = str(value)
        ago = _AGO.fullmatch(text)
        try:
            if ago:
                moment = datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
            else:
                moment = datetime.fromisoformat(text)
        except (ValueError, OverflowError):
            self.fail(
                f"{text!r} is no time; write 30m, 2h, 1d, or 2026-11-21T08:00:00Z", param, ctx
            )
        if moment.tzinfo is None:
            moment = moment.astimezone()
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


ENTRY = EntryId()
MOMENT = Moment()


def selection_options[F: Callable[..., Any]](command: F) -> F:
    """IDs, or `--session`, `--since`, `--last`."""
    for option in (
        click.option("--last", type=click.IntRange(1, 10_000), metavar="N", help="The newest N."),
        click.option("--since", type=MOMENT, help="Since then: 30m, 2h, 1d, or a time."),
        click.option("--session", metavar="S", help="Those of a session."),
        click.argument("ids", nargs=-1, type=ENTRY, metavar="[ID]..."),
    ):
        command = option(command)
    return command


def selection(
    ids: tuple[int, ...], session: str | None, since: str | None, last: int | None
) -> dict[str, object]:
    """The arguments of an action on entries. IDs exclude the rest."""
    if ids and (session or since or last):
        raise click.UsageError("name entries, or choose them by --session, --since, --last")
    given: dict[str, object] = {"session": session, "since": since, "last": last}
    if ids:
        return {"ids": list(ids)}
    return {name: value for name, value in given.items() if value is not None}

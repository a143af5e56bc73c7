"""`goex session`: runs of agents, as units."""

import json

import click

from goex_proxy.cli.control import act
from goex_proxy.cli.given import json_option, made_home
from goex_proxy.cli.render import plain, table, talk


@click.group(short_help="Runs of agents, as units")
def session() -> None:
    """Runs of agents: what one did can be seen and taken back as a whole."""


@session.command("list", short_help="Sessions, newest last")
@json_option
def list_(*, as_json: bool) -> None:
    """Sessions, newest last."""
    found = act(made_home(), "session.list")["sessions"]
    known = found if isinstance(found, list) else []
    if as_json:
        click.echo(json.dumps(known, ensure_ascii=False))
        return
    cells = (
        (k["name"], k["agent"], k["level"], _time(k["started"]), _time(k["ended"]) or "open")
        for k in known
    )
    table(("name", "agent", "level", "started", "ended"), cells)
    if not known:
        talk("there was no session yet; goex run -- CMD makes one")


def _time(told: str) -> str:
    """To the second, UTC, as `goex log` shows it."""
    return told[:19].replace("T", " ")


@session.command(short_help="End a session")
@click.argument("name")
def close(*, name: str) -> None:
    """End a session: its password is worth nothing any more, at once, while its agent runs on.

    One whose run has ended, however it ended, is closed by itself.
    """
    act(made_home(), "session.close", {"name": name})
    talk(f"{plain(name)} is closed")

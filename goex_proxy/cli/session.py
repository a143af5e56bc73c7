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
    cells = ((k["name"], k["agent"], k["started"], k["ended"] or "open") for k in known)
    table(("name", "agent", "started", "ended"), cells)


@session.command(short_help="End a session whose run was killed")
@click.argument("name")
def close(*, name: str) -> None:
    """End a session: its password is worth nothing any more. For one whose run was killed."""
    act(made_home(), "session.close", {"name": name})
    talk(f"{plain(name)} is closed")

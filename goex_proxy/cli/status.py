"""`goex status`: how the gateway does."""

import json
from typing import TYPE_CHECKING

import click

from goex_proxy.cli.control import asked
from goex_proxy.cli.given import json_option, made_home
from goex_proxy.cli.render import facts, talk

if TYPE_CHECKING:
    from goex_proxy.home import Home


@click.command(short_help="How the gateway does, and what waits")
@json_option
def status(*, as_json: bool) -> None:
    """Whether a gateway runs, where, with what; and what waits for a person."""
    home = made_home()
    told = asked(home, "status")
    fields = {"home": str(home.path), "running": told is not None, **(told or {}), **_open(home)}
    if as_json:
        click.echo(json.dumps(fields, ensure_ascii=False))
        return
    facts((name.replace("_", " "), _text(value)) for name, value in fields.items())
    if fields["held"]:
        talk("hint: goex held")
    elif not fields["running"]:
        talk("hint: goex serve, or goex run -- CMD")


def _open(home: "Home") -> dict[str, int]:
    with home.reader() as reader:
        rows = reader.open_entries(["held", "in_doubt"])
    states = [row.columns["state"] for row in rows]
    return {state: states.count(state) for state in ("held", "in_doubt")}


def _text(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return "; ".join(f"{name}: {what}" for name, what in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else value

"""`goex show`: one entry, whole."""

from typing import TYPE_CHECKING

import click

from goex_proxy.cli.given import ENTRY, json_option, made_home
from goex_proxy.cli.log import entry_missing

if TYPE_CHECKING:
    from goex_proxy.home import Home


@click.command(short_help="One entry, whole")
@click.argument("entry_id", type=ENTRY, metavar="ID")
@json_option
def show(*, entry_id: int, as_json: bool) -> None:
    """One entry: the request, the decision, the images, the answer, and how it would be undone.

    Secrets are never in it: placeholders stand in their place.
    """
    from goex_proxy.home import read_entry
    from goex_proxy.report import show_fields

    home = made_home()
    with home.reader() as reader:
        row, entry = reader.entry(entry_id), read_entry(reader, entry_id)
        if row is None or entry is None:
            raise entry_missing(entry_id)
        fields = show_fields(row, entry, reader.events(entry_id))
    fields["level"] = _level(home, fields)
    if as_json:
        import json

        click.echo(json.dumps(fields, ensure_ascii=False, indent=2))
        return
    from goex_proxy.cli.entry_page import page

    page(fields, entry)
    if fields["state"] == "held":
        from goex_proxy.cli.render import talk

        talk(f"hint: goex approve {entry.name}, or goex reject {entry.name}")


def _level(home: "Home", fields: dict[str, object]) -> str | None:
    """How far the entry's agent was kept from what the gateway guards; None: not known any more."""
    from goex_proxy.engine.callers import Callers

    name, time = fields["session"], str(fields["time"])
    for known in Callers(home.callers).all("session"):
        if known.name == name and known.started <= time <= (known.ended or time):
            return known.level or None
    return None

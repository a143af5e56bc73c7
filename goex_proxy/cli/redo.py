"""`goex redo`: make an undone call again."""

import click

from goex_proxy.cli.control import act
from goex_proxy.cli.given import ENTRY, json_option, made_home, person


@click.command(short_help="Make an undone call again")
@click.argument("entry_id", type=ENTRY, metavar="ID")
@json_option
def redo(*, entry_id: int, as_json: bool) -> None:
    """Make an undone call again, as a new entry, unless something changed since the undo."""
    from goex_proxy.cli.outcome import tell

    made = act(made_home(), "redo", {"id": entry_id, "by": person()})
    tell([made], as_json=as_json)

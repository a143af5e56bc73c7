"""`goex resolve`: say what became of a call in doubt."""

import click

from goex_proxy.cli.control import act
from goex_proxy.cli.given import ENTRY, json_option, made_home, person


@click.command(short_help="Say what became of a call in doubt")
@click.argument("entry_id", type=ENTRY, metavar="ID")
@click.option("--applied/--not-applied", default=None, help="Whether the service did it.")
@json_option
def resolve(*, entry_id: int, applied: bool | None, as_json: bool) -> None:
    """Say what became of a call in doubt, after a look at the service."""
    from goex_proxy.cli.outcome import tell

    if applied is None:
        raise click.UsageError("say which: --applied or --not-applied")
    args = {"id": entry_id, "applied": applied, "by": person()}
    tell([act(made_home(), "resolve", args)], as_json=as_json, fine=("failed",))

"""`goex show`: one entry, whole."""

import click

from goex_proxy.cli.given import ENTRY, json_option, made_home
from goex_proxy.cli.log import entry_missing


@click.command(short_help="One entry, whole")
@click.argument("entry_id", type=ENTRY, metavar="ID")
@json_option
def show(*, entry_id: int, as_json: bool) -> None:
    """One entry: the request, the decision, the images, the answer, and how it would be undone.

    Secrets are never in it: placeholders stand in their place.
    """
    from goex_proxy.home import read_entry
    from goex_proxy.report import show_fields

    with made_home().reader() as reader:
        row, entry = reader.entry(entry_id), read_entry(reader, entry_id)
        if row is None or entry is None:
            raise entry_missing(entry_id)
        fields = show_fields(row, entry, reader.events(entry_id))
    if as_json:
        import json

        click.echo(json.dumps(fields, ensure_ascii=False, indent=2))
        return
    from goex_proxy.cli.entry_page import page

    page(fields, entry)

"""`goex diff`: what an entry changed, field by field."""

import click

from goex_proxy.cli.given import ENTRY, json_option, made_home
from goex_proxy.cli.log import entry_missing


@click.command(short_help="What an entry changed, field by field")
@click.argument("entry_id", type=ENTRY, metavar="ID")
@json_option
def diff(*, entry_id: int, as_json: bool) -> None:
    """What an entry changed, field by field, by its images before and after.

    Of one that is held: what it asks for, beside what is there.
    """
    from goex_proxy.home import read_entry

    with made_home().reader() as reader:
        entry = read_entry(reader, entry_id)
    if entry is None:
        raise entry_missing(entry_id)
    if as_json:
        import json

        from goex_proxy.report import differences

        click.echo(json.dumps(differences(entry), ensure_ascii=False, indent=2))
        return
    from goex_proxy.cli.entry_page import changes
    from goex_proxy.cli.render import plain, talk

    if not changes(entry):
        why = f": {plain(entry.reason)}" if entry.reason else ""
        talk(f"nothing is known of what {entry.name} changes; it is {entry.state.public}{why}")
        talk(f"hint: goex show {entry.name}")

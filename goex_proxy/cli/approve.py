"""`goex held`, `approve`, `reject`: what waits for a person."""

import json

import click

from goex_proxy.cli.control import act
from goex_proxy.cli.given import ENTRY, json_option, made_home, person


@click.command(short_help="What waits for a person")
@json_option
def held(*, as_json: bool) -> None:
    """What waits for a person, oldest first."""
    from goex_proxy.cli.render import table, talk
    from goex_proxy.report import log_fields

    with made_home().reader() as reader:
        rows = [log_fields(row) for row in reader.open_entries(["held"])]
    if as_json:
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
        return
    cells = (
        (r["id"], r["agent"], r["operation"], f"{r['method']} {r['url']}", r["rule"], r["reason"])
        for r in rows
    )
    table(("id", "agent", "operation", "target", "rule", "reason"), cells, stretch=3)
    if not rows:
        talk("nothing is held")
        return
    first = rows[0]["id"]
    talk(f"hint: goex show {first}, then goex approve {first} or goex reject {first}")


@click.command(short_help="Send what is held")
@click.argument("ids", nargs=-1, required=True, type=ENTRY, metavar="ID...")
@json_option
def approve(*, ids: tuple[int, ...], as_json: bool) -> None:
    """Send what is held, as it was recorded: once, also if its agent has gone.

    It is held again if what it would change, or the policy, changed since.
    """
    from goex_proxy.cli.outcome import tell

    home = made_home()
    tell((act(home, "approve", {"id": id_, "by": person()}) for id_ in ids), as_json=as_json)


@click.command(short_help="Refuse what is held")
@click.argument("ids", nargs=-1, required=True, type=ENTRY, metavar="ID...")
@click.option("--reason", metavar="TEXT", default="", help="The agent is told.")
@json_option
def reject(*, ids: tuple[int, ...], reason: str, as_json: bool) -> None:
    """Refuse what is held: nothing is sent."""
    from goex_proxy.cli.outcome import tell

    home = made_home()
    args = {"by": person(), "reason": reason}
    done = (act(home, "reject", {"id": id_, **args}) for id_ in ids)
    tell(done, as_json=as_json, fine=("refused",))

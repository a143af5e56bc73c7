"""`goex agent`: named agents, each with a proxy URL of its own."""

import json

import click

from goex_proxy.cli.control import act
from goex_proxy.cli.given import json_option, made_home
from goex_proxy.cli.places import proxy_address
from goex_proxy.cli.render import plain, table, talk


@click.group(short_help="Named agents, each with its own proxy URL")
def agent() -> None:
    """Named agents. A session of `goex run` needs none of this: it makes its own."""


@agent.command(short_help="Make an agent; prints its proxy URL, once")
@click.argument("name")
def add(*, name: str) -> None:
    """Make an agent, or give it a new password. Prints its proxy URL, this once.

    The URL bears the password: hand it to the agent's environment, not to a log.
    """
    from urllib.parse import quote

    home = made_home()
    password = str(act(home, "agent.add", {"name": name})["password"])
    click.echo(f"http://{quote(name, safe='')}:{quote(password, safe='')}@{proxy_address(home)}")
    talk("hint: the other variables for its clients: goex env --proxy URL")


@agent.command("list", short_help="The agents there are")
@json_option
def list_(*, as_json: bool) -> None:
    """The agents there are, revoked ones too."""
    found = act(made_home(), "agent.list")["agents"]
    known = found if isinstance(found, list) else []
    if as_json:
        click.echo(json.dumps(known, ensure_ascii=False))
        return
    table(("name", "since", "revoked"), (_cells(k) for k in known))
    if not known:
        talk("there is no agent yet; goex agent add NAME")


def _cells(known: dict[str, str]) -> tuple[str, ...]:
    times = (known[name][:19].replace("T", " ") for name in ("started", "ended"))
    return (known["name"], *times)


@agent.command(short_help="Its password is worth nothing any more")
@click.argument("name")
def revoke(*, name: str) -> None:
    """Its password is worth nothing any more, at once."""
    act(made_home(), "agent.revoke", {"name": name})
    talk(f"{plain(name)} is revoked")

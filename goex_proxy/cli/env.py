"""`goex env`, `note`: what clients and agents are told when nobody runs them for us."""

from typing import TYPE_CHECKING

import click

from goex_proxy.cli.control import act, asked
from goex_proxy.cli.failure import Failure, complain
from goex_proxy.cli.given import made_home
from goex_proxy.cli.render import plain, talk

if TYPE_CHECKING:
    from goex_proxy.home import Home

_FORMATS = ("sh", "json", "docker", "claude", "github-actions")
_USES = {
    # 127.0.0.1 of a container is its own, and the certificates lie outside of it.
    "docker": "docker run --network host -v {client}:{client}:ro --env-file FILE IMAGE",
    "claude": "put it into .claude/settings.json; goex run -- claude needs none of this",
    "github-actions": 'goex env --format github-actions >> "$GITHUB_ENV"',
}
"""What to do with what was printed."""


@click.command(short_help="Variables for clients")
@click.option("--format", "form", type=click.Choice(_FORMATS), default="sh", show_default=True)
@click.option("--proxy", metavar="URL", help="That of `goex agent add`; else nobody is named.")
@click.option("--agent", default="anonymous", metavar="A", help="Whose placeholders.")
def env(*, form: str, proxy: str | None, agent: str) -> None:
    """Variables that lead unmodified clients through the gateway.

    For shells: eval "$(goex env)". `goex run -- CMD` does more: it also hides what the gateway
    guards.
    """
    from goex_proxy.cli.clients import clients
    from goex_proxy.cli.places import proxy_address
    from goex_proxy.launch.environment import client_variables
    from goex_proxy.launch.formats import render

    home = made_home()
    if agent != "anonymous":
        _require_agent(home, agent)
    url = proxy or f"http://{proxy_address(home)}"
    try:
        text = render(client_variables(clients(home, url, agent)), form)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    click.echo(text, nl=False)
    if form in _USES:
        talk(f"hint: {_USES[form].format(client=home.client)}")
    if proxy is None and asked(home, "status") is None:
        complain("no gateway runs yet: these lead nowhere until one does", "goex serve", "warning")


def _require_agent(home: "Home", name: str) -> None:
    """One that has a proxy URL, or that a credential is bound to."""
    from goex_proxy.cli.clients import bound_agents

    agents = act(home, "agent.list")["agents"]
    named = [each for each in agents if not each["ended"]] if isinstance(agents, list) else []
    if name not in {each["name"] for each in named} | bound_agents(home):
        raise Failure(f"there is no agent {plain(name)}", hint=f"goex agent add {plain(name)}")


@click.command(short_help="Ten lines for AGENTS.md or CLAUDE.md")
def note() -> None:
    """Ten lines that tell an agent how to live behind goex-proxy: goex note >> AGENTS.md"""
    from goex_proxy.launch.note import note as text

    click.echo(text(), nl=False)

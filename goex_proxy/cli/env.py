"""`goex env`, `note`: what clients and agents are told when nobody runs them for us."""

import click

from goex_proxy.cli.given import made_home

_FORMATS = ("sh", "json", "docker", "claude", "github-actions")


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
    url = proxy or f"http://{proxy_address(home)}"
    try:
        text = render(client_variables(clients(home, url, agent)), form)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    click.echo(text, nl=False)


@click.command(short_help="Ten lines for AGENTS.md or CLAUDE.md")
def note() -> None:
    """Ten lines that tell an agent how to live behind goex-proxy: goex note >> AGENTS.md"""
    from goex_proxy.launch.note import note as text

    click.echo(text(), nl=False)

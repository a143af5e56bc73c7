"""`goex serve`: the gateway in the foreground."""

from typing import TYPE_CHECKING

import click

from goex_proxy.cli.given import made_home

if TYPE_CHECKING:
    from goex_proxy.app import Ready
    from goex_proxy.files.config import Address


@click.command(short_help="The gateway, in the foreground")
@click.option("--listen", metavar="H:P", help="Else `listen` of goex.yaml; port 0: any free one.")
@click.option("--while-sessions", is_flag=True, hidden=True, help="End with the last session.")
def serve(*, listen: str | None, while_sessions: bool) -> None:
    """The gateway, in the foreground, until SIGTERM or Ctrl-C.

    Prints one line on stdout once it accepts: ready proxy=... console=...
    """
    import asyncio

    from goex_proxy import app

    home = made_home()
    address = _address(listen)
    asyncio.run(app.serve(home, listen=address, ready=_tell, while_sessions=while_sessions))


def _address(text: str | None) -> "Address | None":
    if text is None:
        return None
    from goex_proxy.files.config import Address
    from goex_proxy.files.config_values import address

    try:
        return Address(*address(text))
    except ValueError as error:
        raise click.BadParameter(f"{text!r}: {error}", param_hint="--listen") from None


def _tell(where: "Ready") -> None:
    click.echo(f"ready proxy={where.proxy} console={where.console}")

"""`goex pause`, `resume`: refuse every change at once, or no longer."""

import click

from goex_proxy.cli.control import asked
from goex_proxy.cli.failure import Failure
from goex_proxy.cli.given import made_home
from goex_proxy.cli.render import talk


@click.command(short_help="Refuse every change at once")
def pause() -> None:
    """Refuse every change at once, until resume. Reads and inference go on."""
    _ask("pause")
    talk("paused: every change is refused until goex resume")


@click.command(short_help="Take changes again")
def resume() -> None:
    """Take changes again after a pause."""
    _ask("resume")
    talk("changes are taken again")


def _ask(name: str) -> None:
    if asked(made_home(), name) is None:
        raise Failure("no gateway runs here, so there is nothing to pause", hint="goex serve")

"""`goex pause`, `resume`: refuse every change at once, or no longer."""

import click

from goex_proxy.cli.control import act
from goex_proxy.cli.given import made_home
from goex_proxy.cli.render import talk


@click.command(short_help="Refuse every change at once")
def pause() -> None:
    """Refuse every change at once, until resume. Reads and inference go on.

    It holds over a restart, and can be said before a gateway runs.
    """
    act(made_home(), "pause")
    talk("paused: every change is refused until goex resume")


@click.command(short_help="Take changes again")
def resume() -> None:
    """Take changes again after a pause."""
    act(made_home(), "resume")
    talk("changes are taken again")

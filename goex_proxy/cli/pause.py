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
    home = made_home()
    paused = home.pause.exists()
    act(home, "pause")
    said = "it was paused already" if paused else "paused"
    talk(f"{said}: every change is refused until goex resume")


@click.command(short_help="Take changes again")
def resume() -> None:
    """Take changes again after a pause."""
    home = made_home()
    paused = home.pause.exists()
    act(home, "resume")
    talk("changes are taken again" if paused else "it was not paused: changes are taken")

"""`goex run`: one agent through the gateway, in a view that hides what the gateway guards."""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from goex_proxy.cli.failure import Failure
from goex_proxy.cli.given import made_home
from goex_proxy.cli.render import plain, talk

if TYPE_CHECKING:
    from goex_proxy.cli.gateway_process import Door
    from goex_proxy.home import Home
    from goex_proxy.launch.environment import Clients
    from goex_proxy.launch.plan import HidePlan, Level

_SEALED_PORT = 8080
_SETTINGS = {"allow_interspersed_args": False}


@click.command(short_help="One agent through the gateway", context_settings=_SETTINGS)
@click.option("--session", metavar="S", help="A name for this run.")
@click.option("--agent", metavar="A", help="Else the command's name.")
@click.option("--sealed", is_flag=True, help="No route but the gateway; exit 1 if not possible.")
@click.option("--cooperative", is_flag=True, help="Environment only: stops accidents.")
@click.option("--pass", "passed", multiple=True, metavar="VAR", help="Leave it this variable too.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- CMD...")
def run(
    *,
    session: str | None,
    agent: str | None,
    sealed: bool,
    cooperative: bool,
    passed: tuple[str, ...],
    command: tuple[str, ...],
) -> None:
    """One agent through the gateway, which is started if none runs.

    By default in a hidden view: its own processes and mounts, without the gateway's home (and
    ~/.goex-proxy, .goex of a checkout, that of any gateway that runs), the vault, agent sockets
    and credential files. Ends with the command's exit code, after a list
    of what was changed, held and refused.
    """
    from goex_proxy.cli.control import warn_if_outdated
    from goex_proxy.cli.gateway_process import open_door
    from goex_proxy.cli.keeping import Keeping
    from goex_proxy.cli.watch import HeldWatch, summary
    from goex_proxy.launch.session import open_session

    if sealed and cooperative:
        raise click.UsageError("--sealed or --cooperative, not both")
    home = made_home()
    view = _view(sealed=sealed, cooperative=cooperative)
    try:
        who = open_session(agent or _agent_name(command[0]), session)
        kept = _kept(home, passed)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    door = open_door(home, who.name, who.agent, view.level)
    why = f" ({view.why})" if view.why else ""
    talk(f"goex: session {who.name}, {view.level}{why}, through {door.address}")
    warn_if_outdated(home)
    with Keeping(home, door), HeldWatch(home, who.name):
        code = _launch(home, door, view, list(command), who.agent, kept)
    summary(home, who.name)
    click.get_current_context().exit(code)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How far the agent is kept from what the gateway guards, what makes it, why no further."""

    level: "Level"
    engine: str | None = None
    why: str = ""


def _view(*, sealed: bool, cooperative: bool) -> View:
    """The view that can be had. Sealed never degrades."""
    from goex_proxy.launch.errors import ViewUnavailable
    from goex_proxy.launch.plan import Level
    from goex_proxy.launch.probe import find_engine

    if cooperative:
        return View(level=Level.COOPERATIVE, why="it stops accidents, not an agent that looks")
    level = Level.SEALED if sealed else Level.HIDDEN
    try:
        return View(level=level, engine=find_engine(level))
    except ViewUnavailable as error:
        if sealed:
            raise Failure(str(error), hint="goex doctor") from None
        return View(level=Level.COOPERATIVE, why=str(error))


def _agent_name(command: str) -> str:
    """The command's name, as far as it is a name."""
    name = "".join(
        c for c in os.path.basename(command) if c.isascii() and (c.isalnum() or c in "-_.")
    )
    return name.lstrip("-_.")[:40] or "agent"


def _kept(home: "Home", passed: tuple[str, ...]) -> dict[str, str]:
    from goex_proxy.cli.clients import services
    from goex_proxy.launch.ambient import ambient

    return ambient(os.environ, held=services(home), passed=passed)


def _launch(
    home: "Home", door: "Door", view: View, command: list[str], agent: str, kept: dict[str, str]
) -> int:
    from goex_proxy.cli.clients import clients
    from goex_proxy.launch.environment import client_variables
    from goex_proxy.launch.plan import Level
    from goex_proxy.launch.run import run as launch
    from goex_proxy.launch.session import sealed_proxy_url

    sealed = view.level is Level.SEALED
    given = clients(home, sealed_proxy_url(_SEALED_PORT) if sealed else door.proxy, agent)
    try:
        return launch(
            command,
            level=view.level,
            environment={**kept, **client_variables(given)},
            hide=None if view.level is Level.COOPERATIVE else _hide(home, given),
            relay=(door.socket, _SEALED_PORT) if sealed else None,
            engine=view.engine,
        )
    except FileNotFoundError:
        talk(f"error: no such command: {plain(command[0])}")
        return 127
    except PermissionError:
        talk(f"error: {plain(command[0])} may not be run")
        return 126
    except ValueError as error:
        raise Failure(str(error)) from None


def _hide(home: "Home", given: "Clients") -> "HidePlan":
    from pathlib import Path

    from goex_proxy.cli.clients import services, value_files
    from goex_proxy.launch.credential_files import hide_plan

    return hide_plan(
        goex_home=home.path,
        user_home=Path.home(),
        environment=os.environ,
        visible=given.files.paths,
        services=services(home),
        also=value_files(home),
    )

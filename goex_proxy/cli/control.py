"""Having something done: by the gateway that runs, or here, under the home's lock."""

from typing import TYPE_CHECKING

from goex_proxy.cli.failure import Failure, complain

if TYPE_CHECKING:
    from goex_proxy.home import Home

type Args = dict[str, object]
type Result = dict[str, object]


def act(home: "Home", name: str, args: Args | None = None) -> Result:
    """An action of the control API, wherever it can be done.

    Raises `Failure` with the action's own exit code, and what opening a home raises.
    """
    home.require()
    answer = asked(home, name, args)
    return _alone(home, name, args or {}) if answer is None else answer


def asked(home: "Home", name: str, args: Args | None = None) -> Result | None:
    """The running gateway's answer; None if none runs. Raises `Failure`."""
    from goex_proxy.console.client import NoGateway, Refused, ask

    try:
        return ask(home.socket, name, args or {})
    except NoGateway:
        return None
    except Refused as error:
        raise Failure(str(error), code=error.code) from None


def outdated(told: Result | None) -> str:
    """What the status of a running gateway says of settings that are not in force yet, or ''."""
    names = told.get("outdated") if told is not None else None
    if not isinstance(names, list) or not names:
        return ""
    which = ", ".join(map(str, names))
    return f"goex.yaml changed since the gateway started ({which}): restart it"


def warn_if_outdated(home: "Home") -> None:
    """Say on stderr if a gateway runs and goes by an older goex.yaml. Raises `Failure`."""
    if old := outdated(asked(home, "status")):
        complain(old, "stop the gateway, and start it again", word="warning")


def _alone(home: "Home", name: str, args: Args) -> Result:
    import asyncio

    from goex_proxy.app import open_engine
    from goex_proxy.engine.actions import ActionError

    async def here() -> Result:
        async with open_engine(home) as api:
            return await api.call(name, args)

    try:
        return asyncio.run(here())
    except ActionError as error:
        raise Failure(str(error), code=error.code) from None

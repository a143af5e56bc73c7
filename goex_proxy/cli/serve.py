"""`goex serve`: the gateway in the foreground."""

from typing import TYPE_CHECKING

import click

from goex_proxy.cli.given import made_home

if TYPE_CHECKING:
    from goex_proxy.app import Ready
    from goex_proxy.files.config import Address
    from goex_proxy.home import Home

_POLL = 0.5
_PATIENCE = 60.0


@click.command(short_help="The gateway, in the foreground")
@click.option("--listen", metavar="H:P", help="Else `listen` of goex.yaml; port 0: any free one.")
@click.option("--while-sessions", is_flag=True, hidden=True, help="End with the last session.")
def serve(*, listen: str | None, while_sessions: bool) -> None:
    """The gateway, in the foreground, until SIGTERM or Ctrl-C.

    Prints one line on stdout once it accepts: ready proxy=... console=... level=...
    """
    import asyncio

    home = made_home()
    address = _address(listen)
    asyncio.run(_serve(home, address, while_sessions=while_sessions))


def _address(text: str | None) -> "Address | None":
    if text is None:
        return None
    from goex_proxy.files.config import Address
    from goex_proxy.files.config_values import address

    try:
        return Address(*address(text))
    except ValueError as error:
        raise click.BadParameter(f"{text!r}: {error}", param_hint="--listen") from None


async def _serve(home: "Home", listen: "Address | None", *, while_sessions: bool) -> None:
    import asyncio

    from goex_proxy import app

    watcher: asyncio.Task[None] | None = None

    def ready(where: "Ready") -> None:
        nonlocal watcher
        click.echo(f"ready proxy={where.proxy} console={where.console} level=cooperative")
        if while_sessions:
            watcher = asyncio.create_task(_end_with_sessions(home))

    try:
        await app.serve(home, listen=listen, ready=ready)
    finally:
        if watcher is not None:
            watcher.cancel()


async def _end_with_sessions(home: "Home") -> None:
    """End this process once no session is open any more, or if none was opened for a minute."""
    import asyncio
    import os
    import signal
    import time
    from datetime import UTC, datetime

    from goex_proxy.console.client import ask

    began, born = time.monotonic(), datetime.now(UTC).isoformat()
    seen = False
    while seen or time.monotonic() - began < _PATIENCE:
        await asyncio.sleep(_POLL)
        known = (await asyncio.to_thread(ask, home.socket, "session.list", {}))["sessions"]
        ours = [each for each in known if each["started"] > born] if isinstance(known, list) else []
        seen = seen or bool(ours)
        if seen and all(each["ended"] for each in ours):
            break
    os.kill(os.getpid(), signal.SIGTERM)

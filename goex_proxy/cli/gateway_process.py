"""A gateway for `run`: the one that runs, or one of our own that ends with the last session."""

import contextlib
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from goex_proxy.cli.control import Result, asked
from goex_proxy.cli.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from goex_proxy.home import Home

_PATIENCE = 60.0
_POLL = 0.05
_TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """How one session reaches the gateway. The proxy URL bears the session's password."""

    address: str
    proxy: str = field(repr=False)
    socket: Path


def open_door(home: "Home", session: str, agent: str) -> Door:
    """Open a session in the gateway, started if none runs. Raises `Failure`."""
    from goex_proxy.launch.session import Session

    for _ in range(_TRIES):
        # One that ends with its last session may go between our two words.
        opened = asked(home, "session.open", {"name": session, "agent": agent})
        if opened is not None:
            host, port = str(opened["host"]), _port(opened)
            who = Session(name=session, agent=agent, password=str(opened["password"]))
            proxy = who.proxy_url(host, port)
            shown = f"{host}:{port}"
            return Door(address=shown, proxy=proxy, socket=Path(str(opened["socket"])))
        start_gateway(home)
    raise Failure("the gateway ends as soon as it is started", hint=_look(home))


def _port(opened: Result) -> int:
    port = opened["port"]
    if not isinstance(port, int):
        raise Failure("the gateway does not say where it listens")
    return port


def _look(home: "Home") -> str:
    return f"see {home.path / 'gateway.log'}"


def start_gateway(home: "Home", *, arguments: tuple[str, ...] = ("--while-sessions",)) -> int:
    """Start one on a free port and wait until it answers; its process id.

    It is no child of the terminal: a Ctrl-C for the agent is none for the gateway. What it says
    goes to gateway.log. Raises `Failure`.
    """
    line = [sys.executable, "-m", "goex_proxy", "--home", str(home.path)]
    line += ["serve", "--listen", "127.0.0.1:0", *arguments]
    with _log(home) as log:
        process = subprocess.Popen(
            line, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/"
        )
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        if asked(home, "status") is not None:
            return process.pid
        if process.poll() is not None:
            raise Failure(f"the gateway did not start: {_last_words(home)}", hint=_look(home))
        time.sleep(_POLL)
    process.terminate()
    raise Failure(f"the gateway did not answer within {_PATIENCE:.0f} s", hint=_look(home))


@contextlib.contextmanager
def _log(home: "Home") -> "Iterator[int]":
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    descriptor = os.open(home.path / "gateway.log", flags, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _last_words(home: "Home") -> str:
    text = (home.path / "gateway.log").read_text(errors="replace").strip().splitlines()
    errors = [line.removeprefix("error: ") for line in text if line.startswith("error: ")]
    return (errors or text or ["it said nothing"])[-1]

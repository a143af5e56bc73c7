"""A gateway for `run`: the one that runs, or one of our own that ends with the last session."""

import contextlib
import fcntl
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

    from goex_proxy.console.client import Lease
    from goex_proxy.home import Home
    from goex_proxy.launch.session import Session

_PATIENCE = 60.0
_POLL = 0.05
_TRIES = 3
_LOCKED = "is at work in"


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """How one session reaches the gateway. The proxy URL bears the session's password."""

    who: "Session"
    address: str
    proxy: str = field(repr=False)
    socket: Path
    lease: "Lease" = field(repr=False)


def open_door(home: "Home", session: str, agent: str, level: str) -> Door:
    """Open a session in the gateway, started if none runs. Raises `Failure`."""
    from goex_proxy.console.client import Lease, NoGateway, Refused
    from goex_proxy.launch.session import Session

    args: dict[str, object] = {"name": session, "agent": agent, "level": level}
    for _ in range(_TRIES):
        # One that ends with its last session may go between our two words.
        try:
            lease = Lease(home.socket, args)
        except NoGateway:
            start_gateway(home)
            continue
        except Refused as error:
            raise Failure(str(error), code=error.code) from None
        opened = lease.opened
        who = Session(name=session, agent=agent, password=str(opened["password"]))
        host, port = str(opened["host"]), int(str(opened["port"]))
        return Door(
            who=who,
            address=address(opened),
            proxy=who.proxy_url(host, port),
            socket=Path(str(opened["socket"])),
            lease=lease,
        )
    raise Failure("the gateway ends as soon as it is started", hint=_look(home))


def address(opened: Result) -> str:
    """Where the gateway that opened a session listens."""
    host = str(opened["host"])
    return f"[{host}]:{opened['port']}" if ":" in host else f"{host}:{opened['port']}"


def _look(home: "Home") -> str:
    return f"see {home.path / 'gateway.log'}"


def start_gateway(home: "Home", *, arguments: tuple[str, ...] = ("--while-sessions",)) -> None:
    """Start one on a free port and wait until it answers, or one that somebody else started.

    It is no child of the terminal: a Ctrl-C for the agent is none for the gateway. What it says
    goes to gateway.log. Raises `Failure`.
    """
    with _turn(home):
        if not _answers(home):
            _await(home, arguments)


def _await(home: "Home", arguments: tuple[str, ...]) -> None:
    process = _begin(home, arguments)
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        if _answers(home):
            return
        if process.poll() is not None:
            if _LOCKED not in (said := _last_words(home)):
                raise Failure(f"the gateway did not start: {said}", hint=_look(home))
            # One goes, and soon makes room; or a command without a gateway is at work.
            time.sleep(10 * _POLL)
            process = _begin(home, arguments)
        time.sleep(_POLL)
    process.terminate()
    raise Failure(f"the gateway did not answer within {_PATIENCE:.0f} s", hint=_look(home))


@contextlib.contextmanager
def _turn(home: "Home") -> "Iterator[None]":
    """One starts a gateway at a time; the next finds it."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    descriptor = os.open(home.path / "starting", flags, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _answers(home: "Home") -> bool:
    try:
        return asked(home, "status") is not None
    except Failure:
        return False  # one that ends while it is asked


def _begin(home: "Home", arguments: tuple[str, ...]) -> "subprocess.Popen[bytes]":
    line = [sys.executable, "-m", "goex_proxy", "--home", str(home.path)]
    line += ["serve", "--listen", "127.0.0.1:0", *arguments]
    with _log(home) as log:
        return subprocess.Popen(
            line, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/"
        )


@contextlib.contextmanager
def _log(home: "Home") -> "Iterator[int]":
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_TRUNC | os.O_CLOEXEC
    descriptor = os.open(home.path / "gateway.log", flags, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _last_words(home: "Home") -> str:
    text = (home.path / "gateway.log").read_text(errors="replace").strip().splitlines()
    errors = [line.removeprefix("error: ") for line in text if line.startswith("error: ")]
    return (errors or text or ["it said nothing"])[-1]

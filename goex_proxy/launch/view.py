"""One command in a view: started, signalled, waited for.

    code = start(["claude"], level=Level.HIDDEN, environment=..., hide=hide_plan(...)).wait()

The command keeps its terminal, working directory, standard streams and process group. Its exit
code is returned, 128+n if signal n ended it, 127 if it was not found, 126 if it could not be
started. It dies with the process that launched it.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from goex_proxy.launch import bubblewrap
from goex_proxy.launch.errors import ViewUnavailable
from goex_proxy.launch.inside import NOT_FOUND, NOT_STARTED
from goex_proxy.launch.order import Order, order
from goex_proxy.launch.plan import HidePlan, Level

NATIVE = "native"
"""The engine that needs no bubblewrap; every other engine is the path of a `bwrap`."""

_NOT_FOR_THE_FRAME = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP)


@dataclass(slots=True)
class Launched:
    """A command that runs. Owns its process and control socket until `wait` has returned."""

    process: "subprocess.Popen[bytes]"
    control: socket.socket | None

    def send(self, number: int) -> None:
        """Pass a signal to the command itself, and not to what stands around it."""
        if self.control is None:
            self.process.send_signal(number)
            return
        try:
            self.control.send(bytes([number]))
        except (BrokenPipeError, ConnectionResetError):
            # It has ended in this moment: `wait` is about to say how.
            return

    def wait(self) -> int:
        """The command's exit code. Raises ViewUnavailable if the view never stood."""
        code = self.process.wait()
        if self.control is None:
            return code if code >= 0 else 128 - code
        with self.control:
            self.control.setblocking(False)
            try:
                stood = self.control.recv(1)
            except (BlockingIOError, ConnectionResetError):
                stood = b""
        if not stood:
            raise ViewUnavailable(
                f"the view could not be made (exit {code}; the cause is above) and the command was "
                "not started; `goex doctor` says what is missing"
            )
        return code if code >= 0 else 128 - code


def start(
    command: list[str],
    *,
    level: Level,
    environment: Mapping[str, str],
    hide: HidePlan | None = None,
    relay: tuple[Path, int] | None = None,
    engine: str = NATIVE,
) -> Launched:
    """Start a command in a view of this level, made by `engine` (`probe.find_engine` chooses).

    `environment` is all that the command gets. `relay`, for sealed only: the session's Unix
    socket and the port that leads to it on the view's loopback.

    Raises ValueError for a level that does not fit the rest.
    """
    if not command:
        raise ValueError("no command to run: goex run -- CMD...")
    if (level is Level.SEALED) is not (relay is not None):
        raise ValueError("a relay belongs to a sealed view, and a sealed view needs one")
    if level is Level.COOPERATIVE:
        return _start_plainly(command, environment)
    if relay is not None and os.listdir(relay[0].parent) != [relay[0].name]:
        raise ValueError(f"{relay[0]} is not alone in its folder, which the view would show")
    hide = hide or HidePlan()
    if hide.covers(Path.cwd()):
        raise ValueError(f"{Path.cwd()} is hidden from the agent: run it from another directory")
    ours, theirs = socket.socketpair()
    with theirs:
        told = order(
            command,
            environment,
            hide,
            (str(relay[0]), relay[1]) if relay else None,
            theirs.fileno(),
        )
        try:
            return Launched(_start_view(told, engine), ours)
        except OSError:
            ours.close()
            raise


def _start_plainly(command: list[str], environment: Mapping[str, str]) -> Launched:
    # execvpe of a child looks the command up in the PATH it is given, as it does in a view.
    return Launched(subprocess.Popen(command, env=dict(environment)), None)


def _start_view(told: Order, engine: str) -> "subprocess.Popen[bytes]":
    descriptor = told.write()
    try:
        module = "namespaces" if engine == NATIVE else "inside"
        entry = f"import sys; from goex_proxy.launch.{module} import main; sys.exit(main())"
        first = [sys.executable, "-I", "-c", entry, str(descriptor)]
        line = first if engine == NATIVE else bubblewrap.arguments(engine, told, first)
        # Blocked signals are inherited: what stands around the agent must outlive a Ctrl-C that
        # the agent catches. bubblewrap would end on it, and take the agent with it.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _NOT_FOR_THE_FRAME)
        try:
            return subprocess.Popen(line, env=_machinery(), pass_fds=(descriptor, told.control))
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
    finally:
        os.close(descriptor)


def _machinery() -> dict[str, str]:
    """What our own first process needs: no variable of the user, which the agent might read."""
    names = ("PATH", "LD_LIBRARY_PATH")
    return {name: os.environ[name] for name in names if name in os.environ}


__all__ = ["NATIVE", "NOT_FOUND", "NOT_STARTED", "Launched", "start"]

"""`run`: one command in a view, with the launcher's signals passed on."""

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from goex_proxy.launch import terminal
from goex_proxy.launch.plan import HidePlan, Level
from goex_proxy.launch.probe import find_engine
from goex_proxy.launch.view import Launched, start

_FROM_TERMINAL = (signal.SIGINT, signal.SIGQUIT)
_FROM_OTHERS = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


def run(
    command: list[str],
    *,
    level: Level,
    environment: Mapping[str, str],
    hide: HidePlan | None = None,
    relay: tuple[Path, int] | None = None,
    engine: str | None = None,
) -> int:
    """Run a command at this level and return its exit code (see `view`).

    Called in the main thread, it passes signals on to the command: those of the terminal reach
    the command anyway and are not sent twice. From another thread, signals are the caller's.

    `engine` from an earlier `find_engine` saves a second trial (0.2 s).

    Raises ViewUnavailable if the level cannot be had (nothing was started: exit 1, P1),
    ValueError for arguments that do not fit, OSError if a cooperative command does not start.
    """
    engine = engine or find_engine(level)
    with terminal.lent():
        launched = start(
            command,
            level=level,
            environment=environment,
            hide=hide,
            relay=relay,
            engine=engine,
        )
        with _passed_on(launched):
            return launched.wait()


@contextmanager
def _passed_on(launched: Launched) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def pass_on(number: int, frame: FrameType | None) -> None:
        if number in _FROM_TERMINAL and terminal.in_foreground():
            return  # the terminal sent it to the command as well
        launched.send(number)

    before = {number: signal.signal(number, pass_on) for number in (*_FROM_TERMINAL, *_FROM_OTHERS)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

"""The terminal that an agent borrows: given back as it was."""

import os
import signal
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager


def in_foreground() -> bool:
    """Whether a Ctrl-C at our terminal reaches this process and its children by itself."""
    try:
        return os.tcgetpgrp(sys.__stdin__.fileno() if sys.__stdin__ else 0) == os.getpgrp()
    except (OSError, ValueError):
        return False


@contextmanager
def lent() -> Iterator[None]:
    """Afterwards modes and foreground group are as before, whatever a crashed agent left."""
    descriptor = 0
    if not os.isatty(descriptor) or not in_foreground():
        yield
        return
    modes = termios.tcgetattr(descriptor)
    try:
        yield
    finally:
        # A shell inside may have made itself the foreground group; taking it back from the
        # background would stop us (SIGTTOU) if we did not ask to be spared.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
        try:
            os.tcsetpgrp(descriptor, os.getpgrp())
            termios.tcsetattr(descriptor, termios.TCSADRAIN, modes)
        except (OSError, termios.error) as error:
            sys.stderr.write(f"goex: the terminal could not be restored: {error}\n")
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

"""The first process of a view: gives up every privilege, starts the agent, buries its orphans.

It is process 1 of the view, so all of the view ends with it. It was started by an exec and
never forked from the gateway, so its memory holds no secret; it is closed to tracers besides.
Under bubblewrap `main` is its entry, in a fresh Python; `live` is called by
`namespaces.py` where there is none.

Signals: a Ctrl-C at the terminal reaches the agent directly (it is in the same foreground
group) and is blocked here; signals that the launcher was sent itself arrive on the control
socket and are passed on.
"""

import os
import select
import signal
import socket
import sys
from types import FrameType

from goex_proxy.launch import kernel
from goex_proxy.launch.order import Order, read_order
from goex_proxy.launch.syscalls import refusals

NOT_FOUND = 127
NOT_STARTED = 126
VIEW_FAILED = 125
_KILLED = 128


def main() -> int:
    """Entry under bubblewrap; the code is the agent's, or 125 if the view could not be made."""
    order = read_order(int(sys.argv[1]))
    try:
        return live(order)
    except OSError as error:
        sys.stderr.write(f"goex: the view could not be made: {error}\n")
        return VIEW_FAILED


def live(order: Order) -> int:
    """Run the order's command and return its exit code, 128+n if signal n ended it."""
    os.set_inheritable(order.control, False)
    control = socket.socket(fileno=order.control)
    kernel.give_up_privileges()
    kernel.close_to_tracers()
    kernel.install_filter(refusals(os.uname().machine))
    os.chdir(order.directory)
    if order.sealed:
        _start_relay(order)
    control.send(b"\x01")
    agent = _start_agent(order)
    return _wait(agent, control)


def _start_relay(order: Order) -> None:
    from goex_proxy.launch import relay  # noqa: PLC0415 - asyncio is only for sealed views

    listener = relay.listen(order.relay_port)
    if os.fork() == 0:
        os.closerange(0, 3)
        os.close(order.control)
        try:
            relay.serve(listener, order.relay_inside)
        finally:
            os._exit(0)
    listener.close()


def _start_agent(order: Order) -> int:
    child = os.fork()
    if child:
        return child
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)  # Python ignores both, and an exec would keep that
    signal.pthread_sigmask(signal.SIG_SETMASK, order.blocked)
    try:
        os.execvpe(order.command[0], order.command, order.environment)  # noqa: S606
    except FileNotFoundError:
        code = NOT_FOUND
        problem = "not found"
    except OSError as error:
        code = NOT_STARTED
        problem = error.strerror or "failed"
    os.write(2, f"goex: cannot start {order.command[0]!r}: {problem}\n".encode())
    os._exit(code)


def _wait(agent: int, control: socket.socket) -> int:
    """Bury children until the agent ends, and pass on the signals that the launcher sends."""
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, _only_wake)
    while True:
        code = _bury(agent)
        if code is not None:
            return code
        ready, _, _ = select.select([wake_read, control.fileno()], [], [])
        if wake_read in ready:
            os.read(wake_read, 4096)
        if control.fileno() in ready:
            numbers = control.recv(64)
            if not numbers:
                return _KILLED + signal.SIGKILL  # the launcher has gone: the view goes with it
            for passed in numbers:
                os.kill(agent, passed)


def _only_wake(number: int, frame: FrameType | None) -> None:
    """SIGCHLD needs a handler, or the kernel would not write to the wake-up descriptor."""


def _bury(agent: int) -> int | None:
    """Collect every child that has ended; the agent's exit code if it was among them."""
    while True:
        try:
            ended, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return VIEW_FAILED
        if ended == 0:
            return None
        if ended == agent:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else _KILLED - code

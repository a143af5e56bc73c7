"""What the process that launches tells the first process of a view, over an anonymous file.

Not by arguments and not by its environment: others can read both in /proc, and Python changes
its own environment when it starts (PEP 538).
"""

import json
import os
import signal
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from goex_proxy.launch.plan import HidePlan

RELAY_FOLDER = "/dev/goex"
"""Where a sealed view finds the folder of its session's socket: /dev is its own in every view.

The folder and not the socket: that of a new gateway is another file of the same name.
"""

PROC_CONTROLS = ("/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus")
"""What root may write without any capability, and so steer the machine; made read-only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The command, and the world it shall find. `environment` is the agent's: it is not shown."""

    command: list[str]
    environment: dict[str, str]
    directory: str
    control: int
    """A socket's descriptor: signal numbers come in, one byte goes out once the view stands."""
    blocked: list[int]
    """Signals that the launcher had blocked: the agent finds the same."""
    parent: int
    """The process id of the launcher, to notice that it has gone before it could be watched."""
    relay_port: int = 0
    """Sealed: the port on the view's loopback; 0 is hidden, with the network of the host."""
    relay_socket: str = ""
    """Sealed: the session's Unix socket, as the host names it; alone in its folder."""
    empty: list[str]
    blank: list[str]
    keep: list[str]
    scratch: list[str]
    readonly: list[str]

    def __repr__(self) -> str:
        return f"Order({self.command[:1]!r}, {len(self.environment)} variables)"

    @property
    def relay_folder(self) -> str:
        return os.path.dirname(self.relay_socket)

    @property
    def relay_inside(self) -> str:
        """The session's socket, as the view names it."""
        return os.path.join(RELAY_FOLDER, os.path.basename(self.relay_socket))

    @property
    def sealed(self) -> bool:
        return self.relay_port > 0

    def write(self) -> int:
        """An anonymous file that holds this order; the caller closes it."""
        descriptor = os.memfd_create("goex-order")
        os.write(descriptor, json.dumps(asdict(self)).encode())
        os.lseek(descriptor, 0, os.SEEK_SET)
        return descriptor


def read_order(descriptor: int) -> Order:
    """What `write` wrote; closes the file."""
    with os.fdopen(descriptor, "rb") as file:
        return Order(**json.load(file))


def order(
    command: list[str],
    environment: Mapping[str, str],
    hide: HidePlan,
    relay: tuple[str, int] | None,
    control: int,
) -> Order:
    """An order for a view of this process's working directory."""
    return Order(
        command=command,
        environment=dict(environment),
        directory=os.getcwd(),
        control=control,
        blocked=[int(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, [])],
        parent=os.getpid(),
        relay_socket=relay[0] if relay else "",
        relay_port=relay[1] if relay else 0,
        empty=[str(path) for path in hide.empty],
        blank=[str(path) for path in hide.blank],
        keep=[str(path) for path in hide.keep],
        scratch=[str(path) for path in hide.scratch],
        readonly=[str(path) for path in hide.readonly],
    )

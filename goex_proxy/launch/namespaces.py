"""The view made with our own hands, where bubblewrap is not installed.

`main` runs in a fresh Python: it leaves the host's namespaces (as root directly, else through
a user namespace that maps the user to itself), forks the view's first process, mounts over
what is hidden and goes on as `inside.py`.
Sources are opened before anything is covered and mounted through their descriptors, so the
order of the mounts cannot uncover or lose one. The same mounts as `bubblewrap.py`, in the
same order.
"""

import os
import signal
import sys
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from pathlib import Path

from goex_proxy.launch import kernel
from goex_proxy.launch.inside import VIEW_FAILED, live
from goex_proxy.launch.order import PROC_CONTROLS, RELAY_FOLDER, Order, read_order

DEVICES = ("null", "zero", "full", "random", "urandom", "tty")


def main() -> int:
    """Leave the host's namespaces, start the view, return its code."""
    order = read_order(int(sys.argv[1]))
    try:
        kernel.die_with_parent(signal.SIGKILL)
        if os.getppid() != order.parent:
            return VIEW_FAILED
        _leave(order)
        first = os.fork()
        if first == 0:
            os._exit(_first_process(order))
    except OSError as error:
        return _failed(error)
    os.close(order.control)
    code = os.waitstatus_to_exitcode(os.waitpid(first, 0)[1])
    return code if code >= 0 else 128 - code


def _failed(error: OSError) -> int:
    sys.stderr.write(f"goex: the view could not be made: {error}\n")
    return VIEW_FAILED


def _leave(order: Order) -> None:
    wanted = os.CLONE_NEWNS | os.CLONE_NEWPID | os.CLONE_NEWIPC
    if order.sealed:
        wanted |= os.CLONE_NEWNET
    user, group = os.getuid(), os.getgid()
    try:
        os.unshare(wanted)
    except PermissionError:
        os.unshare(wanted | os.CLONE_NEWUSER)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def _first_process(order: Order) -> int:
    try:
        kernel.die_with_parent(signal.SIGKILL)
        if order.sealed:
            kernel.raise_loopback()
        _furnish(order)
        return live(order)
    except OSError as error:
        return _failed(error)


def _furnish(order: Order) -> None:
    kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_SLAVE)
    with ExitStack() as open_files:
        kept = {path: _hold(path, open_files) for path in order.keep}
        devices = {name: _hold(f"/dev/{name}", open_files) for name in DEVICES}
        gateway = _hold(order.relay_folder, open_files) if order.sealed else ""
        for path in order.readonly:
            kernel.bind(path, path)
            kernel.make_read_only(path)
        # What went since the plan was made (a home of another gateway) needs no cover.
        empty = [path for path in order.empty if os.path.isdir(path)]
        _cover((*order.scratch, *empty), order.blank, devices["null"])
        for path, held in kept.items():
            _show(held, path)
            kernel.make_read_only(path)
        for path in empty:
            kernel.make_read_only(path)
        _fresh_devices(devices)
        if gateway:
            _show(gateway, RELAY_FOLDER)
            kernel.make_read_only(RELAY_FOLDER)
        kernel.make_read_only("/sys")
        _fresh_processes()


def _cover(folders: Iterable[str], files: Iterable[str], null: str) -> None:
    flags = kernel.MS_NOSUID | kernel.MS_NODEV
    for path in folders:
        kernel.mount("tmpfs", path, "tmpfs", flags, "mode=0755")
    for path in files:
        # What went since the plan was made (a server that ended) needs no cover.
        with suppress(FileNotFoundError):
            kernel.bind(null, path)


def _hold(path: str, open_files: ExitStack) -> str:
    """A name for what is at `path` now, whatever will be mounted over it."""
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    open_files.callback(os.close, descriptor)
    return f"/proc/self/fd/{descriptor}"


def _show(held: str, path: str) -> None:
    """Mount what is held at `path`, which lies in an empty directory and must first be made."""
    target = Path(path)
    if Path(held).is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    kernel.bind(held, path)


def _fresh_devices(devices: dict[str, str]) -> None:
    """The devices that every program needs, and no disk, no memory, no terminal of others."""
    kernel.mount("tmpfs", "/dev", "tmpfs", kernel.MS_NOSUID, "mode=0755")
    for name, held in devices.items():
        _show(held, f"/dev/{name}")
    for name in ("pts", "shm"):
        os.mkdir(f"/dev/{name}")
    flags = kernel.MS_NOSUID | kernel.MS_NOEXEC
    kernel.mount("devpts", "/dev/pts", "devpts", flags, "newinstance,ptmxmode=0666,mode=0620")
    shared = kernel.MS_NOSUID | kernel.MS_NODEV
    kernel.mount("tmpfs", "/dev/shm", "tmpfs", shared, "mode=1777")  # noqa: S108
    os.symlink("pts/ptmx", "/dev/ptmx")
    os.symlink("/proc/self/fd", "/dev/fd")
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        os.symlink(f"/proc/self/fd/{number}", f"/dev/{name}")


def _fresh_processes() -> None:
    flags = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
    kernel.mount("proc", "/proc", "proc", flags)
    for path in PROC_CONTROLS:
        if os.path.exists(path):
            kernel.bind(path, path)
            kernel.make_read_only(path)

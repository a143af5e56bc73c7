"""The view made by bubblewrap: its arguments, and where it may be found.

bubblewrap is preferred where it is installed: distributions that forbid unprivileged user
namespaces make an exception for it. The same mounts as `namespaces.py`, in the same order.
"""

import os
import shutil

from goex_proxy.launch.order import PROC_CONTROLS, RELAY_FOLDER, Order

_SYSTEM_PATH = "/usr/bin:/bin:/usr/local/bin:/run/current-system/sw/bin:/run/wrappers/bin"


def find_bubblewrap() -> str | None:
    """The `bwrap` of the system: never one from a directory that the user's PATH may add."""
    return shutil.which("bwrap", path=_SYSTEM_PATH)


def arguments(bwrap: str, order: Order, first_process: list[str]) -> list[str]:
    """The command line whose process 1 is `first_process` (which drops privileges once more)."""
    return [
        *(bwrap, "--die-with-parent", "--as-pid-1", "--cap-drop", "ALL"),
        *("--unshare-pid", "--unshare-ipc"),
        *(("--unshare-net",) if order.sealed else ()),
        *("--bind", "/", "/"),
        *_each("--ro-bind", order.readonly),
        *_each("--tmpfs", [*order.scratch, *order.empty], twice=False),
        *_blank(order),
        *_each("--ro-bind", order.keep),
        *_each("--remount-ro", order.empty, twice=False),
        *("--dev", "/dev"),
        *(("--ro-bind", order.relay_folder, RELAY_FOLDER) if order.sealed else ()),
        *("--ro-bind", "/sys", "/sys", "--proc", "/proc"),
        *_each("--ro-bind", [path for path in PROC_CONTROLS if os.path.exists(path)]),
        *("--chdir", "/"),
        *("--", *first_process),
    ]


def _each(option: str, paths: list[str], *, twice: bool = True) -> list[str]:
    result: list[str] = []
    for path in paths:
        result += (option, path, path) if twice else (option, path)
    return result


def _blank(order: Order) -> list[str]:
    result: list[str] = []
    for path in filter(os.path.exists, order.blank):  # what went since needs no cover
        result += ("--dev-bind", os.devnull, path)
    return result

"""The Unix sockets through which an agent could reach helpers outside its view.

A terminal multiplexer, an ssh or gpg agent, a message bus, docker: each runs commands or signs
for whoever connects. Whatever listens when the view is made is covered; what starts listening
later is not, unless its directory is (see `credential_files`). Abstract sockets belong to the
network namespace: only a sealed view is free of them.
"""

import stat
from collections.abc import Iterable
from pathlib import Path

_TABLE = Path("/proc/net/unix")
_ACCEPTS = 0x10000  # __SO_ACCEPTCON in the kernel's flags: it listens
_AT_MOST = 1024


def listening_sockets(table: Path = _TABLE) -> list[Path]:
    """Every socket in the filesystem that something listens on, as far as we can see it.

    Raises ValueError if there are more than a view can cover: better none than a leaky one.
    """
    found = [path for path in _listed(table.read_text(errors="surrogateescape").splitlines())]
    if len(found) > _AT_MOST:
        raise ValueError(f"{len(found)} listening Unix sockets: a view covers {_AT_MOST} at most")
    return found


def _listed(lines: Iterable[str]) -> Iterable[Path]:
    seen: set[str] = set()
    for line in lines:
        # Num RefCount Protocol Flags Type St Inode Path; a path may hold spaces.
        columns = line.split(maxsplit=7)
        if len(columns) < 8 or not columns[7].startswith("/") or columns[7] in seen:
            continue
        seen.add(columns[7])
        path = Path(columns[7])
        if int(columns[3], 16) & _ACCEPTS and _is_socket(path):
            yield path.resolve()


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.stat().st_mode)
    except OSError:
        return False  # gone, or not for us to see: then not for the agent either

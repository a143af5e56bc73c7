"""The other paths at which a file is seen: what is mounted twice must be hidden twice.

A bind mount, or a subvolume that is mounted beside its parent, shows the same directory under a
second name; a cover over the first leaves the second open. Read from proc_pid_mountinfo(5).
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_TABLE = Path("/proc/self/mountinfo")
_ESCAPE = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    device: str
    root: Path
    """The directory of its file system that is shown."""
    at: Path


def mounts(table: Path = _TABLE) -> list[Mount]:
    """Every mount, in the order in which they were made."""
    rows = (line.split(" ") for line in table.read_text(errors="surrogateescape").splitlines())
    return [Mount(row[2], _path(row[3]), _path(row[4])) for row in rows if len(row) > 4]


def aliases(path: Path, known: list[Mount]) -> Iterator[Path]:
    """Other paths of this file or directory, or of a part of it. `path` is resolved."""
    holder = max(
        (each for each in reversed(known) if path.is_relative_to(each.at)),
        key=lambda each: len(each.at.parts),
        default=None,
    )
    if holder is None:
        return
    inside = holder.root / path.relative_to(holder.at)
    for each in known:
        if each.device != holder.device:
            continue
        if inside.is_relative_to(each.root):
            other = each.at / inside.relative_to(each.root)
            if other != path and _is_same(other, path):
                yield other
        elif each.root.is_relative_to(inside) and not each.at.is_relative_to(path):
            yield each.at


def _path(text: str) -> Path:
    return Path(_ESCAPE.sub(lambda found: chr(int(found[1], 8)), text))


def _is_same(one: Path, other: Path) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False  # it lies under another mount, or is not for us to see

"""What a view hides: plain paths, decided outside it (`credential_files.py` knows which)."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Level(StrEnum):
    """How far the agent is kept from what the gateway guards (design.md, section 2)."""

    COOPERATIVE = "cooperative"
    HIDDEN = "hidden"
    SEALED = "sealed"


@dataclass(frozen=True, slots=True, kw_only=True)
class HidePlan:
    """What the agent does not see. Every path exists and is resolved: `hide_plan` makes one.

    A path that appears later is not hidden, nor is a second hard link to a hidden file.
    """

    empty: tuple[Path, ...] = ()
    """Directories shown empty and read-only."""
    blank: tuple[Path, ...] = ()
    """Files and sockets shown as /dev/null."""
    keep: tuple[Path, ...] = ()
    """What stays readable inside `empty` and `scratch` directories, at its own path, read-only."""
    scratch: tuple[Path, ...] = ()
    """Directories shown empty and writable, such as /run; what is written is lost at the end."""
    readonly: tuple[Path, ...] = ()
    """What the agent may read and not change: the installation of goex-proxy."""

    def covers(self, path: Path) -> bool:
        """Whether a path lies in (or is) something hidden, and is not kept."""
        around = (path, *path.parents)
        if any(kept in around for kept in self.keep):
            return False
        return any(hidden in around for hidden in (*self.empty, *self.blank, *self.scratch))

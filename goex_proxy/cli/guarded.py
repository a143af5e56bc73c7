"""Whether a home is guarded where it lies: its files, the folders above it, git around it.

A gateway refuses to start over the worst of these; `doctor` also names what it cannot see.
"""

import os
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from goex_proxy.home import Home

_SECRET = ("vault.key", "vault.db", "keys.db", "journal.db", "callers.json", "ca/ca-key.pem")
_PATIENCE = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at. `fix`: what to do, where it is not well. `fault`: whether
    that is a fault of this installation; else it is what this machine does not offer."""

    name: str
    ok: bool
    what: str
    fix: str = ""
    fault: bool = True


def guarded(home: "Home") -> Iterator[Check]:
    """Files, place, git: each well, or what is not and what to do."""
    yield _first("files", _files(home.path), "each is yours alone, and has one name")
    yield _first("place", _place(home.path), "nobody else can put another home in its stead")
    found = _git(home.path)
    if found is not None:
        yield found


type Problem = tuple[str, str]
"""What is wrong, and what to do."""


def _first(name: str, problems: Iterator[Problem], well: str) -> Check:
    found = list(problems)
    if not found:
        return Check(name=name, ok=True, what=well)
    what = "; ".join(what for what, _ in found)
    return Check(name=name, ok=False, what=what, fix=found[0][1])


def _files(home: Path) -> Iterator[Problem]:
    for name in _SECRET:
        path = home / name
        if not path.exists():
            continue
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            yield f"{path} is no plain file", "put the file itself there"
        elif status.st_uid != os.geteuid():
            yield f"{path} belongs to another user", f"chown {os.geteuid()} {path}"
        elif status.st_mode & 0o077:
            yield f"{path} can be read by others", f"chmod 600 {path}"
        elif status.st_nlink > 1:
            # A hidden view covers one name of a file; the other would show it to the agent.
            other = f"find / -xdev -samefile {path} finds the other name; delete it"
            yield f"{path} has {status.st_nlink} names (hard links)", other


def _place(home: Path) -> Iterator[Problem]:
    for folder in home.resolve().parents:
        status = folder.stat()
        everybody = bool(status.st_mode & stat.S_IWOTH)
        sticky = bool(status.st_mode & stat.S_ISVTX)
        if everybody and (not sticky or folder == home.resolve().parent):
            move = "move the home elsewhere, and set GOEX_HOME"
            yield f"{folder} can be written by everybody", move
        elif status.st_uid not in (0, os.geteuid()):
            yield (
                f"{folder} belongs to another user, who can replace what is in it",
                "move the home",
            )


def _git(home: Path) -> Check | None:
    """None outside of git. A home that git does not ignore is one `git add .` from its remote."""
    around = next((p for p in home.resolve().parents if (p / ".git").exists()), None)
    if around is None:
        return None
    told = _ignored(around, home.resolve())
    if told:
        return Check(name="git", ok=True, what=f"{around} ignores the home")
    inside = home.resolve().relative_to(around)
    what = f"the home is in the git work tree {around}, which does not ignore it"
    return Check(name="git", ok=False, what=what, fix=f"echo /{inside}/ >> {around}/.gitignore")


def _ignored(around: Path, home: Path) -> bool:
    # A repository's own settings can name programs to run: this one may not.
    line = ["git", "-c", "core.fsmonitor=false", "-C", str(around)]
    line += ["check-ignore", "--quiet", "--", f"{home}/"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    try:
        done = subprocess.run(
            line, env=environment, capture_output=True, timeout=_PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0

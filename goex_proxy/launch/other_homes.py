"""Homes of goex-proxy besides the one in use: an agent of one must not read the secrets of another.

Looked for where commands find them: the default, GOEX_HOME, `.goex` of a checkout (here, above,
and beside this program), and wherever a gateway listens. Not found is a home elsewhere that
no gateway runs on: nothing keeps a list of them.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from goex_proxy.launch.local_sockets import listening_sockets

_MARKS = ("vault.key", "vault.db", "goex.yaml")
_CONTROL = "control.sock"


def other_homes(user_home: Path, environment: Mapping[str, str], here: Path | None) -> list[Path]:
    """Those that exist, resolved. `here`: the folder of the command; None if it is gone.

    Raises what `listening_sockets` does.
    """
    program = Path(__file__).resolve().parents[2]
    around = (*here.parents, here) if here is not None else ()
    places = [user_home / ".goex-proxy", *(folder / ".goex" for folder in (program, *around))]
    if named := environment.get("GOEX_HOME"):
        places.append(Path(named).absolute())
    places += [path.parent for path in listening_sockets() if path.name == _CONTROL]
    return list(dict.fromkeys(path.resolve() for path in _homes(places)))


def working_folder() -> Path | None:
    """Where this process is; None if it is there no longer."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return None


def _homes(places: Iterable[Path]) -> Iterable[Path]:
    # By lstat's like, not by opening: one that belongs to somebody else is none of ours.
    for place in places:
        if any(os.path.lexists(place / mark) for mark in _MARKS):
            yield place

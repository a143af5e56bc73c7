"""Can this machine make a view? Answered by making one, never by reading settings."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from goex_proxy.launch.bubblewrap import find_bubblewrap
from goex_proxy.launch.errors import ViewUnavailable
from goex_proxy.launch.plan import Level
from goex_proxy.launch.view import NATIVE

_PATIENCE = 20.0  # seconds; a trial takes a tenth of one

_TRIAL = """
import sys
from pathlib import Path
from goex_proxy.launch.plan import HidePlan, Level
from goex_proxy.launch.view import start
level, engine, secret, gateway = sys.argv[1:]
launched = start(
    ["/bin/sh", "-c", 'test ! -e "$1" && test "$$" -lt 9 && test -d /proc/1 && exit 42', "sh",
     secret],
    level=Level(level), environment={"PATH": "/usr/bin:/bin"},
    hide=HidePlan(empty=(Path(secret).parent,)),
    relay=(Path(gateway), 8080) if level == "sealed" else None, engine=engine)
sys.exit(launched.wait())
"""


def probe(level: Level) -> str | None:
    """None if a command can be run at this level here, else one sentence that says why not."""
    try:
        find_engine(level)
    except ViewUnavailable as error:
        return str(error)
    return None


def find_engine(level: Level) -> str:
    """What makes views of this level here: the path of a `bwrap`, or `view.NATIVE`.

    Raises ViewUnavailable when neither does.
    """
    if level is Level.COOPERATIVE:
        return NATIVE
    if not sys.platform.startswith("linux"):
        raise ViewUnavailable(f"a {level} view needs Linux; this is {sys.platform}")
    reasons: list[str] = []
    bwrap = find_bubblewrap()
    for engine in (bwrap, NATIVE) if bwrap else (NATIVE,):
        reason = trial(level, engine)
        if reason is None:
            return engine
        reasons.append(f"{'without bubblewrap' if engine == NATIVE else engine}: {reason}")
    advice = "" if bwrap else "; installing bubblewrap may help"
    raise ViewUnavailable(f"a {level} view cannot be made here ({'; '.join(reasons)}){advice}")


def trial(level: Level, engine: str) -> str | None:
    """Make one view with this engine and look out of it: None, or what went wrong."""
    with tempfile.TemporaryDirectory(prefix="goex-probe-") as directory:
        secret = Path(directory, "hidden", "secret")
        secret.parent.mkdir()
        secret.touch()
        # A relay needs something at the far end to be mounted; nobody will connect to it.
        gateway = Path(directory, "relay", "gateway")
        gateway.parent.mkdir()
        gateway.touch()
        line = [sys.executable, "-I", "-c", _TRIAL, level, engine, str(secret), str(gateway)]
        try:
            done = subprocess.run(
                line,
                cwd="/",
                env={"PATH": os.defpath},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"the trial did not end within {_PATIENCE:g} s"
    if done.returncode == 42:
        return None
    return _reason(done.stderr.decode(errors="replace"), done.returncode)


def _reason(said: str, code: int) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    # A failed view says why in a line of its own; otherwise the exception's last line must do.
    own = (line for line in lines if line.startswith(("goex:", "bwrap:")))
    cause = next(own, lines[-1] if lines else "it said nothing")
    hint = ""
    if "No space left on device" in said:
        hint = " (the limit /proc/sys/user/max_*_namespaces is reached, or 0)"
    elif "not permitted" in said or "denied" in said:
        hint = " (a container's or the system's policy forbids new namespaces)"
    return f"{cause.removeprefix('goex: ')}{hint}, exit {code}"

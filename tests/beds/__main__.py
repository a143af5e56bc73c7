"""`python -m tests.beds github|slack|webdav|git [...]`: start beds by hand, print where they are, wait for Ctrl-C."""

from __future__ import annotations

import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.beds import emulate
from tests.beds.bed import Bed
from tests.beds.cache import Unavailable
from tests.beds.git_http import GitHttp
from tests.beds.webdav import WebDav

BEDS: dict[str, Callable[[Path], Bed]] = {
    "github": emulate.github,
    "slack": emulate.slack,
    "webdav": WebDav,
    "git": lambda at: GitHttp(at, "hello", "other"),
}


def main(names: list[str]) -> int:
    """Start each named bed; 2 for an unknown name, 1 for one that cannot be had."""
    unknown = [name for name in names if name not in BEDS]
    if unknown or not names:
        print(f"usage: python -m tests.beds {'|'.join(BEDS)} ...", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    started: list[Bed] = []
    with tempfile.TemporaryDirectory(prefix="goex-beds-") as home:
        try:
            for name in names:
                bed = BEDS[name](Path(home) / name)
                started.append(bed)
                real = f" token={bed.real}" if isinstance(bed, emulate.Emulate) else ""
                print(f"ready bed={name} url={bed.url} pid={bed.server.pid}{real}", flush=True)
            signal.pause()
        except Unavailable as reason:
            print(f"cannot start: {reason}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 0
        finally:
            for bed in reversed(started):
                bed.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

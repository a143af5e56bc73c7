"""Launches one command as `goex run` would, in a process of its own: for the tests of views.

python -I driver.py ORDER.json      the command's output is ours, its code too
"""

import json
import os
import sys
from pathlib import Path

from goex_proxy.launch import Level, ViewUnavailable, run
from goex_proxy.launch.credential_files import hide_plan


def main() -> int:
    told = json.loads(Path(sys.argv[1]).read_text())
    os.chdir(told["directory"])
    home = Path(told["user_home"])
    goex = Path(told["goex"]) if told["goex"] else home / ".goex-proxy"
    hide = hide_plan(
        goex_home=goex,
        user_home=home,
        environment=told["ambient"],
        visible=[goex / "bundle.pem"],
        services=told["services"],
    )
    relay = (Path(told["relay"]), 8080) if told["relay"] else None
    try:
        return run(
            told["command"],
            level=Level(told["level"]),
            environment=told["environment"],
            hide=hide,
            relay=relay,
            engine=told["engine"] or None,
        )
    except ViewUnavailable as error:
        sys.stderr.write(f"unavailable: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())

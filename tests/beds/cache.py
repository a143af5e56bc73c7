"""Where third-party services are kept between runs, and how they get there exactly once."""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

INSTALL_SECONDS = 480


class Unavailable(Exception):
    """A bed that cannot be had here. Its text is the reason a test is skipped, or fails under CI."""


def root() -> Path:
    """The cache directory, outside the tree: `$GOEX_BED_CACHE` or `~/.cache/goex-proxy-beds`."""
    named = os.environ.get("GOEX_BED_CACHE")
    return Path(named) if named else Path.home() / ".cache" / "goex-proxy-beds"


def installed(name: str, build: Callable[[Path], None]) -> Path:
    """The directory `name`, built once by `build`, however many processes ask at the same time.

    `name` carries the versions, so a new pin is a new directory. The marker is written last: what an
    interrupted build left behind is removed, never used. Built in place, because a venv holds its own path.
    """
    target = root() / name
    marker = target / ".complete"
    if marker.exists():
        return target
    root().mkdir(parents=True, exist_ok=True)
    with (root() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if marker.exists():
            return target
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        build(target)
        marker.touch()
    return target


def venv(name: str, *requirements: str) -> Path:
    """The interpreter of a cached venv that holds `requirements` (pinned by the caller)."""

    def build(target: Path) -> None:
        command([sys.executable, "-m", "venv", str(target)])
        python = str(target / "bin" / "python")
        command([python, "-m", "pip", "install", "--quiet", "--no-input", *requirements])

    version = f"py{sys.version_info.major}.{sys.version_info.minor}"
    return installed(f"{name}-{version}", build) / "bin" / "python"


def npm(name: str, *packages: str) -> Path:
    """The `node_modules` of a cached npm project that holds `packages`; no install script is run."""
    if shutil.which("npm") is None:
        raise Unavailable("npm is not on PATH: install node and npm, or leave the node beds out")

    def build(target: Path) -> None:
        (target / "package.json").write_text('{"name": "bed", "private": true, "type": "module"}\n')
        line = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--save-exact"]
        command([*line, *packages], cwd=target)

    return installed(name, build) / "node_modules"


def node() -> Path:
    """Node 24: emulate needs `module.registerHooks`, and only from 24 on fetch honours a proxy."""
    arch = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine())
    if sys.platform != "linux" or arch is None:
        raise Unavailable(f"no node 24 package is known for {sys.platform} {platform.machine()}")
    package = f"node-linux-{arch}"
    return npm(f"node-24.21.0-{arch}", f"{package}@24.21.0") / package / "bin" / "node"


def command(line: list[str], cwd: Path | None = None) -> None:
    """Run one installer; its failure is `Unavailable` with the tail of what it said."""
    try:
        done = subprocess.run(
            line, cwd=cwd, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as late:
        raise Unavailable(f"{line[0]} did not finish in {INSTALL_SECONDS} s") from late
    except OSError as missing:
        raise Unavailable(f"cannot run {line[0]}: {missing}") from missing
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()[-400:]
        raise Unavailable(f"{' '.join(line[:4])} ... ended with {done.returncode}: {said}")

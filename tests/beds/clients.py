"""Interpreters with real, unmodified clients in them, run under an environment we chose."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.beds import cache
from tests.beds.server import clean_env

PYTHON_PINS = (
    "requests==2.34.2", "httpx[http2]==0.28.1", "aiohttp==3.14.5", "PyGithub==2.10.0", "slack_sdk==3.47.0",
)  # fmt: skip
NODE_PINS = ("octokit@5.0.5", "@slack/web-api@8.2.0", "undici@7.16.0")
RUN_SECONDS = 60


def python() -> Path:
    """An interpreter that has requests, httpx, aiohttp, PyGithub and slack_sdk, and not goex-proxy."""
    return cache.venv("clients-1", *PYTHON_PINS)


def node() -> Path:
    """Node 24."""
    return cache.node()


def node_modules() -> Path:
    """The node project's modules: octokit, @slack/web-api, undici. Put a script beside it to import them."""
    return cache.npm("clients-node-1", *NODE_PINS)


def run_python(script: str, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run `script` with the Python clients; nothing of our environment but PATH reaches it."""
    return _run([str(python()), "-c", script, *words], env=clean_env(**env))


def run_node(script: str, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run an ES module `script` with node 24, where the node clients can be imported."""
    home = node_modules().parent
    line = [str(node()), "--input-type=module", "-e", script, "--", *words]
    return _run(line, env=clean_env(**env), cwd=home)


def _run(
    line: Sequence[str], *, env: dict[str, str], cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        line, env=env, cwd=cwd, capture_output=True, text=True, timeout=RUN_SECONDS, check=False
    )

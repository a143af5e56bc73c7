"""What `goex demo` plays: a change, the log, the undo, in a home that is deleted."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

from goex_proxy.cli.demo_service import DemoService
from goex_proxy.cli.failure import Failure
from goex_proxy.cli.render import heading, plain, talk
from goex_proxy.founding import found
from goex_proxy.home import Home

HOST = "files.demo.example"
BEFORE = "milk\nbread\n"
AFTER = "caviar\n"
_CONFIG = """\
version: 1
posture: balanced
reversers: ["shipped:webdav"]
upstreams: {{{host}: "http://127.0.0.1:{port}"}}
services: {{webdav: {{hosts: [{host}]}}}}
"""
_CLIENT = """\
import ssl, sys, urllib.request
url, bundle, text = sys.argv[1:]
request = urllib.request.Request(url, data=text.encode(), method="PUT")
context = ssl.create_default_context(cafile=bundle)
with urllib.request.urlopen(request, context=context, timeout=30) as answer:
    print(answer.status, "entry", answer.headers.get("X-Goex-Entry"))
"""
_PATIENCE = 60.0


def play() -> None:
    """Play it. Raises `Failure` if anything comes out otherwise."""
    folder = Path(tempfile.mkdtemp(prefix="goex-demo-"))
    try:
        files = folder / "files"
        files.mkdir()
        with DemoService(files.resolve()) as service:
            _play(_home(folder / "home", service.port), files / "list.txt")
    finally:
        shutil.rmtree(folder)


def _home(path: Path, port: int) -> Home:
    home = Home(path)
    found(home)
    home.config.write_text(_CONFIG.format(host=HOST, port=port))
    return home


def _play(home: Home, file: Path) -> None:
    file.write_text(BEFORE)
    heading("a file on a service")
    _show(file)
    with _Gateway(home) as gateway:
        heading("an agent overwrites it, through the gateway")
        _agent(home, gateway.proxy)
        _show(file)
        _goex(home, "log")
        _goex(home, "undo", "e1", "--yes")
    _show(file)
    _goex(home, "log")
    if file.read_text() != BEFORE:
        raise Failure("the file is not as it was")
    talk("\nthe file is as it was, byte for byte\nhint: goex init, then goex run -- YOUR-AGENT")


def _show(file: Path) -> None:
    for line in file.read_text().splitlines():
        click.echo(f"  {file.name}: {line}")


def _agent(home: Home, proxy: str) -> None:
    """A client like any other: all it knows is HTTPS_PROXY and a bundle of roots."""
    line = [sys.executable, "-I", "-c", _CLIENT]
    line += [f"https://{HOST}/list.txt", str(home.bundle), AFTER]
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HTTPS_PROXY": proxy}
    done = subprocess.run(
        line, env=environment, capture_output=True, text=True, timeout=_PATIENCE, check=False
    )
    if done.returncode != 0:
        raise Failure(f"the client failed: {done.stderr.strip().splitlines()[-1:]}")
    click.echo(f"  PUT https://{HOST}/list.txt -> {plain(done.stdout.strip())}")


def _goex(home: Home, *arguments: str) -> None:
    """One of our own commands, as a person would type it."""
    heading(f"$ goex {' '.join(arguments)}")
    sys.stdout.flush()
    line = [sys.executable, "-m", "goex_proxy", "--home", str(home.path), *arguments]
    subprocess.run(line, check=True, timeout=_PATIENCE, cwd="/")


class _Gateway:
    """`goex serve` as a child, while it is entered."""

    def __init__(self, home: Home) -> None:
        line = [sys.executable, "-m", "goex_proxy", "--home", str(home.path), "serve"]
        self._process = subprocess.Popen(
            [*line, "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True, cwd="/"
        )
        self.proxy = ""

    def __enter__(self) -> "_Gateway":
        began = time.monotonic()
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        words = self._process.stdout.readline().split()
        found = [word.removeprefix("proxy=") for word in words if word.startswith("proxy=")]
        if not found:
            self._process.wait(_PATIENCE)
            raise Failure("the gateway did not start")
        self.proxy = found[0]
        talk(f"the gateway accepts after {time.monotonic() - began:.1f} s, on {self.proxy}")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate(timeout=_PATIENCE)

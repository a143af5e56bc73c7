"""One installation on loopback: a home, a WebDAV service, and `goex` as a person types it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goex_proxy.cli.demo_service import DemoService
from tests.beds.server import clean_env

HOST = "files.example.test"
LIMIT = 90
CLIENT = """\
import ssl, sys, urllib.error, urllib.request
method, url, bundle, text = sys.argv[1:]
data = text.encode() if text else None
request = urllib.request.Request(url, data=data, method=method)
context = ssl.create_default_context(cafile=bundle)
try:
    with urllib.request.urlopen(request, context=context, timeout=30) as answer:
        print(answer.status, answer.headers.get("X-Goex-Entry"))
except urllib.error.HTTPError as error:
    print(error.code, error.headers.get("X-Goex-Entry"), error.read().decode())
"""


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - what the command said
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


class Place:
    def __init__(self, folder: Path, service: DemoService, files: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.service = service
        self.files = files
        self.user = folder / "user"
        self.user.mkdir(exist_ok=True)

    def environment(self, **more: str) -> dict[str, str]:
        scrubbed = {k: v for k, v in clean_env().items() if "proxy" not in k.lower()}
        return {**scrubbed, "GOEX_HOME": str(self.home), "HOME": str(self.user), **more}

    def line(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "goex_proxy", *arguments]

    def goex(self, *arguments: str, given: str = "", **more: str) -> Done:
        """A command with no terminal, run from a folder that is not its home."""
        done = subprocess.run(
            self.line(*arguments),
            input=given,
            capture_output=True,
            text=True,
            env=self.environment(**more),
            cwd=self.user,
            timeout=LIMIT,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def found(self, policy: str = "", **config: object) -> None:
        """Make the home, with the WebDAV service and the rules of a policy."""
        assert self.goex("init").code == 0
        whole = {
            "version": 1,
            "listen": "127.0.0.1:1",
            "reversers": ["shipped", "./reversers"],
            "policies": ["./policies"],
            "upstreams": {HOST: f"http://127.0.0.1:{self.service.port}"},
            "services": {"webdav": {"hosts": [HOST]}},
            "limits": {"hold_wait": "0.2s"},
            **config,
        }
        (self.home / "goex.yaml").write_text(json.dumps(whole))
        if policy:
            (self.home / "policies" / "mine.yaml").write_text(f"version: 1\nrules:\n{policy}")

    @contextmanager
    def gateway(self, *arguments: str) -> Iterator[str]:
        """`goex serve`, until it has ended; the proxy's URL."""
        process = subprocess.Popen(
            self.line("serve", "--listen", "127.0.0.1:0", *arguments),
            stdout=subprocess.PIPE,
            text=True,
            env=self.environment(),
            cwd=self.user,
        )
        try:
            assert process.stdout is not None
            ready = process.stdout.readline()
            assert ready.startswith("ready proxy=http://127.0.0.1:"), ready
            yield ready.split()[1].removeprefix("proxy=")
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=LIMIT)
        assert process.returncode == 0

    def agent(self, proxy: str, method: str, name: str, text: str = "") -> str:
        """One call of an unmodified client: its status, entry, and what else it was told."""
        line = [sys.executable, "-I", "-c", CLIENT, method, f"https://{HOST}/{name}"]
        line += [str(self.home / "client" / "bundle.pem"), text]
        done = subprocess.run(
            line,
            env={"PATH": os.defpath, "HTTPS_PROXY": proxy},
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=True,
        )
        return done.stdout.strip()

    def wait(self, *arguments: str, word: str) -> None:
        """Until a command's answer has a word in it."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if word in self.goex(*arguments).out:
                return
            time.sleep(0.2)
        raise AssertionError(f"goex {' '.join(arguments)} never said {word}")

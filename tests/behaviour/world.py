"""A whole world on loopback: a home, a gateway in a process of its own, taps before real beds.

Nothing here reaches into the gateway: an agent speaks HTTP through its proxy port, a person
speaks to its control socket, and what the journal holds is read from its files.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from goex_proxy.console.client import ask
from goex_proxy.founding import found
from goex_proxy.home import Home, read_entry
from goex_proxy.report import log_fields, show_fields
from goex_proxy.stores.credential import Credential, Stored
from goex_proxy.stores.secret import Secret
from goex_proxy.stores.verify import Verification, verify
from tests.beds.server import clean_env
from tests.behaviour import agent
from tests.behaviour.agent import Answer, Pending
from tests.behaviour.tap import Loop, Tap

READY_SECONDS = 30.0
PLACEHOLDERS = {
    "api.github.com": "ghp_PLACEHOLDERPLACEHOLDERPLACEHOLDER00",
    "slack.com": "xoxb-0000000000-0000000000-PLACEHOLDERPLACEHOLDER",
}
SERVICES = {"api.github.com": "github", "slack.com": "slack"}
GITHUB, SLACK = "https://api.github.com", "https://slack.com/api"
DAV, GIT = "http://dav.example.test", "http://git.example.test"


class World:
    """One installation. `taps` by host; `secrets` are the real tokens of the beds."""

    def __init__(
        self,
        at: Path,
        loop: Loop,
        beds: Mapping[str, int],
        *,
        secrets: Mapping[str, str] | None = None,
        limits: str = "hold_wait: 0.2s",
        posture: str = "balanced",
        policy: str = "",
        principals: Mapping[str, str] | None = None,
        services: str = "webdav: {hosts: [dav.example.test]}, git: {hosts: [git.example.test]}",
        reverser: str = "",
        wrapper: Sequence[str] = (),
    ) -> None:
        self.home = Home(at / "home")
        self.log_file = at / "gateway.log"
        self.taps = {host: Tap(loop, port) for host, port in beds.items()}
        self.process: subprocess.Popen[str] | None = None
        self.proxy = ("", 0)
        self.wrapper = wrapper
        """What the gateway is started under, such as `strace -f`."""
        found(self.home, posture=posture)
        self._configure(limits, posture, services)
        if reverser:
            (self.home.path / "reversers" / "own.yaml").write_text(f"version: 1\n{reverser}")
        if policy:
            (self.home.path / "policies" / "mine.yaml").write_text(f"version: 1\n{policy}")
        self._put_secrets(secrets or {}, principals or {})
        self.trust = ssl.create_default_context(cafile=str(self.home.ca_certificate))

    def _configure(self, limits: str, posture: str, services: str) -> None:
        ups = ", ".join(f"{host}: '{tap.url}'" for host, tap in self.taps.items())
        self.home.config.write_text(
            f"version: 1\nlisten: 127.0.0.1:0\nposture: {posture}\n"
            "policies: [./policies]\nreversers: [shipped, ./reversers]\n"
            f"upstreams: {{{ups}}}\nlimits: {{{limits}}}\n"
            f"services: {{{services}}}\n"
        )

    def _put_secrets(self, secrets: Mapping[str, str], principals: Mapping[str, str]) -> None:
        vault = self.home.vault()
        for host, secret in secrets.items():
            credential = Credential(
                id=f"c-{SERVICES[host]}", version=1, name=SERVICES[host], service=SERVICES[host],
                hosts=(host,), slots=("bearer", "basic"), placeholder=PLACEHOLDERS[host],
                principal=principals.get(host),
            )  # fmt: skip
            vault.add(credential, Stored(Secret(secret.encode())))
        vault.close()

    # -- the gateway's life

    def start(self) -> World:
        """Start it and wait until it accepts."""
        line = [
            *self.wrapper,
            sys.executable,
            "-m",
            "goex_proxy",
            "--home",
            str(self.home.path),
            "serve",
        ]
        env = clean_env(PYTHONPATH=os.pathsep.join(p for p in sys.path if p), HOME="/nonexistent")
        with self.log_file.open("a") as log:
            self.process = subprocess.Popen(
                line, stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL,
                text=True, env=env, start_new_session=True,
            )  # fmt: skip
        said = self._first_line()
        if not said.startswith("ready "):
            self.kill()
            raise AssertionError(f"no gateway: {said!r} {self.log_file.read_text()[-3000:]}")
        where = dict(word.partition("=")[::2] for word in said.split()[1:])
        host, _, port = where["proxy"].removeprefix("http://").rpartition(":")
        self.proxy = (host, int(port))
        return self

    def _first_line(self) -> str:
        assert self.process is not None
        assert self.process.stdout is not None
        if not select.select([self.process.stdout], [], [], READY_SECONDS)[0]:
            return "nothing was said in time"
        return self.process.stdout.readline()

    def refused_to_start(self) -> tuple[int, str]:
        """Start it where it must not start: its exit code, and what it says."""
        before = self.log_file.stat().st_size if self.log_file.exists() else 0
        try:
            self.start()
        except AssertionError:
            assert self.process is not None
            return self.process.wait(5), self.log_file.read_text()[before:]
        raise AssertionError("it started")

    def kill(self) -> None:
        """SIGKILL, also to what it started; returns when it is gone."""
        if self.process is not None:
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)
            if self.process.stdout is not None:
                self.process.stdout.close()

    def stop(self) -> None:
        """Ask it to end, and wait."""
        if self.process is None or self.process.poll() is not None:
            return
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(15)
        finally:
            self.kill()

    def restart(self) -> World:
        """After `kill` or `stop`: the same home, a new process."""
        return self.start()

    def close(self) -> None:
        self.stop()
        for tap in self.taps.values():
            tap.close()

    # -- the agent

    def begin(self, method: str, url: str, **what: Any) -> Pending:  # noqa: ANN401 - see agent.start
        """Send a request as an agent; `json=`, `form=`, `body=`, `headers=`, `timeout=`."""
        host = url.partition("://")[2].partition("/")[0]
        headers = dict(what.pop("headers", {}))
        if host in PLACEHOLDERS:
            headers.setdefault("Authorization", f"Bearer {PLACEHOLDERS[host]}")
        if "json" in what:
            what["json_body"] = what.pop("json")
        return agent.start(self.proxy, self.trust, method, url, headers=headers, **what)

    def call(self, method: str, url: str, **what: Any) -> Answer:  # noqa: ANN401 - see agent.start
        """A request as an agent makes it, and its answer."""
        return self.begin(method, url, **what).answer()

    # -- the person

    def act(self, name: str, /, **args: object) -> dict[str, Any]:
        """Have something done over the control socket. Raises `console.client.Refused`."""
        if name in {"undo", "redo", "approve", "reject", "keep", "resolve"}:
            args.setdefault("by", "tester")
        return ask(self.home.socket, name, args, timeout=60)

    def undo(self, *entries: int, **how: object) -> list[dict[str, Any]]:
        """Undo these; the steps."""
        steps: list[dict[str, Any]] = self.act("undo", ids=list(entries), **how)["steps"]
        return steps

    # -- the journal, from its files

    def log(self) -> list[dict[str, Any]]:
        with self.home.reader() as reader:
            return [log_fields(row) for row in reader.log()]

    def show(self, entry: int) -> dict[str, Any]:
        with self.home.reader() as reader:
            row, found_entry = reader.entry(entry), read_entry(reader, entry)
            assert row is not None
            assert found_entry is not None
            return show_fields(row, found_entry, reader.events(entry))

    def state(self, entry: int) -> str:
        """The public state of an entry."""
        return str(self.show(entry)["state"])

    def wait_state(self, entry: int, *states: str, seconds: float = 10.0) -> str:
        """Wait until it is in one of these states; the last one seen."""
        deadline = time.monotonic() + seconds
        while (now := self.state(entry)) not in states and time.monotonic() < deadline:
            time.sleep(0.05)
        return now

    def verify(self) -> Verification:
        """The journal's own proof that it is whole. The gateway may run."""
        with self.home.reader() as reader:
            return verify(reader)


def in_this_process(world: World, name: str, **args: object) -> dict[str, Any]:
    """What a command does when no gateway runs: the same action, under the home's lock."""
    from goex_proxy.app import open_engine

    async def act() -> dict[str, Any]:
        async with open_engine(world.home) as api:
            return await api.call(name, {"by": "tester", **args})

    return asyncio.run(act())


__all__ = ["DAV", "GIT", "GITHUB", "SLACK", "Answer", "Pending", "World", "in_this_process"]

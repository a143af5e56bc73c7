"""What the gateway keeps in memory, the more requests it has carried.

Reads and journaled changes in turns, over 32 connections; each change has a body, a fingerprint
and an entry of its own, so that whatever is kept by call shows. Flat: the last third of the
requests adds less than 4 MiB.

Run: python -m bench.memory [--requests 300000]
"""

import argparse
import tempfile
from pathlib import Path

from bench import home, load
from bench.process import Proxy, proxies
from bench.upstream import HOST, Upstream, upstream

LOOKS = 6
"""How often it is looked at: after each sixth of the requests."""
_GROWTH = 4.0
_CONNECTIONS = 32
_SECONDS = 3600.0

type Row = tuple[str, float, float, float]


def mixed(host: str, placeholder: str) -> load.Maker:
    """Every other request a change, none like another."""
    auth = (f"Authorization: Bearer {placeholder}",)
    read, change = load.get(host, "/things/7", auth), load.post(host, "/notes", auth)
    return lambda number: change(number) if number % 2 else read(number)


def after(proxy: Proxy, target: Upstream, maker: load.Maker, requests: int) -> list[float]:
    """MiB resident at the start, and after each sixth of so many requests."""
    each = requests // LOOKS
    seen = [proxy.memory()]
    for look in range(LOOKS):
        first = look * each
        done = load.drive(
            proxy.port,
            HOST,
            target.port,
            lambda number, first=first: maker(first + number),  # type: ignore[misc]
            connections=_CONNECTIONS,
            seconds=_SECONDS,
            most=each,
        )
        if done.failures:
            raise RuntimeError(f"{done.failures} of {done.asked} requests were refused")
        seen.append(proxy.memory())
        print(f"{first + each:9} requests: {seen[-1]:6.1f} MiB", flush=True)
    return seen


def row(proxy: Proxy, target: Upstream, placeholder: str, requests: int) -> Row:
    """What, measured, must, aim: infinite if it grows."""
    seen = after(proxy, target, mixed(target.host, placeholder), requests)
    grows = seen[-1] - seen[-1 - LOOKS // 3] >= _GROWTH
    what = f"memory after {requests} requests, MiB"
    return what, float("inf") if grows else seen[-1], 160.0, 120.0


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.memory", description=__doc__)
    parser.add_argument("--requests", type=int, default=300_000)
    requests = parser.parse_args().requests
    with tempfile.TemporaryDirectory() as folder, upstream(Path(folder)) as target:
        made, placeholder = home.make(Path(folder) / "home", target)
        with proxies(Path(folder), target, made.path, only="goex") as running:
            what, measured, must, aim = row(running["goex"], target, placeholder, requests)
    mark = "aim" if measured <= aim else "ok" if measured <= must else "MISSED"
    print(f"{what:44} {measured:9.2f} {must:6.0f} {aim:6.0f}  {mark}")


if __name__ == "__main__":
    main()

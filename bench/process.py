"""A proxy under measurement: its port, its CPU time, its memory."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.load import Caller, get
from bench.upstream import HOST, Upstream

_TICK = os.sysconf("SC_CLK_TCK")


class Proxy:
    """One process, all its threads."""

    def __init__(self, name: str, process: "subprocess.Popen[bytes]", port: int) -> None:
        self.name = name
        self.port = port
        self.process = process
        self._stat = Path(f"/proc/{process.pid}/stat")
        self._status = Path(f"/proc/{process.pid}/status")

    def cpu(self) -> float:
        """Seconds in user and kernel mode so far."""
        fields = self._stat.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICK

    def memory(self) -> float:
        """MiB resident now."""
        return self._of("VmRSS")

    def peak(self) -> float:
        """MiB resident at most, since `forget_peak`."""
        return self._of("VmHWM")

    def forget_peak(self) -> None:
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def _of(self, name: str) -> float:
        for line in self._status.read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) / 1024
        raise ValueError(name)


@contextmanager
def proxies(
    at: Path, upstream: Upstream, home: Path, *, only: str = ""
) -> Iterator[dict[str, Proxy]]:
    """All three that are compared, or one of them, up and warm."""
    python = sys.executable
    port = _free()
    commands = {
        "bare": [python, "-m", "bench.bare", str(upstream.ca), str(at / "bare")],
        "mitmdump": [
            str(Path(python).parent / "mitmdump"),
            *("--listen-host", "127.0.0.1", "--listen-port", str(port)),
            *("--set", f"confdir={at / 'dump'}"),
            *("--set", f"ssl_verify_upstream_trusted_ca={upstream.ca}"),
        ],
        "goex": [python, "-m", "bench.serve", str(home)],
    }
    running: dict[str, Proxy] = {}
    environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    environment |= {"PYTHONUNBUFFERED": "1"}
    try:
        for name, command in commands.items():
            if only not in ("", name):
                continue
            silent = name == "mitmdump"
            process = subprocess.Popen(
                command,
                stdout=subprocess.DEVNULL if silent else subprocess.PIPE,
                env=environment,
            )
            running[name] = Proxy(name, process, port)
            if process.stdout is not None:
                running[name].port = int(process.stdout.readline())
            _warm(running[name].port, upstream)
        yield running
    finally:
        for proxy in running.values():
            proxy.process.terminate()
        for proxy in running.values():
            proxy.process.wait(20)
            if proxy.process.stdout is not None:
                proxy.process.stdout.close()


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


def _warm(port: int, upstream: Upstream) -> None:
    for attempt in range(100):
        try:
            caller = Caller(port, HOST, upstream.port, get(upstream.host, "/"))
            caller.ask(0)
            while not caller.heard():
                time.sleep(0.01)
            caller.socket.close()
        except OSError:
            if attempt == 99:
                raise
            time.sleep(0.1)
        else:
            return

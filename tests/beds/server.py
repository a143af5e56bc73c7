"""A third-party server process on loopback: started, awaited, checked, ended by its pid."""

from __future__ import annotations

import ctypes
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.beds.cache import Unavailable

READY_SECONDS = 30.0
STOP_SECONDS = 5.0
PR_SET_PDEATHSIG = 1
LISTEN = "0A"


def clean_env(**extra: str) -> dict[str, str]:
    """What `env -i` leaves, and `extra`: an ambient SSL_CERT_FILE or HTTPS_PROXY hides failures."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "HOME": "/nonexistent",
        **extra,
    }


def free_port() -> int:
    """A free loopback port below the kernel's ephemeral range, so that it is still free after a restart."""
    for port in random.sample(range(15000, 32000), 200):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise Unavailable("200 ports between 15000 and 32000 are all taken")


class Server:
    """One process that listens on `port` of 127.0.0.1 and dies with the process that started it.

    Not a supervisor: a server that ends by itself is reported by `check`, never restarted.
    """

    def __init__(
        self, line: Sequence[str], *, port: int, log: Path, env: Mapping[str, str] | None = None
    ) -> None:
        self.line = list(line)
        self.port = port
        self.log = log
        self.env = dict(env) if env is not None else clean_env()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The pid of the running process."""
        if self.process is None:
            raise Unavailable(f"{self.line[0]} is not started")
        return self.process.pid

    def start(self) -> None:
        """Return once it accepts connections, on 127.0.0.1 and nowhere else. Raises Unavailable."""
        if sys.platform != "linux":
            raise Unavailable("beds read /proc to prove where a server listens: Linux only")
        libc = ctypes.CDLL(None)
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self.line, stdout=out, stderr=out, stdin=subprocess.DEVNULL, env=self.env,
                preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM),
            )  # fmt: skip
        deadline = time.monotonic() + READY_SECONDS
        while not self.listening():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                tail = self.log.read_text(errors="replace")[-600:]
                raise Unavailable(f"{self.line[0]} did not listen on port {self.port}: {tail}")
            time.sleep(0.02)
        strangers = {at for at in self.listening() if not at.startswith("127.0.0.1:")}
        if strangers:
            self.stop()
            raise Unavailable(f"{self.line[0]} listens beyond loopback: {sorted(strangers)}")

    def stop(self) -> None:
        """End it by pid: asked first, then killed. Calling it twice is fine."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(STOP_SECONDS)
        self.process = None

    def restart(self) -> None:
        """Stop, and start again on the same port."""
        self.stop()
        self.start()

    def listening(self) -> set[str]:
        """Every `address:port` this process itself listens on, from /proc (not what it claims)."""
        inodes = _socket_inodes(self.pid)
        found: set[str] = set()
        for table in ("tcp", "tcp6"):
            for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                cell = row.split()
                if cell[3] == LISTEN and cell[9] in inodes:
                    found.add(_address(cell[1]))
        return found


def _socket_inodes(pid: int) -> set[str]:
    try:
        links = [os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:  # it ended, or closed one while we looked: the caller looks again
        return set()
    return {link[8:-1] for link in links if link.startswith("socket:[")}


def _address(cell: str) -> str:
    host, port = cell.split(":")
    number = int(port, 16)
    if len(host) == 8:
        return f"{socket.inet_ntoa(bytes.fromhex(host)[::-1])}:{number}"
    words = [bytes.fromhex(host[at : at + 8])[::-1] for at in range(0, 32, 8)]
    return f"[{socket.inet_ntop(socket.AF_INET6, b''.join(words))}]:{number}"

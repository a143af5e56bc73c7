"""Streams and large bodies."""

import ssl
import statistics
import threading
import time
from collections.abc import Callable

from bench.load import Caller, get
from bench.process import Proxy
from bench.upstream import BIG, HOST, Upstream

_PIECE = 1 << 18

type Row = tuple[str, float, float, float]


def rows(running: dict[str, Proxy], target: Upstream) -> list[Row]:
    """What, measured, must, aim."""
    ours = running["goex"]
    down = _peak(ours, lambda: _download(ours, target))
    up = _peak(ours, lambda: _upload(ours, target))
    return [
        ("first event of a stream, ms", _events(ours, target), 20.0, 5.0),
        ("100 MiB down, added MiB", down, 12.0, 6.0),
        ("100 MiB up, added MiB", up, 12.0, 6.0),
    ]


def _connect(proxy: Proxy, port: int) -> ssl.SSLSocket:
    connection = Caller(proxy.port, HOST, port, get("", "/")).socket
    connection.settimeout(60)
    return connection


def _events(ours: Proxy, target: Upstream) -> float:
    """How long after its writing the first event of a stream arrives, in ms; the way of the bytes
    themselves included. (Bare mitmproxy holds a stream back until it ends.)"""
    return statistics.median(_first_event(ours, target) for _ in range(7)) * 1e3


def _first_event(proxy: Proxy, target: Upstream) -> float:
    """Seconds from its writing to its arrival; the connection to the service is up already."""
    with _connect(proxy, target.slow_port) as connection:
        connection.sendall(b"GET /sse HTTP/1.1\r\nHost: %s:%d\r\n\r\n" % _authority(target))
        seen = b""
        while b"data: " not in seen or not seen.rpartition(b"data: ")[2].count(b"\n"):
            seen += connection.recv(65536)
        written = float(seen.split(b"data: ")[1].split(b"\n")[0])
        return time.perf_counter() - written


def _authority(target: Upstream) -> tuple[bytes, int]:
    return HOST.encode(), target.slow_port


def _peak(proxy: Proxy, work: Callable[[], None]) -> float:
    """MiB above what it had before. The kernel's own peak, cleared first."""
    before = proxy.memory()
    proxy.forget_peak()
    work()
    return proxy.peak() - before


def _download(proxy: Proxy, target: Upstream) -> None:
    with _connect(proxy, target.port) as connection:
        connection.sendall(b"GET /big HTTP/1.1\r\nHost: %s\r\n\r\n" % target.host.encode())
        answer = connection.recv(_PIECE)
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"the download was answered {answer[:200]!r}")
        got = len(answer)
        while got < BIG:
            got += len(connection.recv(_PIECE))


def _upload(proxy: Proxy, target: Upstream) -> None:
    with _connect(proxy, target.slow_port) as connection:
        connection.sendall(
            b"POST /up HTTP/1.1\r\nHost: %s:%d\r\n" % _authority(target)
            + b"Content-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n" % BIG
        )
        sender = threading.Thread(target=_pour, args=(connection,))
        sender.start()
        answer = connection.recv(_PIECE)
        sender.join()
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"the upload was answered {answer[:200]!r}")


def _pour(connection: ssl.SSLSocket) -> None:
    piece = bytes(_PIECE)
    for _ in range(BIG // _PIECE):
        connection.sendall(piece)

"""A load generator: keep-alive connections through CONNECT and TLS, one request at a time each.

One thread, epoll, TCP_NODELAY, and of an answer only its length is read, so that it costs a
fraction of what it measures; `Load.own_cpu` says how much.
"""

import selectors
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field

WARM_UP = 0.5
"""Seconds before counting begins."""

type Maker = Callable[[int], bytes]
"""The bytes of the n-th request."""


@dataclass(slots=True)
class Load:
    """What one run did, and what it took."""

    asked: int = 0
    """All requests, the warm-up's too."""
    requests: int = 0
    """Those that were timed."""
    seconds: float = 0.0
    own_cpu: float = 0.0
    """Seconds of this process."""
    times: list[float] = field(default_factory=list, repr=False)
    """Seconds of each request."""
    failures: int = 0
    """Answers with a status that is not 2xx."""

    def quantile(self, of: float) -> float:
        ordered = sorted(self.times)
        return ordered[min(len(ordered) - 1, int(len(ordered) * of))]


class Caller:
    """One connection."""

    __slots__ = ("_buffer", "_maker", "began", "socket", "wanted")

    def __init__(self, port: int, host: str, target: int, maker: Maker) -> None:
        plain = socket.create_connection(("127.0.0.1", port), timeout=20)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.sendall(b"CONNECT %s:%d HTTP/1.1\r\n\r\n" % (host.encode(), target))
        head = b""
        while b"\r\n\r\n" not in head:
            more = plain.recv(4096)
            if not more:
                raise ConnectionError("the proxy closed the tunnel")
            head += more
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise ConnectionError(head.decode("latin-1"))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.socket = context.wrap_socket(plain, server_hostname=host)
        self._maker = maker
        self._buffer = b""
        self.wanted = -1
        self.began = 0.0

    def ask(self, number: int) -> None:
        self._buffer, self.wanted = b"", -1
        self.began = time.perf_counter()
        self.socket.setblocking(True)
        self.socket.sendall(self._maker(number))
        self.socket.setblocking(False)

    def heard(self) -> bool:
        """Read what there is; whether the answer is complete."""
        try:
            data = self.socket.recv(65536)
        except (ssl.SSLWantReadError, BlockingIOError):
            return False
        if not data:
            raise ConnectionError("the proxy closed the connection")
        self._buffer += data
        if self.wanted < 0:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return False
            head = self._buffer[:end].lower()
            at = head.find(b"content-length:")
            if at < 0:
                return self._chunked()
            self.wanted = end + 4 + int(head[at + 15 :].split(b"\r\n", 1)[0])
        return len(self._buffer) >= self.wanted

    def _chunked(self) -> bool:
        return self._buffer.endswith(b"0\r\n\r\n")

    @property
    def good(self) -> bool:
        return self._buffer[9:10] == b"2"

    @property
    def answer(self) -> bytes:
        return self._buffer


def drive(
    port: int,
    host: str,
    target: int,
    maker: Maker,
    *,
    connections: int,
    seconds: float,
    most: int | None = None,
) -> Load:
    """Keep `connections` busy through the proxy on `port`, for so many seconds, or until `most`
    requests were made."""
    callers = [Caller(port, host, target, maker) for _ in range(connections)]
    selector = selectors.EpollSelector()
    number = 0
    for caller in callers:
        selector.register(caller.socket, selectors.EVENT_READ, caller)
        caller.ask(number)
        number += 1
    load = Load()
    began = time.perf_counter() + WARM_UP
    end = began + seconds
    cpu = time.process_time()
    counting = False
    while (now := time.perf_counter()) < end and (most is None or number < most):
        if not counting and now >= began:
            counting, cpu = True, time.process_time()
            began = now
        for key, _ in selector.select(timeout=10):
            caller = key.data
            if not caller.heard():
                continue
            if counting:
                load.times.append(time.perf_counter() - caller.began)
                load.requests += 1
            load.failures += not caller.good
            caller.ask(number)
            number += 1
    load.asked = number
    load.seconds = time.perf_counter() - began
    load.own_cpu = time.process_time() - cpu
    for caller in callers:
        caller.socket.close()
    selector.close()
    return load


def get(host: str, path: str, headers: tuple[str, ...] = ()) -> Maker:
    head = _head("GET", host, path, headers) + b"\r\n"
    return lambda number: head


def post(
    host: str, path: str, headers: tuple[str, ...] = (), *, size: int = 1024, method: str = "POST"
) -> Maker:
    """JSON of `size` bytes, another one each time."""
    head = _head(method, host, path, headers)
    head += b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % size
    before = b'{"channel":"C0GENERAL","labels":["bug","ui"],"n":"'
    after = b'","text":"' + b"x" * (size - len(before) - 12 - 12) + b'"}'
    return lambda number: head + before + b"%012d" % number + after


def _head(method: str, host: str, path: str, headers: tuple[str, ...]) -> bytes:
    lines = (f"{method} {path} HTTP/1.1", f"Host: {host}", "Accept: */*", *headers)
    return "".join(f"{line}\r\n" for line in lines).encode()

"""P7: streams are not delayed, large bodies not held, and what cannot be judged is refused.

A service of ours stands behind the gateway, with a secret to scrub: that is the slow path.
"""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.beds.server import clean_env
from tests.behaviour.agent import Answer
from tests.behaviour.ground import Ground, Holding, Standing, Witness, stored
from tests.behaviour.tap import Loop

BIG, SMALL = "big.example", "small.example"
SIZE = 100 << 20
CHUNK = bytes(range(256)) * 256
POLICY = """rules:
  - {allow: "*", match: {host: big.example}}
  - {allow: "*", match: {host: small.example, path: /allowed}}
"""


async def stream(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
    """`/events`: one event now, one in a second. `/down`: 100 MiB. Else the digest of the body."""
    if head.startswith(b"GET /events"):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")  # fmt: skip
        for number in range(2):
            event = b"data: event %d\n\n" % number
            writer.write(b"%x\r\n%s\r\n" % (len(event), event))
            await writer.drain()
            await asyncio.sleep(1.0)
        writer.write(b"0\r\n\r\n")
    elif head.startswith(b"GET /down"):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
        for _ in range(SIZE // len(CHUNK)):
            writer.write(CHUNK)
            await writer.drain()
    else:
        said = hashlib.sha256(body).hexdigest().encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(said), said))


class Digesting(Witness):
    """Keeps no body, only its digest: 100 MiB are to be looked at in the gateway, not here."""

    async def _read(self, reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
        head = await reader.readuntil(b"\r\n\r\n")
        self.raw += head
        found = re.search(rb"(?i)content-length: (\d+)", head)
        left = int(found[1]) if found else 0
        digest, self.received = hashlib.sha256(), 0
        while left:
            piece = await reader.read(min(left, 1 << 16))
            if not piece:
                raise asyncio.IncompleteReadError(b"", left)
            digest.update(piece)
            left -= len(piece)
            self.received += len(piece)
        return head, digest.digest()


@pytest.fixture(scope="module")
def _road(
    tmp_path_factory: pytest.TempPathFactory, tap_loop: Loop
) -> Iterator[tuple[Standing, Digesting]]:
    service = Digesting(tap_loop, stream)
    world = Ground(
        tmp_path_factory.mktemp("road"), tap_loop, {BIG: service.url, SMALL: service.url},
        holdings=[Holding(name="small", source=stored("a-secret-that-is-looked-for-0001"), host=SMALL)],
        policy=POLICY,
    ).open()  # fmt: skip
    world.start()
    yield world, service
    world.close()
    service.close()


@pytest.fixture
def world(_road: tuple[Standing, Digesting]) -> Standing:
    _road[1].clear()
    return _road[0]


@pytest.fixture
def service(_road: tuple[Standing, Digesting]) -> Digesting:
    return _road[1]


def first_event(link: http.client.HTTPConnection, path: str) -> float:
    """Seconds to the first event."""
    began = time.monotonic()
    link.request("GET", path, headers={"Host": BIG})
    got = link.getresponse()
    assert got.readline() == b"data: event 0\n"
    took = time.monotonic() - began
    link.close()
    return took


def test_the_first_event_of_a_stream_comes_at_once(world: Standing, service: Digesting) -> None:
    through, straight = [], []
    for _ in range(5):
        proxied = http.client.HTTPSConnection(*world.proxy, context=world.trust, timeout=10)
        proxied.set_tunnel(BIG, 443)
        proxied.connect()
        through.append(first_event(proxied, "/events"))
        direct = http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)
        direct.connect()
        straight.append(first_event(direct, "/events"))
    assert sorted(through)[2] - sorted(straight)[2] < 0.05, (through, straight)


def peak(world: Standing) -> int:
    """KiB of memory that the gateway has ever had."""
    assert world.process is not None
    status = Path(f"/proc/{world.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def curl(world: Standing, *words: str) -> str:
    host, port = world.proxy
    line = ["curl", "-sS", "--fail-with-body", "--proxy", f"http://{host}:{port}", "--cacert", str(world.home.ca_certificate), *words]  # fmt: skip
    done = subprocess.run(line, env=clean_env(), capture_output=True, text=True, timeout=100, check=False)  # fmt: skip
    assert done.returncode == 0, done
    return done.stdout


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_100_mib_come_down_in_bounded_memory(world: Standing, version: str, tmp_path: Path) -> None:
    curl(world, version, f"https://{BIG}/warm")
    before = peak(world)
    curl(world, version, "-o", str(tmp_path / "got"), f"https://{BIG}/down")
    assert (tmp_path / "got").stat().st_size == SIZE
    assert hashlib.sha256((tmp_path / "got").read_bytes()).digest() == hashlib.sha256(CHUNK * (SIZE // len(CHUNK))).digest()  # fmt: skip
    assert peak(world) - before < 16 * 1024


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_100_mib_go_up_in_bounded_memory(
    world: Standing, service: Digesting, version: str, tmp_path: Path
) -> None:
    sent = tmp_path / "sent"
    with sent.open("wb") as file:
        for _ in range(SIZE // len(CHUNK)):
            file.write(CHUNK)
    curl(world, version, "--data-binary", "small", f"https://{BIG}/warm")
    before = peak(world)
    said = curl(world, version, "-T", str(sent), f"https://{BIG}/up")
    expected = hashlib.sha256(CHUNK * (SIZE // len(CHUNK))).digest()
    assert said == hashlib.sha256(expected).hexdigest()
    assert service.received == SIZE
    assert peak(world) - before < 16 * 1024
    assert world.log()[-1]["state"] == "applied"


def test_a_client_that_waits_for_100_continue_gets_it_when_it_may_go_on(world: Standing) -> None:
    body = b"x" * 10
    head = f"PUT http://{BIG}/up HTTP/1.1\r\nHost: {BIG}\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n"
    with socket.create_connection(world.proxy, timeout=10) as link:
        link.sendall(head.encode())
        assert link.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        link.sendall(body)
        assert link.recv(4096).startswith(b"HTTP/1.1 200 ")


def upgrade(world: Standing, host: str, path: str, *more: str) -> Answer:
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: Upgrade", "Upgrade: websocket"]
    lines += ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", *more]
    return world.raw("\r\n".join(lines) + "\r\n\r\n", tunnel=f"{host}:443")


@pytest.mark.parametrize("authorized", [True, False])
@pytest.mark.parametrize("path", ["/socket", "/allowed"])
def test_a_websocket_without_a_rule_for_its_frames_is_refused(
    world: Standing, service: Digesting, path: str, authorized: bool
) -> None:
    """What its frames would do is read by nobody: also where a policy allows everything."""
    more = [f"Authorization: {world.bearer('small')['Authorization']}"] if authorized else []
    answer = upgrade(world, SMALL, path, *more)
    assert answer.status == 403, answer
    assert "WebSocket" in answer.goex["reason"]
    assert not service.raw


def test_an_answer_without_a_body_stays_one(world: Standing) -> None:
    for method, path in (("HEAD", "/down"), ("OPTIONS", "/x")):
        got = world.call(method, f"https://{BIG}{path}")
        assert got.status == 200
        assert method != "HEAD" or got.body == b""


def test_a_service_is_not_told_what_we_cannot_undo(world: Standing, service: Digesting) -> None:
    """Codings that could hide a secret are not asked for, and nothing of ours is sent on."""
    fields = {"Accept-Encoding": "gzip, made-up", "X-Goex-Entry": "e1", "Proxy-Connection": "keep-alive"}  # fmt: skip
    world.call("GET", f"https://{BIG}/x", headers=fields)
    head = bytes(service.raw).lower()
    assert b"made-up" not in head
    assert b"accept-encoding: gzip\r\n" in head
    assert b"x-goex" not in head
    assert b"proxy-connection" not in head


def test_http3_is_not_offered_past_the_gateway(tmp_path: Path, tap_loop: Loop) -> None:
    async def offers(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b'HTTP/1.1 200 OK\r\nAlt-Svc: h3=":443"\r\nContent-Length: 0\r\n\r\n')

    service = Witness(tap_loop, offers)
    world = Ground(tmp_path, tap_loop, {BIG: service.url}).open()
    try:
        world.start()
        assert "alt-svc" not in world.call("GET", f"https://{BIG}/").headers
    finally:
        world.close()
        service.close()

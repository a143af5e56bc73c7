"""One request names one place, and reaches that or none."""

import asyncio

import pytest

from tests.gateway.bed import HOST, Bed, bed, read_response, run
from tests.gateway.judge import PLACEHOLDER

URL = f"https://{HOST}/things?x=1"
VERSIONS = ("--http1.1", "--http2")
AUTH = ("-H", f"Authorization: Bearer {PLACEHOLDER}")


async def ask(it: Bed, head: str, **connect: object) -> tuple[int, bytes]:
    reader, writer = await it.connect(**connect)  # type: ignore[arg-type]
    writer.write(head.encode("latin-1"))
    status, _, body = await read_response(reader)
    writer.close()
    return status, body


@pytest.mark.parametrize(
    ("head", "connect", "status"),
    [
        ("GET / HTTP/1.1\r\nHost: evil.example.net\r\n\r\n", {}, 421),
        (f"GET / HTTP/1.1\r\nHost: {HOST}:8443\r\n\r\n", {}, 421),
        (f"GET / HTTP/1.1\r\nHost: {HOST}\r\nHost: {HOST}\r\n\r\n", {}, 400),
        (f"GET https://evil.example.net/ HTTP/1.1\r\nHost: {HOST}\r\n\r\n", {}, 421),
        (f"GET http://{HOST}/ HTTP/1.1\r\nHost: {HOST}\r\n\r\n", {}, 421),
        (f"GET / HTTP/1.1\r\nHost: {HOST}@evil.example.net\r\n\r\n", {}, 400),
        (f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n", {"sni": "evil.example.net"}, 421),
        (f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n", {"sni": None}, 421),
        (f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n", {"tls": False}, 421),
        (f"GET / HTTP/1.1\r\nHost: {HOST}:443\r\n\r\n", {"tls": False}, 421),
        (f"GET / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", {}, 400),
        (f"GET / HTTP/1.1\r\nHost: {HOST}\r\nX: a\r\n b\r\n\r\n", {}, 400),
        (f"PUT / HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", {}, 400),
        (f"GET / HTTP/1.1\r\nHost: {HOST}\r\nX Y: a\r\n\r\n", {}, 400),
        (f"CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\n\r\n", {}, 421),
        (f"GET / HTTP/1.1\r\nHost: {HOST}\r\nX: " + "a" * 70_000 + "\r\n\r\n", {}, 431),
        ("NONSENSE\r\n\r\n", {}, 400),
    ],
)  # fmt: skip
def test_a_request_that_names_two_places_goes_to_neither(
    head: str, connect: dict[str, object], status: int
) -> None:
    async def story() -> None:
        async with bed() as it:
            got, body = await ask(it, head, **connect)
            assert got == status
            assert body.startswith(b"{")
            assert not it.service.raw
            assert it.service.connections == 0

    run(story)


@pytest.mark.parametrize(
    "target",
    ["api.example.com", "a@b.example.com:443", "127.1:443", "2130706433:443", "0x7f000001:443",
     "[::ffff:127.0.0.1]:443", "a..b:443", "caf\xe9.example:443", "x:0", "x:70000"],
)  # fmt: skip
def test_an_odd_connect_target_is_refused(target: str) -> None:
    async def story() -> None:
        async with bed() as it:
            reader, writer = await it.open()
            writer.write(f"CONNECT {target} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode("latin-1"))
            status, _, _ = await read_response(reader)
            assert status in (400, 421)
            writer.close()

    run(story)


def test_the_ways_to_write_one_host_are_one_host() -> None:
    async def story() -> None:
        async with bed() as it:
            head = f"GET / HTTP/1.1\r\nHost: {HOST.title()}.:443\r\n\r\n"
            got, _ = await ask(it, head, target=f"{HOST.upper()}.:443")
            assert got == 200
            assert it.judge.requests[0].origin.host == HOST

    run(story)


def test_headers_that_never_end_are_refused() -> None:
    async def story() -> None:
        async with bed() as it:
            reader, writer = await it.connect()
            writer.write(f"GET / HTTP/1.1\r\nHost: {HOST}\r\nX: ".encode())
            for _ in range(8):
                writer.write(b"a" * 10_000)
                await asyncio.sleep(0)
            assert (await read_response(reader))[0] == 431
            writer.close()

    run(story)


def test_the_gateway_never_dials_itself() -> None:
    async def story() -> None:
        async with bed() as it:
            status, _, body = await it.curl(f"http://127.0.0.1:{it.port}/x")
            assert status == 502
            assert b"come back" in body

    run(story)

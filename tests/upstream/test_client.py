"""The client against real sockets and real TLS."""

import asyncio
import gzip
import logging
import os
import traceback
import zlib
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from goex_proxy.core.exchange import Headers, Origin, Request
from goex_proxy.credentials.keyring import Keyring
from goex_proxy.credentials.peer import Upstreams
from goex_proxy.stores.credential import Credential
from goex_proxy.stores.vault import Vault
from goex_proxy.upstream.client import Client, Settings
from goex_proxy.upstream.errors import (
    LostError,
    NotSentError,
    TooLargeError,
    UnreadableError,
    UpstreamError,
)
from tests.upstream.conftest import OK, REAL, Authority, Server, serving

GITHUB = Origin(scheme="https", host="api.github.com", port=443)


@pytest.fixture(autouse=True)
def scrubbed_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if "CERT" in name or "PROXY" in name.upper() or "CA_BUNDLE" in name:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")


def a_request(
    method: str = "GET", target: str = "/user", body: bytes | None = b"", origin: Origin = GITHUB,
    headers: tuple[tuple[str, str], ...] = (),
) -> Request:  # fmt: skip
    return Request(method=method, origin=origin, target=target, headers=Headers(headers), body=body)


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 30))


class Bench:
    """A client whose api.github.com is a server of ours."""

    def __init__(self, vault: Vault, authority: Authority) -> None:
        self.vault, self.authority = vault, authority

    @asynccontextmanager
    async def __call__(
        self, server: Server, *, tls: bool = True, names: tuple[str, ...] = ("localhost",),
        ca: bool = True, prefix: str = "", timeout: float = 10.0,
    ) -> AsyncIterator[Client]:  # fmt: skip
        context = self.authority.context(*names) if tls else None
        async with serving(server, context):
            base = f"http{'s' * tls}://localhost:{server.port}{prefix}"
            upstreams = Upstreams({"api.github.com": base})
            keyring = Keyring(self.vault, upstreams)
            keyring.reload()
            made = Settings(upstream_ca=self.authority.pem if ca else None, timeout=timeout)
            async with Client(keyring, upstreams, made) as client:
                yield client


@pytest.fixture
def bench(vault: Vault, authority: Authority) -> Bench:
    return Bench(vault, authority)


def test_a_fetch_carries_the_secret_and_brings_none_back(bench: Bench, github: Credential) -> None:
    async def work() -> None:
        answer = (
            b"HTTP/1.1 200 Fine\r\nX-Echo: "
            + REAL
            + b"\r\nContent-Length: 42\r\n\r\n<"
            + REAL
            + b">"
        )
        server = Server(answer)
        async with bench(server) as client:
            response = await client.fetch(a_request(), github.id, limit=1000)
        assert b"\r\nAuthorization: Bearer " + REAL + b"\r\n" in server.seen
        assert b"\r\nHost: api.github.com\r\n" in server.seen
        assert response.body == f"<{github.placeholder}>".encode()
        assert response.headers.get("x-echo") == github.placeholder
        assert (response.status, response.reason) == (200, "Fine")

    run(work())


def test_what_is_asked_is_sent_byte_for_byte(bench: Bench, github: Credential) -> None:
    target = "/a%2Fb/%7Ec/%e2%82%ac/+;=@:!$&'()*,?q=%20+%2B&q=a/b?c&r=%zz"

    async def work() -> None:
        server = Server(OK)
        headers = (
            ("X-Case", "keep Me"),
            ("Accept", "x/y"),
            ("X-Latin", "\xc3\xa9"),
            ("Content-Type", "a/b"),
        )
        async with bench(server, prefix="/base") as client:
            await client.fetch(
                a_request("REPORT", target, b"body", headers=headers), None, limit=10
            )
        head, _, body = server.seen.partition(b"\r\n\r\n")
        assert head.decode().split("\r\n") == [
            f"REPORT /base{target} HTTP/1.1", "Host: api.github.com", "X-Case: keep Me",
            "Accept: x/y", "X-Latin: \xe9", "Content-Type: a/b", "Accept-Encoding: gzip, deflate",
            "Content-Length: 4",
        ]  # fmt: skip
        assert body == b"body"

    run(work())


def test_not_one_byte_leaves_before_send(bench: Bench, github: Credential) -> None:
    async def work() -> None:
        server = Server(OK)
        async with bench(server) as client:
            sender = client.sender(a_request("POST", body=b"x" * 100000), github.id, limit=10)
            await sender.dial()
            await asyncio.sleep(0.2)
            assert (server.connections, server.seen) == (1, b"")
            response = await sender.send()
            assert response.status == 200
            assert REAL in server.seen

    run(work())


def test_an_abandoned_call_sends_nothing(bench: Bench, github: Credential) -> None:
    async def work() -> None:
        server = Server(OK)
        async with bench(server) as client:
            sender = client.sender(a_request("POST", body=b"x"), github.id, limit=10)
            await sender.dial()
            await sender.abandon()
            await asyncio.sleep(0.05)
        assert (server.connections, server.seen) == (1, b"")

    run(work())


def test_a_connection_that_dies_before_send_was_not_sent_on(
    bench: Bench, github: Credential
) -> None:
    async def work() -> None:
        server = Server(OK)
        async with bench(server) as client:
            sender = client.sender(a_request("POST", body=b"x"), github.id, limit=10)
            await sender.dial()
            server.hang_up()
            await asyncio.sleep(0.1)
            with pytest.raises(NotSentError, match="closed"):
                await sender.send()
        assert server.seen == b""

    run(work())


def test_a_cancelled_wait_does_not_cut_the_call(bench: Bench, github: Credential) -> None:
    async def work() -> None:
        server = Server(OK)
        async with bench(server) as client:
            sender = client.sender(a_request("POST", body=b"x"), github.id, limit=10)
            await sender.dial()
            waiting = asyncio.ensure_future(sender.send())
            await asyncio.sleep(0)
            waiting.cancel()
            assert (await sender.send()).status == 200
        assert server.seen.count(b"POST /user") == 1

    run(work())


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_lost_answer_is_lost_and_nothing_is_sent_twice(
    bench: Bench, github: Credential, method: str
) -> None:
    async def work() -> None:
        server = Server(b"")
        async with bench(server) as client:
            sender = client.sender(a_request(method), github.id, limit=10)
            await sender.dial()
            with pytest.raises(LostError, match="without an answer"):
                await sender.send()
        assert server.seen.count(b"HTTP/1.1") == 1

    run(work())


def test_a_stale_connection_is_retried_for_reads_only(bench: Bench, github: Credential) -> None:
    async def work() -> None:
        server = Server(OK, b"", OK)
        async with bench(server) as client:
            await client.fetch(a_request(), github.id, limit=10)
            assert (await client.fetch(a_request(), github.id, limit=10)).body == b"ok"
            assert server.seen.count(b"GET /user") == 3
            server.answers = [OK, b"", OK]
            await client.fetch(a_request(), github.id, limit=10)
            with pytest.raises(LostError):
                await client.fetch(a_request("POST"), github.id, limit=10)
            assert server.seen.count(b"POST /user") == 1

    run(work())


def test_refused_dials_are_not_sent_and_say_why(bench: Bench, github: Credential) -> None:
    async def work() -> None:
        for arguments, why in (
            ({"ca": False}, "certificate of localhost was refused"),
            ({"names": ("other.example",)}, "certificate of localhost was refused"),
        ):
            server = Server(OK)
            async with bench(server, **arguments) as client:
                sender = client.sender(a_request("POST"), github.id, limit=10)
                with pytest.raises(NotSentError, match=why):
                    await sender.dial()
            assert server.seen == b""
        async with bench(gone := Server(OK)) as client:
            unbound = a_request(origin=Origin(scheme="https", host="no.such.invalid", port=443))
            with pytest.raises(NotSentError, match=r"the name no\.such\.invalid is not known"):
                await client.fetch(unbound, None, limit=10)
        assert gone.seen == b""

    run(work())


def test_a_closed_port_is_not_sent(vault: Vault, github: Credential, authority: Authority) -> None:
    async def work() -> None:
        upstreams = Upstreams({"api.github.com": "http://127.0.0.1:1"})
        keyring = Keyring(vault, upstreams)
        keyring.reload()
        async with Client(keyring, upstreams, Settings()) as client:
            with pytest.raises(NotSentError, match=r"no connection to 127\.0\.0\.1:1"):
                await client.fetch(a_request(), github.id, limit=10)

    run(work())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "::ffff:127.0.0.1"])
def test_private_addresses_are_refused_unless_allowed(
    vault: Vault, authority: Authority, host: str
) -> None:
    async def work() -> None:
        async with serving(Server(OK), None) as server:
            origin = Origin(scheme="http", host=host, port=server.port)
            keyring = Keyring(vault)
            async with Client(keyring, Upstreams(), Settings()) as client:
                with pytest.raises(NotSentError, match=r"this machine.*network\.allow"):
                    await client.fetch(a_request(origin=origin), None, limit=10)
            assert server.connections == 0
            allow = frozenset({f"127.0.0.1:{server.port}", f"localhost:{server.port}"})
            if "::" not in host:
                async with Client(keyring, Upstreams(), Settings(allow=allow)) as client:
                    await client.fetch(a_request(origin=origin), None, limit=10)

    run(work())


def test_a_plain_mirror_on_loopback_gets_the_secret(bench: Bench, github: Credential) -> None:
    async def work() -> None:
        server = Server(OK)
        async with bench(server, tls=False) as client:
            await client.fetch(a_request(), github.id, limit=10)
        assert REAL in server.seen

    run(work())


def test_only_the_credential_of_the_entry_is_sent(bench: Bench, github: Credential) -> None:
    async def work() -> None:
        server = Server(OK)
        ours = (("Authorization", f"Bearer {github.placeholder}"),)
        async with bench(server) as client:
            for credential in (None, "cr_other"):
                with pytest.raises(NotSentError, match=r"not the one|removed"):
                    await client.fetch(a_request(headers=ours), credential, limit=10)
        assert server.seen == b""

    run(work())


def test_redirects_are_not_followed_and_cookies_not_kept(bench: Bench, github: Credential) -> None:
    async def work() -> None:
        moved = (
            b"HTTP/1.1 302 Found\r\nLocation: /else\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"
        )
        server = Server(moved)
        async with bench(server) as client:
            for _ in range(2):
                assert (await client.fetch(a_request(), github.id, limit=10)).status == 302
        assert b"/else" not in server.seen
        assert b"ookie" not in server.seen

    run(work())


def compressed(body: bytes, coding: str) -> bytes:
    head = f"HTTP/1.1 201 Made\r\nContent-Encoding: {coding}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def raw_deflate(data: bytes) -> bytes:
    maker = zlib.compressobj(wbits=-15)
    return maker.compress(data) + maker.flush()


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(b"<" + REAL) + gzip.compress(b">")),
        ("deflate", zlib.compress(b"<" + REAL + b">")),
        ("deflate", raw_deflate(b"<" + REAL + b">")),
        ("gzip, identity, gzip", gzip.compress(gzip.compress(b"<" + REAL + b">"))),
    ],
)
def test_compressed_answers_are_decoded_and_scrubbed(
    bench: Bench, github: Credential, coding: str, body: bytes
) -> None:
    async def work() -> None:
        async with bench(Server(compressed(body, coding))) as client:
            response = await client.fetch(a_request(), github.id, limit=1000)
        assert response.body == f"<{github.placeholder}>".encode()
        assert not response.headers.has("content-encoding")
        assert response.headers.get("content-length") == str(len(response.body))

    run(work())


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (compressed(b"x" * 2000, "identity"), TooLargeError),
        (compressed(gzip.compress(b"x" * 100_000), "gzip"), TooLargeError),
        (compressed(gzip.compress(b"x" * 900)[:-9], "gzip"), UnreadableError),
        (compressed(b"not gzip", "gzip"), UnreadableError),
        (compressed(b"what", "br"), UnreadableError),
    ],
)
def test_a_body_that_cannot_be_had_still_tells_the_status(
    bench: Bench, github: Credential, answer: bytes, kind: type[UnreadableError]
) -> None:
    async def work() -> None:
        async with bench(Server(answer)) as client:
            sender = client.sender(a_request("POST"), github.id, limit=1000)
            await sender.dial()
            with pytest.raises(kind) as caught:
                await sender.send()
        assert caught.value.response.status == 201
        assert caught.value.response.body is None

    run(work())


def test_silence_and_a_cut_body_are_lost(bench: Bench, github: Credential) -> None:
    async def work() -> None:
        cut = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
        async with bench(Server(cut), timeout=0.5) as client:
            sender = client.sender(a_request("POST"), github.id, limit=1000)
            await sender.dial()
            with pytest.raises(LostError, match="in time"):
                await sender.send()

    run(work())


@pytest.mark.parametrize("target", ["user", "//x#y", "", "https://evil.example/"])
def test_a_target_of_another_form_is_not_sent(
    bench: Bench, github: Credential, target: str
) -> None:
    async def work() -> None:
        async with bench(Server(OK)) as client:
            with pytest.raises(NotSentError, match="begins with"):
                await client.fetch(a_request(target=target), github.id, limit=10)
            with pytest.raises(NotSentError, match="not kept"):
                await client.fetch(a_request(body=None), github.id, limit=10)

    run(work())


def test_no_failure_shows_a_secret(
    bench: Bench, github: Credential, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    garbage = b"HTTP/9 " + REAL + b"\r\n" + REAL + b"\r\n\r\n"
    headed = b"HTTP/1.1 200 OK\r\nX: " + REAL + b"\r\nContent-Length: 9999\r\n\r\n" + REAL

    async def work() -> None:
        for answer in (garbage, b"", headed, compressed(REAL, "gzip")):
            async with bench(Server(answer), timeout=0.3) as client:
                with pytest.raises(UpstreamError) as caught:
                    await client.fetch(a_request("POST"), github.id, limit=20)
                error = caught.value
                shown = f"{error!r} {error} {error.__cause__!r} {error.__context__!r} {vars(error)}"
                assert "CANARY" not in shown
                assert error.__context__ is None
                frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)][1:]
                assert all("aiohttp" not in frame.f_code.co_filename for frame in frames)
                assert not any("CANARY" in repr(frame.f_locals) for frame in frames)

    run(work())
    assert "CANARY" not in caplog.text


def test_the_key_log_of_the_environment_is_not_written(
    bench: Bench, github: Credential, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "keys.log"
    monkeypatch.setenv("SSLKEYLOGFILE", str(log))

    async def work() -> None:
        async with bench(Server(OK)) as client:
            await client.fetch(a_request(), github.id, limit=10)

    run(work())
    assert not log.exists() or b"SECRET" not in log.read_bytes()

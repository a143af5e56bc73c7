"""What the client makes of answers: compressed, cut, silent, or telling too much."""

import gzip
import logging
import traceback
import zlib
from pathlib import Path

import pytest

from goex_proxy.stores.credential import Credential
from goex_proxy.upstream.errors import (
    LostError,
    NotSentError,
    TooLargeError,
    UnreadableError,
    UpstreamError,
)
from tests.upstream.conftest import (
    OK,
    REAL,
    Bench,
    Server,
    a_request,
    run,
)


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

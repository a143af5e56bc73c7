"""The way of an answer: cleaned, withheld until it is recorded, relayed without delay."""

import asyncio
import gzip
import zlib
from collections.abc import Awaitable, Callable
from time import monotonic

import brotli  # type: ignore[import-untyped]
import pytest
import zstandard

from goex_proxy.core.exchange import Request, Response
from goex_proxy.gateway.mediator import NeedBody, Ticket
from tests.gateway.bed import HOST, Answerer, Asked, Service, bed, read_response, reply, run
from tests.gateway.judge import PLACEHOLDER, SECRET, Judge, Pass, journaled

URL = f"https://{HOST}/things"
VERSIONS = ("--http1.1", "--http2")
ECHO = f'{{"token": "{SECRET}", "again": "{SECRET}"}}'.encode() + b" " * 50
CODED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": lambda data: brotli.compress(data, quality=1),
    "zstd": zstandard.ZstdCompressor().compress,
    "gzip, br": lambda data: brotli.compress(gzip.compress(data)),
}


def says(*pieces: bytes, pause: float = 0.01) -> Answerer:
    """A service that writes these pieces one by one, and keeps the connection open."""

    async def answer(
        asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)

    return answer


def closes(answerer: Answerer) -> Answerer:
    async def answer(
        asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await answerer(asked, reader, writer)
        writer.close()

    return answer


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("coding", [None, *CODED])
@pytest.mark.parametrize("change", [False, True])
def test_a_secret_in_an_answer_is_scrubbed_whatever_its_coding(
    version: str, coding: str | None, change: bool
) -> None:
    async def story() -> None:
        data = CODED[coding](ECHO) if coding else ECHO
        extra = f"Content-Encoding: {coding}\r\n".encode() if coding else b""
        pieces = [chunk(data[n : n + 7]) for n in range(0, len(data), 7)]
        answer = says(CHUNKED + extra + b"\r\n", *pieces, b"0\r\n\r\n", pause=0)
        judge = Judge(scrubs=True, decide=journaled)
        async with bed(judge, Service(answer)) as it:
            status, text, body = await it.curl(version, *(["-d", "x"] if change else []), URL)
            assert status == 200
            assert body == ECHO.replace(SECRET.encode(), PLACEHOLDER.encode())
            assert "content-encoding" not in text.lower()

    run(story)


def test_a_secret_under_a_transfer_coding_is_not_relayed() -> None:
    async def story() -> None:
        data = gzip.compress(ECHO)
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
        answer = says(head, chunk(data), b"0\r\n\r\n")
        async with bed(Judge(scrubs=True), Service(answer)) as it:
            status, _, body = await it.curl(URL)
            assert status == 502
            assert b"framing" in body

    run(story)


def test_a_secret_in_a_head_is_scrubbed() -> None:
    async def story() -> None:
        head = f"HTTP/1.1 302 {SECRET}\r\nLocation: /?t={SECRET}\r\nContent-Length: 0\r\n\r\n"
        async with bed(Judge(scrubs=True), Service(says(head.encode()))) as it:
            status, text, _ = await it.curl("--http1.1", URL)
            assert status == 302
            assert SECRET not in text
            assert text.count(PLACEHOLDER) == 2

    run(story)


def test_without_a_scrubber_the_body_is_what_it_was() -> None:
    async def story() -> None:
        data = gzip.compress(ECHO)
        answer = says(reply(200, data, "Content-Encoding: gzip", "Alt-Svc: h3=:443"))
        async with bed(service=Service(answer)) as it:
            _, text, body = await it.curl(URL)
            assert body == data
            assert "alt-svc" not in text.lower()

    run(story)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("coding", "data"),
    [("compress", b"?"), ("gzip", b"not gzip"), ("br", b"\xff\xff\xff not brotli")],
)
def test_what_cannot_be_unpacked_is_not_relayed(version: str, coding: str, data: bytes) -> None:
    async def story() -> None:
        answer = says(reply(200, data, f"Content-Encoding: {coding}"))
        async with bed(Judge(scrubs=True, decide=journaled), Service(answer)) as it:
            status, _, body = await it.curl(version, "-d", "x", URL)
            assert status == 502
            assert b"in_doubt" in body
            assert it.judge.names()[-1] == "lost"

    run(story)


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_a_decompression_bomb_is_cut(coding: str) -> None:
    async def story() -> None:
        data = CODED[coding](bytes(64 << 20))
        answer = says(reply(200, data, f"Content-Encoding: {coding}"))
        async with bed(Judge(scrubs=True), Service(answer)) as it:
            _, text, body = await it.curl("--http1.1", URL)
            assert len(body) < 20 << 20
            assert "curl: " in text or "502" in text

    run(story)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_held_answer_comes_after_it_was_recorded(version: str) -> None:
    async def story() -> None:
        judge = Judge(decide=journaled)
        judge.pauses["answered"] = lambda: asyncio.sleep(0.4)
        async with bed(judge) as it:
            start = monotonic()
            status, _, _ = await it.curl(version, "-d", "x", URL)
            assert status == 200
            assert monotonic() - start > 0.4

    run(story)


FRAMINGS = {
    "length": reply(200, b"abcdefghij"),
    "chunked": CHUNKED + b"\r\n" + chunk(b"abcdefghij") + b"0\r\n\r\n",
    "close": b"HTTP/1.1 200 OK\r\n\r\nabcdefghij",
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("streams", [True, False])
def test_a_streamed_answer_to_a_change_ends_after_it_was_recorded(
    version: str, framing: str, streams: bool
) -> None:
    async def story() -> None:
        gate = asyncio.Event()

        def decide(judge: Judge, request: Request) -> Ticket | Response | NeedBody:
            return Pass(judge, mutating=True, streams=streams, answer_cap=4)

        judge = Judge(decide=decide, pauses={"answered": wait_for(gate)})
        answer = says(FRAMINGS[framing])
        async with bed(judge, Service(closes(answer) if framing == "close" else answer)) as it:
            asking = asyncio.create_task(it.curl(version, URL))
            await judge.until("begun")
            await asyncio.sleep(0.3)
            assert not asking.done()
            gate.set()
            status, _, body = await asking
            assert (status, body) == (200, b"abcdefghij")
            assert judge.diary[-1] == ("answered", 200, None)

    run(story)


def wait_for(gate: asyncio.Event) -> Callable[[], Awaitable[None]]:
    async def wait() -> None:
        await gate.wait()

    return wait


@pytest.mark.parametrize("version", VERSIONS)
def test_an_outcome_that_cannot_be_recorded_is_in_doubt(version: str) -> None:
    async def story() -> None:
        async with bed(Judge(decide=journaled, broken={"answered"})) as it:
            status, _, body = await it.curl(version, "-d", "x", URL)
            assert status == 502
            assert b"in_doubt" in body
            assert it.judge.failures == ["outcome: RuntimeError"]

    run(story)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "said",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Le", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
     b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"],
)  # fmt: skip
def test_a_service_that_dies_leaves_a_change_in_doubt(version: str, said: bytes) -> None:
    async def story() -> None:
        async with bed(Judge(decide=journaled), Service(closes(says(said)))) as it:
            status, text, body = await it.curl(version, "-d", "x", URL)
            assert status == 502, text
            assert b"in_doubt" in body
            assert it.judge.names()[-1] == "lost"
            assert "nonsense" not in text + body.decode()
            assert len(it.service.asked) == 1

    run(story)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_service_that_never_answers_is_given_up(version: str) -> None:
    async def story() -> None:
        async with bed(
            Judge(decide=journaled), Service(says(b"", pause=5)), upstream_timeout=0.5
        ) as it:
            status, _, body = await it.curl(version, "-d", "x", URL)
            assert status == 502
            assert b"did not answer in time" in body
            assert it.judge.names()[-1] == "lost"

    run(story)


def test_a_truncated_read_is_seen_to_be_truncated() -> None:
    async def story() -> None:
        said = closes(says(CHUNKED + b"\r\n" + chunk(b"abc"), pause=0.1))
        async with bed(service=Service(said)) as it:
            _, text, body = await it.curl("--http1.1", URL)
            assert body == b"abc"
            assert "curl: (" in text

    run(story)


@pytest.mark.parametrize("version", VERSIONS)
def test_interim_answers_and_trailers_do_not_disturb(version: str) -> None:
    async def story() -> None:
        said = (
            b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
            + CHUNKED
            + b"Trailer: X-Sum\r\n\r\n"
            + chunk(b"abc")
            + b"0\r\nX-Sum: 1\r\n\r\n"
        )
        async with bed(service=Service(says(said))) as it:
            for _ in range(2):
                status, _, body = await it.curl(version, URL)
                assert (status, body) == (200, b"abc")

    run(story)


@pytest.mark.parametrize("version", VERSIONS)
def test_interim_answers_without_an_end_are_an_answer_that_cannot_be_read(version: str) -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\n\r\n"

    async def story() -> None:
        async with bed(service=Service(says(interim * 100 + CHUNKED + b"\r\n0\r\n\r\n"))) as it:
            assert (await it.curl(version, URL))[0] == 200
        async with bed(service=Service(says(interim * 101 + CHUNKED + b"\r\n0\r\n\r\n"))) as it:
            assert (await it.curl(version, URL))[0] == 502

    run(story)


def test_chunked_trailers_of_a_request_are_dropped() -> None:
    async def story() -> None:
        async with bed(Judge(decide=journaled)) as it:
            reader, writer = await it.connect()
            writer.write(
                f"POST / HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
                + chunk(b"abc")
                + b"0\r\nX-Sum: 1\r\n\r\n"
            )
            assert (await read_response(reader))[0] == 200
            assert it.service.asked[0].body == b"abc"
            assert it.service.asked[0].get("content-length") == "3"
            writer.close()

    run(story)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("scrubs", [False, True])
def test_the_first_event_of_a_stream_comes_at_once(version: str, scrubs: bool) -> None:
    async def story() -> None:
        gate = asyncio.Event()

        async def answer(
            asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            writer.write(CHUNKED + b"Content-Type: text/event-stream\r\n\r\n")
            writer.write(chunk(b"data: 1\n\n"))
            await writer.drain()
            await gate.wait()
            writer.write(chunk(b"data: 2\n\n") + b"0\r\n\r\n")

        async with bed(Judge(scrubs=scrubs), Service(answer)) as it:
            asking = asyncio.create_task(it.curl(version, "-N", URL))
            async with asyncio.timeout(3):
                while (it.home / "body").exists() is False or not (it.home / "body").read_bytes():
                    await asyncio.sleep(0.01)
            assert (it.home / "body").read_bytes() == b"data: 1\n\n"
            gate.set()
            assert (await asking)[2] == b"data: 1\n\ndata: 2\n\n"

    run(story)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("scrubs", [False, True])
def test_answers_without_a_body_keep_their_framing(version: str, scrubs: bool) -> None:
    async def story() -> None:
        async def answer(
            asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            if asked.line.startswith("HEAD"):
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n")
            else:
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

        async with bed(Judge(scrubs=scrubs, decide=journaled), Service(answer)) as it:
            status, text, _ = await it.curl(version, "-I", URL)
            assert status == 200
            assert "content-length: 1234" in text.lower() or scrubs
            assert (await it.curl(version, URL))[0] == 204
            assert (await it.curl(version, "-X", "DELETE", URL))[0] == 204
            assert it.judge.diary[-1] == ("answered", 204, b"")

    run(story)


def test_a_download_is_relayed_in_bounded_pieces() -> None:
    async def story() -> None:
        piece = bytes(1 << 16)

        async def answer(
            asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(piece) * 320))
            for _ in range(320):
                writer.write(piece)
                await writer.drain()

        async with bed(service=Service(answer)) as it:
            for version in VERSIONS:
                assert len((await it.curl(version, URL))[2]) == 320 << 16

    run(story)

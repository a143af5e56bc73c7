"""The way of a request: decided, dialled, swapped; and all the ways in which nothing leaves."""

import asyncio
import base64

import pytest

from goex_proxy.core.exchange import Origin, Request, Response
from goex_proxy.gateway.mediator import Address, NeedBody, Ticket, Waiting
from tests.gateway.bed import HOST, Service, bed, read_response, run
from tests.gateway.judge import PLACEHOLDER, SECRET, Agent, Judge, Pass, journaled

URL = f"https://{HOST}/things?x=1"
VERSIONS = ("--http1.1", "--http2")
AUTH = ("-H", f"Authorization: Bearer {PLACEHOLDER}")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_read_is_sent_with_its_credential_and_seen_without_it(version: str) -> None:
    async def story() -> None:
        async with bed() as it:
            status, _, body = await it.curl(version, *AUTH, URL)
            assert status == 200
            assert f"authorization: bearer {SECRET}" in body.decode().lower()
            assert SECRET not in repr(it.judge.diary) + repr(it.judge.requests)
            assert it.judge.requests[0].origin == Origin(scheme="https", host=HOST, port=443)
            assert it.judge.requests[0].target == "/things?x=1"

    run(story)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_change_is_admitted_with_its_body_and_answered_after_it_is_recorded(version: str) -> None:
    async def story() -> None:
        async with bed(Judge(decide=journaled)) as it:
            status, _, body = await it.curl(version, *AUTH, "-d", "hello", URL)
            assert status == 200
            assert body.endswith(b"\n\nhello")
            names = [name for name in it.judge.names() if name != "tunnel"]
            assert names == ["screen", "admit", "sending", "swap", "answered"]
            assert it.judge.diary[2] == ("admit", b"hello", b"")

    run(story)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("part", ["screen", "admit", "sending", "swap", "upstream"])
def test_a_part_that_raises_lets_no_byte_out(version: str, part: str) -> None:
    async def story() -> None:
        judge = Judge(decide=None if part == "swap" else journaled, broken={part})
        async with bed(judge) as it:
            status, text, body = await it.curl(version, "-d", "hello", URL)
            assert status == 503
            assert b'"outcome": "unavailable"' in body
            assert not it.service.raw
            assert judge.failures == ["exchange: RuntimeError"]
            assert SECRET not in text + body.decode()

    run(story)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_refusal_is_delivered_and_the_upload_is_dropped(version: str) -> None:
    async def story() -> None:
        refusal = Response(status=403, body=b'{"message":"no"}', reason="goex denied")
        async with bed(Judge(decide=lambda judge, request: refusal)) as it:
            big = it.home / "big"
            big.write_bytes(bytes(5 << 20))
            status, _, body = await it.curl(version, "-T", str(big), URL)
            assert (status, body) == (403, b'{"message":"no"}')
            assert it.service.connections == 0

    run(story)


def test_a_refusal_at_the_swap_lets_nothing_out() -> None:
    async def story() -> None:
        judge = Judge(refuse_swap=Response(status=403, body=b"unbound"))
        async with bed(judge) as it:
            assert (await it.curl(*AUTH, URL))[0::2] == (403, b"unbound")
            judge.decide = journaled
            assert (await it.curl(*AUTH, "-d", "x", URL))[0::2] == (403, b"unbound")
            assert not it.service.raw

    run(story)


def test_a_service_that_cannot_be_dialled_is_said_and_the_change_is_abandoned() -> None:
    async def story() -> None:
        judge = Judge(decide=journaled)
        judge.upstreams[HOST] = Address(host="127.0.0.1", port=1, tls=True, sni=HOST)
        async with bed(judge) as it:
            status, _, body = await it.curl("-d", "x", URL)
            assert status == 502
            assert b"unreachable" in body
            assert b"refused the connection" in body
            assert "abandoned" in judge.names()
            assert "sending" not in judge.names()

    run(story)


def test_a_certificate_of_another_name_is_refused_before_a_byte() -> None:
    async def story() -> None:
        judge = Judge(decide=journaled)
        async with bed(judge) as it:
            wrong = Address(
                host="127.0.0.1", port=it.service.port, tls=True, sni="other.example.com"
            )
            judge.upstreams[HOST] = wrong
            status, _, body = await it.curl("-d", "x", URL)
            assert status == 502
            assert b"hostname mismatch" in body
            assert not it.service.raw
            assert judge.names()[-1] == "abandoned"

    run(story)


def test_an_address_that_is_refused_is_never_spoken_to() -> None:
    async def story() -> None:
        async with bed(Judge(private={"127.0.0.1"})) as it:
            status, _, body = await it.curl(URL)
            assert status == 502
            assert b"private address" in body
            assert not it.service.raw

    run(story)


def test_a_mirror_in_plain_text_is_allowed_on_loopback_only() -> None:
    async def story() -> None:
        judge = Judge()
        service = Service()
        plain = await asyncio.start_server(service.serve, "127.0.0.1", 0)
        port = plain.sockets[0].getsockname()[1]
        judge.upstreams[HOST] = Address(host="127.0.0.1", port=port, tls=False, sni=HOST)
        async with bed(judge) as it:
            status, _, body = await it.curl(*AUTH, URL)
            assert status == 200
            assert SECRET.encode() in body
            swap = next(each for each in judge.diary if each[0] == "swap")
            assert swap[2].tls_verified  # type: ignore[attr-defined]
        plain.close()

    run(story)


def test_two_origins_on_one_machine_share_no_connection() -> None:
    async def story() -> None:
        judge = Judge(routes={"/a": Origin(scheme="https", host=HOST, port=443)})
        judge.routes["/b"] = Origin(scheme="https", host="b.example.com", port=443)
        async with bed(judge) as it:
            judge.upstreams["b.example.com"] = judge.upstreams[HOST]
            reader, writer = await it.open()
            for path in (b"/a/1", b"/a/2", b"/b/3", b"/a/4"):
                writer.write(b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert (await read_response(reader))[0] == 200
            assert it.service.connections == 2
            writer.close()

    run(story)


def test_one_connection_serves_many_requests() -> None:
    async def story() -> None:
        async with bed() as it:
            reader, writer = await it.connect()
            for number in range(20):
                writer.write(f"GET /{number} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
                status, _, body = await read_response(reader)
                assert status == 200
                assert body.startswith(f"GET /{number} ".encode())
            assert it.service.connections == 1
            writer.close()

    run(story)


def test_base_urls_are_routed_and_dot_segments_refused() -> None:
    async def story() -> None:
        judge = Judge(routes={"/github": Origin(scheme="https", host=HOST, port=443)})
        async with bed(judge) as it:
            for path, expected in (
                ("/github/user", 200),
                ("/github/../evil", 400),
                ("/github/%2e%2e/evil", 400),
                ("/nowhere/x", 404),
            ):
                reader, writer = await it.open()
                writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                status, _, body = await read_response(reader)
                assert status == expected, path
                if status == 200:
                    assert body.startswith(b"GET /user HTTP/1.1\nHost: api.example.com\n")
                writer.close()
            reader, writer = await it.open()
            writer.write(b"GET /github/user HTTP/1.1\r\nHost: evil.example.net\r\n\r\n")
            assert (await read_response(reader))[0] == 421
            writer.close()

    run(story)


def test_the_caller_is_known_by_password_and_a_wrong_one_is_407() -> None:
    async def story() -> None:
        judge = Judge(password="right")
        async with bed(judge) as it:
            proxy = f"http://me:right@127.0.0.1:{it.port}"
            assert (await it.curl(URL, proxy=proxy))[0] == 200
            assert judge.diary[0][1] == Agent("me")
            assert b"proxy-authorization" not in bytes(it.service.raw).lower()
            before = len(it.service.raw)
            _, text, _ = await it.curl(URL, proxy=f"http://me:wrong@127.0.0.1:{it.port}")
            assert "407" in text
            assert len(it.service.raw) == before

    run(story)


def test_a_plain_request_carries_its_own_credential_each_time() -> None:
    async def story() -> None:
        judge = Judge(password="right")
        service = Service()
        plain = await asyncio.start_server(service.serve, "127.0.0.1", 0)
        port = plain.sockets[0].getsockname()[1]
        async with bed(judge) as it:
            reader, writer = await it.open()
            for user in ("one", "two"):
                pair = base64.b64encode(f"{user}:right".encode()).decode()
                writer.write(
                    f"GET http://127.0.0.1:{port}/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
                    f"Proxy-Authorization: Basic {pair}\r\n\r\n".encode()
                )
                assert (await read_response(reader))[0] == 200
            screened = [each[1] for each in judge.diary if each[0] == "screen"]
            assert screened == [Agent("one"), Agent("two")]
            writer.close()
        plain.close()

    run(story)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("known_length", [True, False])
def test_a_body_above_the_cap_is_decided_by_its_beginning_and_streamed(
    version: str, known_length: bool
) -> None:
    async def story() -> None:
        async def admits(
            judge: Judge, request: Request, prefix: bytes, waiting: Waiting
        ) -> Ticket | Response:
            assert request.body is None
            assert len(prefix) > 1 << 16
            return Pass(judge, mutating=True, streams=False)

        judge = Judge(decide=lambda judge, request: NeedBody(1 << 16), admits=admits)
        async with bed(judge) as it:
            big = it.home / "big"
            big.write_bytes(b"0123456789abcdef" * (3 << 16))
            extra = () if known_length else ("-H", "Transfer-Encoding: chunked")
            status, text, _ = await it.curl(version, *extra, "-T", str(big), URL)
            assert status == 200, text
            assert it.service.asked[0].body == big.read_bytes()

    run(story)


def test_a_body_above_the_cap_can_be_refused_with_nothing_sent() -> None:
    async def story() -> None:
        async def admits(
            judge: Judge, request: Request, prefix: bytes, waiting: Waiting
        ) -> Ticket | Response:
            return Response(status=413, body=b"too large")

        judge = Judge(decide=lambda judge, request: NeedBody(1 << 16), admits=admits)
        async with bed(judge) as it:
            big = it.home / "big"
            big.write_bytes(bytes(4 << 20))
            assert (await it.curl("-T", str(big), URL))[0] == 413
            assert it.service.connections == 0

    run(story)


def test_our_own_fields_and_those_of_one_hop_stay_here() -> None:
    async def story() -> None:
        async with bed() as it:
            reader, writer = await it.connect()
            writer.write(
                f"GET / HTTP/1.1\r\nHost: {HOST.upper()}.\r\nX-Goex-Undo: 1\r\n"
                "Connection: keep-alive, X-Private\r\nX-Private: 1\r\nKeep-Alive: 5\r\n"
                "TE: gzip\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\nProxy-Connection: x\r\n"
                "Accept-Encoding: gzip, br;q=0.5, compress, snappy\r\n\r\n".encode()
            )
            assert (await read_response(reader))[0] == 200
            assert it.service.asked[0].headers == [
                ("Host", HOST),
                ("Accept-Encoding", "gzip, br;q=0.5"),
            ]
            writer.close()

    run(story)


def test_the_body_is_asked_for_with_100_continue_and_later_errors_still_arrive() -> None:
    async def story() -> None:
        judge = Judge(decide=journaled, broken={"sending"})
        async with bed(judge) as it:
            reader, writer = await it.connect()
            writer.write(
                f"POST / HTTP/1.1\r\nHost: {HOST}\r\nExpect: 100-continue\r\n"
                "Content-Length: 5\r\n\r\n".encode()
            )
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
            writer.write(b"hello")
            status, head, _ = await read_response(reader)
            assert status == 503
            assert "content-type: application/json" in head.lower()
            writer.close()

    run(story)


# -- destination confusion: what is decided on is where it goes

"""Embedding: listeners, an orderly end, crashes, and what never reaches a log."""

import asyncio
import logging
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from goex_proxy.core.exchange import Request, Response
from goex_proxy.gateway.certificates import open_authority
from goex_proxy.gateway.gateway import Gateway, ListenError, Settings
from goex_proxy.gateway.guard import WrongMitmproxy, check_version
from goex_proxy.gateway.layers import GatewayLayer
from goex_proxy.gateway.mediator import Address, Ticket, Waiting
from tests.gateway.bed import HOST, Asked, Service, bed, read_response, reply, run
from tests.gateway.judge import PLACEHOLDER, SECRET, Agent, Judge, Pass, journaled

URL = f"https://{HOST}/"


def test_another_mitmproxy_is_refused() -> None:
    with pytest.raises(WrongMitmproxy, match=r"12\.9\.9 is installed"):
        check_version("12.9.9")


def test_a_taken_port_is_said_clearly() -> None:
    async def story() -> None:
        async with bed() as it:
            other = Gateway(
                Judge(),
                open_authority(it.home),
                Settings(listen=(("127.0.0.1", it.port),), roots=it.services.pem),
            )
            with pytest.raises(ListenError, match=rf"127\.0\.0\.1:{it.port}"):
                await other.start()

    run(story)


def test_two_gateways_live_in_one_process() -> None:
    async def story() -> None:
        async with bed() as one, bed() as two:
            assert (await one.curl(URL))[0] == 200
            assert (await two.curl(URL))[0] == 200
            assert len(one.service.asked) == len(two.service.asked) == 1

    run(story)


def test_a_unix_socket_says_who_calls() -> None:
    async def story() -> None:
        judge = Judge(password="needed elsewhere")
        async with bed(judge) as it:
            path = it.home / "session.sock"
            await it.gateway.add_unix(path, "session-7")
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            reader, writer = await asyncio.open_unix_connection(path)
            target = f"{HOST}:443"
            writer.write(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
            assert b"200" in await reader.readuntil(b"\r\n\r\n")
            await writer.start_tls(it.trust(), server_hostname=HOST)
            writer.write(f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
            assert (await read_response(reader))[0] == 200
            assert judge.diary[0][1] == Agent("session-7")
            writer.close()
            await it.gateway.stop(0.1)
            assert not path.exists()

    run(story)


def test_an_agent_may_speak_tls_to_the_proxy_itself() -> None:
    async def story() -> None:
        async with bed() as it:
            status, text, _ = await it.curl(
                "--proxy-cacert", str(it.home / "ca.pem"), URL, proxy=f"https://127.0.0.1:{it.port}"
            )
            assert status == 200, text

    run(story)


def test_services_are_dialled_over_ipv6_too() -> None:
    async def story() -> None:
        judge, service = Judge(), Service()
        listener = await asyncio.start_server(service.serve, "::1", 0)
        port = listener.sockets[0].getsockname()[1]
        judge.upstreams[HOST] = Address(host="::1", port=port, tls=False, sni=HOST)
        async with bed(judge) as it:
            assert (await it.curl(URL))[0] == 200
        listener.close()

    run(story)


def test_stopping_answers_what_waits_for_a_decision() -> None:
    async def story() -> None:
        async def admits(
            judge: Judge, request: Request, prefix: bytes, waiting: Waiting
        ) -> Ticket | Response:
            judge.note("held")
            await asyncio.sleep(60)
            return Pass(judge)

        judge = Judge(decide=journaled, admits=admits)
        async with bed(judge) as it:
            port = it.port
            asking = asyncio.create_task(it.curl("-d", "x", URL))
            await judge.until("held")
            await it.gateway.stop(1)
            status, _, body = await asking
            assert status == 503
            assert b"unavailable" in body
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", port)

    run(story)


def test_a_gateway_that_stops_begins_nothing_new() -> None:
    async def story() -> None:
        gate = asyncio.Event()

        async def answer(
            asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            judge.note("arrived")
            await gate.wait()
            writer.write(reply(200, b"done"))

        judge = Judge(decide=journaled)
        async with bed(judge, Service(answer)) as it:
            reader, writer = await it.connect()
            asking = asyncio.create_task(it.curl("-d", "x", URL))
            await judge.until("arrived")
            stopping = asyncio.create_task(it.gateway.stop(3))
            await asyncio.sleep(0)
            writer.write(f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
            assert (await read_response(reader))[0] == 503
            gate.set()
            assert (await asking)[0] == 200
            await stopping
            writer.close()

    run(story)


def test_a_listener_on_every_address_knows_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with bed() as it:
            monkeypatch.setattr(Gateway, "addresses", (("0.0.0.0", 8080),))
            assert it.gateway.is_self("10.0.0.5", 8080, "10.0.0.5")
            assert not it.gateway.is_self("10.0.0.9", 8080, "10.0.0.5")
            assert not it.gateway.is_self("10.0.0.5", 8081, "10.0.0.5")

    run(story)


def test_stopping_lets_what_was_sent_end() -> None:
    async def story() -> None:
        async def answer(
            asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            judge.note("arrived")
            await asyncio.sleep(0.5)
            writer.write(reply(201, b"done"))

        judge = Judge(decide=journaled)
        async with bed(judge, Service(answer)) as it:
            asking = asyncio.create_task(it.curl("-d", "x", URL))
            await judge.until("arrived")
            await it.gateway.stop(3)
            assert (await asking)[0::2] == (201, b"done")
            assert judge.names()[-1] == "answered"

    run(story)


def test_a_crashed_layer_closes_the_connection_at_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def crash(*_: object) -> None:
        raise ValueError(f"here is {SECRET}")

    async def story() -> None:
        async with bed() as it:
            reader, writer = await it.connect()
            monkeypatch.setattr(GatewayLayer, "make_stream", crash)
            writer.write(f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
            async with asyncio.timeout(2):
                assert await reader.read() == b""
            assert it.judge.failures == ["connection: ValueError"]
            writer.close()

    run(story)
    assert "closed after ValueError in crash" in caplog.text
    assert SECRET not in caplog.text


def test_no_log_holds_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        async def garbage(
            asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            writer.write((asked.get("authorization") or "").encode() + b"\r\n\r\n")
            await writer.drain()
            writer.close()

        async with bed(service=Service(garbage)) as it:
            for version in ("--http1.1", "--http2"):
                status, text, body = await it.curl(
                    version, "-H", f"Authorization: Bearer {PLACEHOLDER}", URL
                )
                assert status == 502
                assert SECRET not in text + body.decode()
            assert SECRET.encode() in it.service.raw

    caplog.set_level(logging.DEBUG)
    run(story)
    assert SECRET not in caplog.text


def test_tls_keys_are_never_logged(tmp_path: Path) -> None:
    code = (
        "from tests.gateway.test_gateway import one_request; one_request();"
        "from mitmproxy.net import tls; assert tls.log_master_secret is None"
    )
    keys = tmp_path / "keys"
    root = Path(__file__).parents[2]
    environment = {"PATH": os.environ["PATH"], "MITMPROXY_SSLKEYLOGFILE": str(keys)}
    subprocess.run([sys.executable, "-c", code], cwd=root, env=environment, check=True, timeout=60)
    assert not keys.exists()


def one_request() -> None:
    async def story() -> None:
        async with bed() as it:
            assert (await it.curl(URL))[0] == 200

    run(story)

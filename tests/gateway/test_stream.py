"""Agents that go away, agents that send too much, and HTTP/2 in both directions."""

import asyncio
from pathlib import Path

import pytest

from goex_proxy.core.exchange import Request, Response
from goex_proxy.gateway.mediator import Address, Ticket, Waiting
from tests.gateway.bed import HOST, Asked, Service, bed, read_response, reply, run, server_context
from tests.gateway.http2 import H2Agent, H2Service
from tests.gateway.judge import SECRET, Judge, Pass, journaled


def resident() -> int:
    """Bytes of this process that are in memory now."""
    text = Path("/proc/self/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) * 1024


async def silent(asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


class Holding:
    """An `admit` that waits until the caller goes away, or is let go."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()
        self.release = asyncio.Event()

    async def __call__(
        self, judge: Judge, request: Request, prefix: bytes, waiting: Waiting
    ) -> Ticket | Response:
        waiting.on_hang_up(self.gone.set)
        waiting.on_hang_up(self.release.set)
        judge.note("held")
        await self.release.wait()
        return Pass(judge, mutating=True, streams=False)


@pytest.mark.parametrize("how", ["h1", "h2", "reset"])
def test_a_hang_up_during_a_decision_is_heard_at_once_and_nothing_is_sent(how: str) -> None:
    async def story() -> None:
        holding = Holding()
        judge = Judge(decide=journaled, admits=holding)
        async with bed(judge) as it:
            if how == "h1":
                _, writer = await it.connect()
                writer.write(
                    f"POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 1\r\n\r\nx".encode()
                )
            else:
                agent = await H2Agent.open(it)
                number = agent.ask("POST", "/", end=False)
                agent.send(number, b"x", end=True)
                writer = agent.writer
            await judge.until("held")
            if how == "reset":
                agent.cancel(number)
            else:
                writer.close()
            async with asyncio.timeout(1):
                await holding.gone.wait()
            await judge.until("abandoned")
            await asyncio.sleep(0.1)
            assert "sending" not in judge.names()
            assert it.service.connections == 0
            writer.close()

    run(story)


@pytest.mark.parametrize("how", ["h1", "h2", "reset"])
def test_a_hang_up_after_it_was_sent_does_not_cut_the_change(how: str) -> None:
    async def story() -> None:
        arrived, gate = asyncio.Event(), asyncio.Event()

        async def answer(
            asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            arrived.set()
            await gate.wait()
            writer.write(reply(201, b'{"id":42}'))

        judge = Judge(decide=journaled)
        async with bed(judge, Service(answer)) as it:
            if how == "h1":
                _, writer = await it.connect()
                writer.write(
                    f"POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 1\r\n\r\nx".encode()
                )
            else:
                agent = await H2Agent.open(it)
                number = agent.ask("POST", "/", end=False)
                agent.send(number, b"x", end=True)
                writer = agent.writer
            await arrived.wait()
            if how == "reset":
                agent.cancel(number)
            else:
                writer.close()
            await judge.until("hung_up")
            await asyncio.sleep(0.2)
            gate.set()
            assert await judge.until("answered") == ("answered", 201, b'{"id":42}')
            async with asyncio.timeout(2):
                while it.gateway._links and how != "reset":
                    await asyncio.sleep(0.01)
            writer.close()

    run(story)


def test_a_hang_up_while_sending_is_recorded_still_sends() -> None:
    async def story() -> None:
        gate = asyncio.Event()

        async def pause() -> None:
            judge.note("recording")
            await gate.wait()

        judge = Judge(decide=journaled, pauses={"sending": pause})
        async with bed(judge) as it:
            _, writer = await it.connect()
            writer.write(f"POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 1\r\n\r\nx".encode())
            await judge.until("recording")
            writer.close()
            await judge.until("hung_up")
            gate.set()
            await judge.until("answered")
            assert len(it.service.asked) == 1

    run(story)


def test_a_service_that_closed_while_sending_was_recorded_is_dialled_again() -> None:
    async def story() -> None:
        closed = asyncio.Event()
        service = Service()

        async def answer(
            asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            writer.write(reply(200, b"ok"))
            if asked.line.startswith("GET"):
                await asyncio.sleep(0.2)
                writer.close()
                closed.set()

        service.answer = answer

        async def pause() -> None:
            await closed.wait()
            await asyncio.sleep(0.1)

        judge = Judge(decide=journaled, pauses={"sending": pause})
        async with bed(judge, service) as it:
            reader, writer = await it.connect()
            writer.write(f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
            await reader.readuntil(b"ok")
            writer.write(f"POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 1\r\n\r\nx".encode())
            assert b"200" in await reader.readuntil(b"ok")
            assert service.connections == 2
            assert judge.names()[-1] == "answered"
            writer.close()

    run(story)


def test_a_hang_up_cuts_a_read() -> None:
    async def story() -> None:
        ended = asyncio.Event()

        async def answer(
            asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            await reader.read()
            ended.set()

        async with bed(service=Service(answer)) as it:
            _, writer = await it.connect()
            writer.write(f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
            while not it.service.asked:
                await asyncio.sleep(0.01)
            writer.close()
            async with asyncio.timeout(2):
                await ended.wait()

    run(story)


@pytest.mark.parametrize("part", ["screen", "sending"])
def test_a_hang_up_in_mid_upload_loses_a_change_or_abandons_it(part: str) -> None:
    async def story() -> None:
        judge = Judge(decide=journaled)
        if part == "sending":
            judge.decide = lambda judge, request: Pass(judge, mutating=True)
        async with bed(judge, Service(silent, reads_body=False)) as it:
            _, writer = await it.connect()
            writer.write(f"POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 99\r\n\r\nx".encode())
            await judge.until(part)
            await asyncio.sleep(0.1)
            writer.close()
            if part == "sending":
                await judge.until("lost")
            else:
                await asyncio.sleep(0.2)
                assert not it.service.raw

    run(story)


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
@pytest.mark.parametrize("where", ["admit", "sending"])
def test_an_upload_while_a_decision_is_awaited_stays_outside(version: str, where: str) -> None:
    async def story() -> None:
        peak = 0

        async def watch() -> None:
            nonlocal peak
            for _ in range(20):
                await asyncio.sleep(0.05)
                peak = max(peak, resident())

        async def admits(
            judge: Judge, request: Request, prefix: bytes, waiting: Waiting
        ) -> Ticket | Response:
            if where == "admit":
                await watch()
            return Pass(judge, mutating=True, streams=False)

        async def answer(
            asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            left = 60 << 20
            while left > 0:
                left -= len(await reader.read(min(left, 1 << 16)))
            writer.write(reply(200, b"ok"))

        judge = Judge(decide=journaled, admits=admits)
        if where == "sending":
            judge.pauses["sending"] = watch
        async with bed(judge, Service(answer, reads_body=False)) as it:
            big = it.home / "big"
            with big.open("wb") as file:
                file.truncate(60 << 20)
            before = resident()
            status, text, _ = await it.curl(version, "-T", str(big), f"https://{HOST}/")
            assert status == 200, text
            assert peak - before < 12 << 20

    run(story)


def test_http2_is_multiplexed_on_one_connection_to_the_service() -> None:
    async def story() -> None:
        service = H2Service(trailers=[("grpc-status", "0"), ("x-echo", SECRET)])
        judge = Judge(decide=journaled, scrubs=True)
        async with bed(judge) as it:
            context = server_context(it.services, HOST)
            context.set_alpn_protocols(["h2"])
            listener = await asyncio.start_server(service.serve, "127.0.0.1", 0, ssl=context)
            port = listener.sockets[0].getsockname()[1]
            judge.upstreams[HOST] = Address(host="127.0.0.1", port=port, tls=True, sni=HOST)
            agent = await H2Agent.open(it)
            reads = [agent.ask("GET", f"/{n}", te="trailers") for n in range(20)]
            change = agent.ask("POST", "/change", end=False)
            agent.send(change, b"hello", end=True)
            await agent.until(lambda: agent.ended >= {*reads, change})
            assert {agent.statuses[each] for each in reads} == {200}
            assert b":path: /7\n" in agent.bodies[reads[7]]
            assert b"te: trailers" in agent.bodies[reads[7]]
            assert ("grpc-status", "0") in agent.trailers[reads[0]]
            assert SECRET not in repr(agent.trailers)
            assert b"hello" in service.bodies.values()
            assert service.connections == 1
            agent.writer.close()
            listener.close()

    run(story)


def test_http2_reuses_idle_connections_to_an_http1_service() -> None:
    async def story() -> None:
        async with bed() as it:
            agent = await H2Agent.open(it)
            for number in range(10):
                asked = agent.ask("GET", f"/{number}")
                await agent.until(lambda asked=asked: asked in agent.ended)  # type: ignore[misc]
                assert agent.statuses[asked] == 200
            assert it.service.connections == 1
            many = [agent.ask("GET", f"/{number}") for number in range(30)]
            await agent.until(lambda: agent.ended >= set(many))
            assert {agent.statuses[each] for each in many} == {200}
            agent.writer.close()

    run(story)


@pytest.mark.parametrize(
    ("more", "status"),
    [({"authority": "evil.example.net"}, 421), ({"host": "evil.example.net"}, 421)],
)
def test_an_http2_request_that_names_another_host_is_refused(
    more: dict[str, str], status: int
) -> None:
    async def story() -> None:
        async with bed() as it:
            agent = await H2Agent.open(it)
            agent.connection.config.validate_outbound_headers = False
            asked = agent.ask("GET", "/", end=True, **more)
            await agent.until(lambda: asked in agent.ended or asked in agent.reset)
            # hyper-h2 closes the connection itself if Host and :authority differ
            assert agent.statuses.get(asked) == status or "host" in more
            assert not it.service.raw
            agent.writer.close()

    run(story)


def test_a_slow_http2_agent_slows_the_service_down() -> None:
    async def story() -> None:
        sent = 0

        async def answer(
            asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            nonlocal sent
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (20 << 20))
            for _ in range(320):
                writer.write(bytes(1 << 16))
                await writer.drain()
                sent += 1 << 16

        async with bed(service=Service(answer)) as it:
            agent = await H2Agent.open(it)
            asked = agent.ask("GET", "/")
            await agent.until(lambda: asked in agent.statuses)
            await asyncio.sleep(1)
            assert sent < 12 << 20
            await agent.until(lambda: asked in agent.ended, within=20)
            assert len(agent.bodies[asked]) == 20 << 20
            agent.writer.close()

    run(story)


def test_pipelined_requests_are_answered_in_order() -> None:
    async def story() -> None:
        async with bed(Judge(decide=journaled)) as it:
            reader, writer = await it.connect()
            asked = [f"GET /{n} HTTP/1.1\r\nHost: {HOST}\r\n\r\n" for n in range(4)]
            asked[2] = f"POST /2 HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 1\r\n\r\nx"
            writer.write("".join(asked).encode())
            for number in range(4):
                status, _, body = await read_response(reader)
                assert status == 200
                assert f" /{number} ".encode() in body.split(b"\n")[0]
            writer.close()

    run(story)


def test_bytes_that_come_with_the_connect_are_not_lost() -> None:
    async def story() -> None:
        judge = Judge()
        async with bed(judge) as it:
            reader, writer = await it.open()
            writer.write(
                f"CONNECT {HOST}:80 HTTP/1.1\r\nHost: {HOST}:80\r\n\r\n"
                f"GET /early HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
            )
            assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
            assert (await read_response(reader))[0] == 200
            assert judge.requests[0].origin.scheme == "http"
            writer.close()

    run(story)

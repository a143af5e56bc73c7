"""WebSockets: screened like any request, then relayed frame by frame."""

import asyncio

import aiohttp
import pytest
from aiohttp import web

from goex_proxy.core.exchange import Request, Response
from goex_proxy.gateway.mediator import Address, NeedBody, Ticket
from tests.gateway.bed import HOST, Bed, bed, run, server_context
from tests.gateway.judge import PLACEHOLDER, SECRET, Judge, Pass


async def echo(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    await socket.send_str(request.headers.get("Authorization", "none"))
    async for message in socket:
        if message.type is aiohttp.WSMsgType.TEXT:
            await socket.send_str(f"{message.data} {SECRET}")
        elif message.type is aiohttp.WSMsgType.BINARY:
            await socket.send_bytes(message.data)
    return socket


async def serve(it: Bed) -> web.AppRunner:
    app = web.Application()
    app.router.add_get("/socket", echo)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_context(it.services, HOST))
    await site.start()
    port = runner.addresses[0][1]
    it.judge.upstreams[HOST] = Address(host="127.0.0.1", port=port, tls=True, sni=HOST)
    return runner


@pytest.mark.parametrize("mutating", [False, True])
def test_frames_pass_both_ways_and_are_scrubbed(mutating: bool) -> None:
    async def story() -> None:
        def decide(judge: Judge, request: Request) -> Ticket | Response | NeedBody:
            assert request.headers.get("upgrade") == "websocket"
            return Pass(judge, mutating=mutating)

        async with bed(Judge(decide=decide, scrubs=True)) as it:
            runner = await serve(it)
            async with (
                aiohttp.ClientSession() as session,
                session.ws_connect(
                    f"https://{HOST}/socket",
                    proxy=it.proxy,
                    ssl=it.trust(),
                    headers={"Authorization": f"Bearer {PLACEHOLDER}"},
                    compress=15,
                ) as socket,
            ):
                assert await socket.receive_str() == f"Bearer {PLACEHOLDER}"
                for number in range(5):
                    await socket.send_str(str(number))
                    assert await socket.receive_str() == f"{number} {PLACEHOLDER}"
                await socket.send_bytes(bytes(200_000))
                assert await socket.receive_bytes() == bytes(200_000)
                (link,) = it.gateway._links
                (exchange,) = link.sockets.values()
                assert exchange.flow.websocket is not None
                assert exchange.flow.websocket.messages == []
            if mutating:
                assert ("answered", 101, None) in it.judge.diary
            await runner.cleanup()

    run(story)


def test_a_refused_upgrade_is_an_ordinary_answer() -> None:
    async def story() -> None:
        async with bed(Judge(decide=lambda judge, request: Response(status=403))) as it:
            async with aiohttp.ClientSession() as session:
                with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                    await session.ws_connect(
                        f"https://{HOST}/socket", proxy=it.proxy, ssl=it.trust()
                    )
                assert caught.value.status == 403
            assert it.service.connections == 0

    run(story)


def test_a_service_cannot_change_the_protocol_unasked() -> None:
    async def story() -> None:
        async with bed() as it:

            async def answer(
                asked: object, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
            ) -> None:
                writer.write(
                    b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
                )

            it.service.answer = answer
            status, _, _ = await it.curl("--http1.1", f"https://{HOST}/")
            assert status == 502

    run(story)

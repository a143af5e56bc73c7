"""What is awaited in the middle of an exchange, where a layer around it breaks."""

import asyncio

import pytest

from goex_proxy.core.exchange import Request, Response
from goex_proxy.gateway.mediator import Ticket, Waiting
from tests.gateway.bed import HOST, bed, run
from tests.gateway.judge import Judge, Pass, journaled


@pytest.mark.parametrize(
    ("part", "told"),
    [("admit", "abandoned"), ("sending", "abandoned"), ("begun", "lost"), ("answered", "answered")],
)
def test_a_connection_that_breaks_while_something_is_awaited_still_tells_the_ticket_once(
    part: str, told: str
) -> None:
    """A ticket that is not told keeps its locks, and no sweep takes its entry up."""

    async def story() -> None:
        reached, go_on = asyncio.Event(), asyncio.Event()

        async def pause() -> None:
            reached.set()
            await go_on.wait()

        async def admits(
            judge: Judge, request: Request, prefix: bytes, waiting: Waiting
        ) -> Ticket | Response:
            if part == "admit":
                await pause()
            return Pass(judge, mutating=True, streams=part != "answered")

        def broken(event: object) -> list[object]:
            raise RuntimeError

        judge = Judge(decide=journaled, admits=admits, pauses={part: pause})
        async with bed(judge) as it:
            _, writer = await it.connect()
            writer.write(f"POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 1\r\n\r\nx".encode())
            await reached.wait()
            [link] = it.gateway._links
            link.layer.handle_event = broken  # type: ignore[assignment]
            link._crashed(RuntimeError())
            link.lingering.clear()
            link._settled.set()
            await asyncio.sleep(0.1)
            assert link in it.gateway._links, "it was given up while its ticket was undecided"
            go_on.set()
            async with asyncio.timeout(5):
                while link in it.gateway._links:
                    await asyncio.sleep(0.01)
            ends = [n for n in judge.names() if n in {"abandoned", "lost", "answered"}]
            assert (ends, "hung_up" in judge.names()) == ([told], True)
            assert bool(it.service.asked) is (part in {"begun", "answered"})
            writer.close()

    run(story)

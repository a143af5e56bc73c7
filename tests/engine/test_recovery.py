"""A sweep takes up what nobody has, once, and not too much of it at a time."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from goex_proxy.app import open_parts
from goex_proxy.core.event import Admitted, Sent
from goex_proxy.core.journal import State
from goex_proxy.engine.engine import Engine
from goex_proxy.engine.recovery import _AT_ONCE, Recovery
from goex_proxy.founding import found
from goex_proxy.home import Home
from tests.core.world import a_book, a_call, a_decision, a_request, opened

BOOK = a_book()
CALL = a_call(a_request("POST", json={"title": "x"}))


def run(at: Path, story: Callable[[Engine, Recovery], Awaitable[None]]) -> None:
    """With an engine of its own, for which every answer has been out for too long already."""

    async def told() -> None:
        home = Home(at)
        found(home)
        async with open_parts(home) as parts:
            engine = parts.engine
            limits = replace(engine.shelf.book.limits, upstream_timeout=0.0)
            engine.shelf.book = replace(engine.shelf.book, limits=limits)
            await story(engine, Recovery(engine))

    asyncio.run(told())


async def sent(engine: Engine) -> int:
    """A call that left, and of which nothing was heard."""
    decision = a_decision()
    events = (opened(CALL, BOOK), Admitted(decision=decision), Sent(decision=decision))
    return (await engine.ledger.append(None, events)).id


def state(engine: Engine, entry: int) -> State:
    found = engine.ledger.load(entry)
    assert found is not None
    return found.state


async def settled(engine: Engine) -> None:
    """Until nothing runs beside us."""
    for _ in range(500):
        if not engine._tasks:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the sweep does not come to an end")


def test_what_nobody_has_turns_in_doubt(tmp_path: Path) -> None:
    async def story(engine: Engine, recovery: Recovery) -> None:
        entry = await sent(engine)
        await recovery.sweep()
        await settled(engine)
        assert state(engine, entry) is State.IN_DOUBT
        assert not engine.troubles

    run(tmp_path, story)


@pytest.mark.parametrize("left", [State.SENT, State.IN_DOUBT])
def test_what_a_course_has_is_left_to_it(tmp_path: Path, left: State) -> None:
    async def story(engine: Engine, recovery: Recovery) -> None:
        entry = await sent(engine)
        if left is State.IN_DOUBT:
            await recovery.sweep()
            await settled(engine)
        before = engine.ledger.load(entry)
        engine.live.add(entry)
        await recovery.sweep()
        assert not engine._tasks, "nothing was begun"
        assert engine.ledger.load(entry) == before
        assert state(engine, entry) is left

    run(tmp_path, story)


def test_what_a_sweep_has_not_done_with_is_not_begun_again(tmp_path: Path) -> None:
    async def story(engine: Engine, recovery: Recovery) -> None:
        entry = await sent(engine)
        await recovery.sweep()
        await recovery.sweep()
        assert len(engine._tasks) == 1
        await settled(engine)
        assert state(engine, entry) is State.IN_DOUBT
        again = await sent(engine)
        await recovery.sweep()
        await settled(engine)
        assert state(engine, again) is State.IN_DOUBT, "it has room again"

    run(tmp_path, story)


def test_a_sweep_begins_no_more_at_once_than_it_may(tmp_path: Path) -> None:
    async def story(engine: Engine, recovery: Recovery) -> None:
        entries = [await sent(engine) for _ in range(_AT_ONCE + 5)]
        await recovery.sweep()
        assert len(engine._tasks) == _AT_ONCE
        await settled(engine)
        await recovery.sweep()
        await settled(engine)
        assert {state(engine, entry) for entry in entries} == {State.IN_DOUBT}

    run(tmp_path, story)

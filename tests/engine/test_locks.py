"""One at a time on a resource; nobody waits for ever, nothing is left behind."""

import asyncio
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goex_proxy.engine.locks import Holder, LockTable


def test_two_calls_on_one_resource_come_one_after_the_other() -> None:
    async def story() -> list[str]:
        table, told = LockTable(), []

        async def call(name: str) -> None:
            holder = table.holder()
            await holder.take(("issue",))
            told.append(f"{name} in")
            await asyncio.sleep(0)
            told.append(f"{name} out")
            holder.release()

        await asyncio.gather(call("a"), call("b"))
        return told

    assert asyncio.run(story()) == ["a in", "a out", "b in", "b out"]


def test_taking_what_one_has_is_no_wait() -> None:
    async def story() -> None:
        holder = LockTable().holder()
        await holder.take(("a", "b"))
        await asyncio.wait_for(holder.take(("b", "a")), 1)

    asyncio.run(story())


def test_nobody_holds_anything_after_release() -> None:
    async def story() -> int:
        table = LockTable()
        holder = table.holder()
        await holder.take(("a", "b"))
        holder.release()
        holder.release()
        return len(table)

    assert asyncio.run(story()) == 0


def test_one_who_stops_waiting_does_not_keep_the_others_from_it() -> None:
    async def story() -> None:
        table = LockTable()
        first, gone, last = (table.holder() for _ in range(3))
        await first.take(("a",))
        waiting = asyncio.create_task(gone.take(("a",)))
        await asyncio.sleep(0)
        behind = asyncio.create_task(last.take(("a",)))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        first.release()
        await asyncio.wait_for(behind, 1)

    asyncio.run(story())


def test_one_who_is_cancelled_as_its_turn_comes_passes_it_on() -> None:
    async def story() -> None:
        table = LockTable()
        first, gone, last = (table.holder() for _ in range(3))
        await first.take(("a",))
        waiting = asyncio.create_task(gone.take(("a",)))
        behind = asyncio.create_task(last.take(("a",)))
        await asyncio.sleep(0)
        first.release()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await asyncio.wait_for(behind, 1)

    asyncio.run(story())


@settings(max_examples=50, deadline=None)
@given(
    wants=st.lists(st.lists(st.sampled_from("abcd"), min_size=1, max_size=4), max_size=8),
    seed=st.integers(0, 1000),
)
def test_no_two_hold_the_same_and_all_get_their_turn(wants: list[list[str]], seed: int) -> None:
    held: set[str] = set()
    chance = random.Random(seed)

    async def call(holder: Holder, keys: list[str]) -> None:
        for _ in range(chance.randrange(3)):
            await asyncio.sleep(0)
        await holder.take(tuple(keys))
        assert not held & set(keys)
        held.update(keys)
        await asyncio.sleep(0)
        held.difference_update(keys)
        holder.release()

    async def story() -> int:
        table = LockTable()
        calls = [call(table.holder(), keys) for keys in wants]
        await asyncio.wait_for(asyncio.gather(*calls), 5)
        return len(table)

    assert asyncio.run(story()) == 0


@settings(max_examples=100, deadline=None)
@given(
    wants=st.lists(
        st.lists(st.sets(st.sampled_from("abcd"), min_size=1, max_size=3), max_size=3), max_size=6
    ),
    seed=st.integers(0, 1000),
)
def test_who_finds_out_later_what_more_it_wants_never_waits_for_ever(
    wants: list[list[set[str]]], seed: int
) -> None:
    chance = random.Random(seed)

    async def call(holder: Holder, rounds: list[set[str]]) -> None:
        for keys in rounds:
            await holder.take(tuple(keys))
            for _ in range(chance.randrange(3)):
                await asyncio.sleep(0)
        holder.release()

    async def story() -> int:
        table = LockTable()
        calls = [call(table.holder(), rounds) for rounds in wants]
        await asyncio.wait_for(asyncio.gather(*calls), 5)
        return len(table)

    assert asyncio.run(story()) == 0

"""Commands: typed requests for I/O that phases yield."""

from collections.abc import Generator
from typing import Any

import pytest

from goex_proxy.core.command import Command, Dial, DialFailed, Elapsed, Fetch, FetchFailed, Lock
from goex_proxy.core.exchange import Response
from tests.core.world import a_request

READ = Fetch(request=a_request(), credential="c1")


def phase() -> Generator[Command[Any], Any, tuple[int, float]]:
    """Its types are mypy's to check: an answer, and seconds."""
    answer = yield from READ
    seconds = yield from Elapsed()
    return answer.status, seconds


def test_a_command_yields_itself_and_is_worth_its_reply() -> None:
    running = phase()
    assert next(running) is READ
    assert running.send(Response(status=404)) == Elapsed()
    with pytest.raises(StopIteration) as stop:
        running.send(1.5)
    assert stop.value.value == (404, 1.5)


@pytest.mark.parametrize("error", [FetchFailed("reset"), DialFailed("refused")])
def test_what_the_world_cannot_do_is_raised_where_it_was_asked(error: Exception) -> None:
    def asking() -> Generator[Command[Any], Any, str]:
        try:
            yield from Dial()
        except (FetchFailed, DialFailed) as failed:
            return str(failed)
        return ""

    running = asking()
    next(running)
    with pytest.raises(StopIteration) as stop:
        running.throw(error)
    assert stop.value.value == str(error)


def test_commands_are_values_that_compare_by_what_they_ask() -> None:
    assert Fetch(request=a_request(), credential="c1") == READ
    assert Fetch(request=a_request()) != READ
    assert len({Lock(keys=("a",)), Lock(keys=("a",)), Lock(keys=("b",))}) == 2

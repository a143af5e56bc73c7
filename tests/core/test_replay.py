"""Whatever a process was doing when it died: the journal says no more than what happened.

Each story of the driver is cut after every event, as if the process had died there, and
recovery goes on from what is durable.
"""

from dataclasses import dataclass, field

import pytest

from goex_proxy.core.entry import fold
from goex_proxy.core.event import Answered, Event, Lost, Sent, UndoStarted
from goex_proxy.core.journal import State
from goex_proxy.core.phase import next_phase
from tests.core.driver import Driver, Trouble
from tests.core.shop import Shop, shop_book


@dataclass
class Told:
    """A story's events, entry by entry."""

    driver: Driver = field(default_factory=lambda: Driver(Shop(seed=["n1", "n2"]), shop_book()))

    def events(self) -> list[tuple[int, list[Event]]]:
        return list(self.driver.events.items())


CALLS = [
    ("PATCH", "/notes/n1", {"title": "a1"}),
    ("PUT", "/notes/n1", {"title": "a1"}),
    ("POST", "/notes", {"title": "a1"}),
    ("DELETE", "/notes/n1", None),
    ("POST", "/notes/n1/tags", {"tags": ["a1"]}),
    ("DELETE", "/notes/n1/tags/t", None),
    ("PATCH", "/notes/none", {"title": "a1"}),
]


def story(method: str, target: str, body: object, trouble: Trouble) -> Told:
    told = Told()
    entry = told.driver.call(method, target, body, trouble)
    if entry is not None and entry.state is State.APPLIED and entry.inverse is not None:
        told.driver.undo(entry, trouble)
    return told


@pytest.mark.parametrize(("method", "target", "body"), CALLS)
@pytest.mark.parametrize("trouble", Trouble)
def test_every_prefix_of_every_story_claims_nothing_that_did_not_happen(
    method: str, target: str, body: object, trouble: Trouble
) -> None:
    told = story(method, target, body, trouble)
    for number, events in told.events():
        for length in range(1, len(events) + 1):
            prefix = events[:length]
            entry = fold(prefix, number)
            went_out = any(isinstance(e, Sent) for e in prefix)
            answered = any(isinstance(e, Answered) for e in prefix)
            if entry.state in {State.REFUSED, State.ABANDONED, State.HELD, State.ADMITTED}:
                assert not went_out
            if entry.state in {State.FAILED, State.APPLIED} and not answered:
                assert any(isinstance(e, Lost) for e in prefix), "settled without answer or doubt"
            if entry.state is State.SENT:
                lost = fold([*prefix, Lost(reason="the process died")], number)
                assert lost.state is State.IN_DOUBT
                assert next_phase(lost, told.driver.book) is not None
            if entry.state in {State.ADMITTED, State.ANSWERED, State.UNDOING, State.IN_DOUBT}:
                assert next_phase(entry, told.driver.book) is not None
            else:
                assert next_phase(entry, told.driver.book) is None


@pytest.mark.parametrize(("method", "target", "body"), CALLS[:-1])
@pytest.mark.parametrize("trouble", Trouble)
def test_an_undo_that_died_anywhere_ends_as_one_that_did_not(
    method: str, target: str, body: object, trouble: Trouble
) -> None:
    told = Told()
    driver = told.driver
    first = driver.shop.contents()
    entry = driver.call(method, target, body)
    assert entry is not None
    after = driver.undo(entry, trouble)
    assert driver.steps_are_unique()
    if after.state is State.UNDOING:
        children = [e for e in driver.entries() if e.call.is_undo]
        assert children[-1].state is State.IN_DOUBT
        return
    assert after.state is State.UNDONE, after.reason
    assert driver.shop.contents() == first


def test_a_second_run_after_a_crash_makes_nothing_twice() -> None:
    driver = Told().driver
    entry = driver.call("DELETE", "/notes/n1", None)
    assert entry is not None
    driver.undo(entry, Trouble.CRASH_ANSWERED)
    writes = driver.shop.writes
    assert driver.plan(driver.load(entry.id)) == "already"
    assert driver.shop.writes == writes
    assert sum(isinstance(e, UndoStarted) for e in driver.events[entry.id]) == 1

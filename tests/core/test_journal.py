"""The table of states: what may follow what, and nothing else."""

import itertools

import pytest

from goex_proxy.core import event as events
from goex_proxy.core.event import Event
from goex_proxy.core.journal import TRANSITIONS, JournalError, State, advance, draw

TYPES = [
    t
    for t in vars(events).values()
    if isinstance(t, type) and issubclass(t, Event) and t is not Event
]
NEVER_HAPPENED = {State.REFUSED, State.ABANDONED}


def blank(kind: type[Event]) -> Event:
    return object.__new__(kind)


@pytest.mark.parametrize("state", [None, *State])
def test_what_the_table_does_not_name_is_refused(state: State | None) -> None:
    for kind in TYPES:
        if kind in TRANSITIONS[state]:
            assert advance(state, blank(kind)) is TRANSITIONS[state][kind]
        else:
            with pytest.raises(JournalError, match=kind.__name__):
                advance(state, blank(kind))


def reachable(start: State | None) -> set[State]:
    found: set[State] = set()
    open_: list[State | None] = [start]
    while open_:
        fresh = set(TRANSITIONS[open_.pop()].values()) - found
        found |= fresh
        open_ += fresh
    return found


def test_every_state_has_a_row_and_is_reached() -> None:
    assert set(TRANSITIONS) == {None, *State}
    assert reachable(None) == set(State)
    assert set(TYPES) == set(itertools.chain(*TRANSITIONS.values()))


def test_what_was_sent_never_becomes_what_never_happened() -> None:
    assert not reachable(State.SENT) & NEVER_HAPPENED
    assert not reachable(State.IN_DOUBT) & (NEVER_HAPPENED | {State.HELD, State.ADMITTED})


def test_every_state_can_come_to_rest() -> None:
    ends = {state for state in State if not TRANSITIONS[state]}
    assert ends == {State.REFUSED, State.ABANDONED, State.KEPT}
    assert all(state in ends or reachable(state) & (ends | {State.FAILED}) for state in State)


def test_people_see_the_states_of_the_contract() -> None:
    contract = "held refused abandoned pending applied partial failed in_doubt undoing undone compensated conflict stuck expired kept"
    assert {state.public for state in State} == set(contract.split())
    assert State.APPLIED.settled
    assert not State.SENT.settled


def test_the_diagram_has_a_line_for_each_transition() -> None:
    lines = draw().splitlines()
    assert lines[0] == "stateDiagram-v2"
    assert len(lines) == 1 + sum(len(row) for row in TRANSITIONS.values())
    assert "    [*] --> new: Opened" in lines

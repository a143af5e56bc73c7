"""States as people see them, and which of them wait for a person."""

import pytest

from goex_proxy.core.journal import TRANSITIONS
from goex_proxy.core.state import State

UNDER_WAY = {State.NEW, State.ADMITTED, State.SENT, State.ANSWERED}


@pytest.mark.parametrize("state", State)
def test_what_is_under_way_is_pending_and_all_else_has_its_own_name(state: State) -> None:
    assert state.public == ("pending" if state in UNDER_WAY else state.value)


def test_an_undo_that_is_under_way_is_neither_pending_nor_settled() -> None:
    assert State.UNDOING.public == "undoing"
    assert not State.UNDOING.settled


@pytest.mark.parametrize("state", State)
def test_a_state_that_ends_is_settled(state: State) -> None:
    if not TRANSITIONS[state]:
        assert state.settled

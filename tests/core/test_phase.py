"""What happens next to an entry is a question of its state alone."""

import pytest

from goex_proxy.core.admission import Arrival, arrive
from goex_proxy.core.command import Dial, Lock
from goex_proxy.core.event import Sent
from goex_proxy.core.phase import next_phase
from goex_proxy.core.state import State
from goex_proxy.core.value import changed
from tests.core.story import Story
from tests.core.world import a_book, a_call, a_request, a_service, admitted, an_operation

BOOK = a_book(a_service(an_operation("notes/update", "PATCH /notes/{id}")))
CALL = a_call(a_request("PATCH", json={"title": "new"}))
RUNS = {
    State.ADMITTED: "prepare",
    State.ANSWERED: "settle",
    State.IN_DOUBT: "probe",
    State.UNDOING: "undo_step",
}


@pytest.mark.parametrize("state", State)
def test_each_state_has_its_phase_or_waits_for_somebody(state: State) -> None:
    phase = next_phase(changed(admitted(CALL, BOOK), state=state), BOOK)
    assert (phase.__name__ if phase is not None else None) == RUNS.get(state)  # type: ignore[attr-defined]
    if phase is not None:
        phase.close()


@pytest.mark.parametrize("state", State)
def test_what_has_a_phase_is_not_at_rest_unless_it_is_in_doubt(state: State) -> None:
    if state in RUNS and state is not State.IN_DOUBT:
        assert not state.settled


@pytest.mark.parametrize("known", [None, arrive(CALL, BOOK)])
def test_what_was_found_at_arrival_changes_nothing_of_what_is_recorded(
    known: Arrival | None,
) -> None:
    phase = next_phase(admitted(CALL, BOOK), BOOK, known)
    assert phase is not None
    event = Story(phase).asks(Lock(keys=())).asks(Dial()).event
    assert isinstance(event, Sent)
    assert event.decision.rule == "posture:balanced"

"""The story of an undo: checked, sent step by step, read back; whatever happens in between."""

from dataclasses import replace

import pytest

from goex_proxy.core.call import Initiator
from goex_proxy.core.command import Child, FetchFailed, Rest, Spawn
from goex_proxy.core.event import (
    Abandoned,
    Answered,
    Compensated,
    Conflicted,
    Difference,
    Event,
    Failed,
    Held,
    Kept,
    Lost,
    Refused,
    Stuck,
    UndoAbandoned,
    Undone,
    UndoStarted,
)
from goex_proxy.core.exchange import Response
from goex_proxy.core.operation import Fidelity
from goex_proxy.core.undoing import undo_step
from tests.core.story import Story
from tests.core.undo_world import (
    BOOK,
    DID,
    NEW,
    OLD,
    OTHER,
    READ,
    SAID_NO,
    SENT,
    a_child,
    a_spawn,
    applied,
    story,
    undoing,
)
from tests.core.world import (
    GONE,
    a_book,
    a_decision,
    an_answer,
    an_image,
    then,
)


def test_a_change_that_stands_is_taken_back() -> None:
    story(undoing(), None).asks(READ, told=an_answer(NEW)).returns(a_spawn())


def test_a_persons_edit_of_another_field_does_not_stop_it() -> None:
    now = {**NEW, "text": "theirs"}
    story(undoing(), None).asks(READ, told=an_answer(now)).returns(a_spawn())


def test_what_is_as_it_was_needs_no_undo() -> None:
    story(undoing(), None).asks(READ, told=an_answer(OLD)).appends(
        Undone(already=True, residue=("mail",))
    )


def test_what_somebody_else_has_changed_is_a_conflict_and_nothing_is_sent() -> None:
    theirs = Difference(use="", field="title", why="was changed by somebody else since")
    story(undoing(), None).asks(READ, told=an_answer(OTHER)).appends(
        Conflicted(
            differences=(theirs,),
            now=(replace(an_image(OTHER), tags={"content-type": "application/json"}),),
        )
    )


def test_what_is_gone_is_a_conflict() -> None:
    told = story(undoing(), None).asks(READ, told=GONE)
    assert isinstance(told.event, Conflicted)


def test_force_goes_over_a_conflict() -> None:
    entry = then(applied(), UndoStarted(by="ann", run="u1", force=True))
    story(entry, None).asks(READ, told=an_answer(OTHER)).returns(a_spawn())


def test_an_agents_undo_is_the_agents() -> None:
    entry = then(applied(), UndoStarted(by="agent:bot", run="u1"))
    told = story(entry, None).asks(READ, told=an_answer(NEW)).result
    assert isinstance(told, Spawn)
    assert told.call.initiator is Initiator.AGENT


def test_what_cannot_be_read_beforehand_is_not_undone() -> None:
    story(undoing(), None).asks_and_fails(READ, FetchFailed("reset")).appends(
        UndoAbandoned(reason="it was not checked: GET /notes/1: reset")
    )


def test_the_outcome_is_read_back() -> None:
    story(undoing(), a_child(*DID)).asks(READ, told=an_answer(OLD)).appends(
        Undone(residue=("mail",))
    )


def test_a_compensating_undo_is_not_called_undone() -> None:
    story(undoing(fidelity=Fidelity.COMPENSATING), a_child(*DID)).asks(
        READ, told=an_answer(OLD)
    ).appends(Compensated(residue=("mail",)))


def test_what_reads_otherwise_afterwards_is_stuck() -> None:
    missing = Difference(use="", field="title", why="is not as it was before")
    reason = "it was sent, and what it should restore reads otherwise"
    story(undoing(), a_child(*DID)).asks(READ, told=an_answer(OTHER)).appends(
        Stuck(reason=reason, differences=(missing,))
    )


def test_what_cannot_be_read_back_is_stuck() -> None:
    told = story(undoing(), a_child(*DID)).asks_and_fails(READ, FetchFailed("reset"))
    told.appends(Stuck(reason="it was sent, and could not be read back: GET /notes/1: reset"))


def test_a_trace_that_the_call_left_beside_is_said() -> None:
    before, after = {**OLD, "by": None}, {**NEW, "by": "bot"}
    entry = undoing(before=(an_image(before),), after=(an_image(after),))
    story(entry, a_child(*DID)).asks(READ, told=an_answer({**after, "title": "old"})).appends(
        Undone(residue=("mail", "by reads as the call left it"))
    )


@pytest.mark.parametrize(
    ("events", "why"),
    [
        ((Held(decision=a_decision()),), "e2 waits for approval"),
        ((SENT,), "e2 is under way"),
        ((SENT, Lost(reason="reset")), "e2 is in doubt"),
        ((SENT, Answered(response=an_answer())), "e2 is under way"),
        ((), "e2 is under way"),
    ],
)
def test_a_step_that_has_not_ended_is_waited_for_before_anything_is_said(
    events: tuple[Event, ...], why: str
) -> None:
    Story(undo_step(undoing(), BOOK)).asks(Child(run="u1", step=0), told=a_child(*events)).returns(
        Rest(why=why)
    )


@pytest.mark.parametrize(
    ("event", "refused"),
    [(Refused(decision=a_decision(reason="no")), True), (Abandoned(reason="no"), False)],
)
def test_a_step_that_did_not_go_out_ends_the_undo(event: Event, refused: bool) -> None:
    story(undoing(), a_child(event)).asks(READ, told=an_answer(NEW)).appends(
        UndoAbandoned(reason="no", refused=refused)
    )


def test_a_step_that_was_dropped_because_somebody_was_quicker_is_a_conflict() -> None:
    child = a_child(Abandoned(reason="it waited, and meanwhile title was changed"))
    told = story(undoing(), child).asks(READ, told=an_answer(OTHER))
    assert isinstance(told.event, Conflicted)


def test_a_step_that_the_service_refuses_is_stuck() -> None:
    story(undoing(), a_child(*SAID_NO)).asks(READ, told=an_answer(NEW)).appends(
        Stuck(reason="e2: the service answered 422")
    )


def test_a_step_that_is_known_never_to_have_arrived_leaves_the_call_as_it_was() -> None:
    never = (SENT, Lost(reason="the gateway stopped"), Failed(reason="everything is as it was"))
    story(undoing(), a_child(*never)).asks(READ, told=an_answer(NEW)).appends(
        UndoAbandoned(reason="everything is as it was")
    )


@pytest.mark.parametrize("status", [409, 412])
def test_a_step_whose_precondition_failed_is_a_conflict(status: int) -> None:
    child = a_child(SENT, Answered(response=Response(status=status)), Failed(reason="no"))
    told = story(undoing(), child).asks(READ, told=an_answer(NEW))
    assert isinstance(told.event, Conflicted)


def test_a_step_that_was_refused_because_it_is_done_is_done() -> None:
    story(undoing(), a_child(*SAID_NO)).asks(READ, told=an_answer(OLD)).appends(
        Undone(already=True, residue=("mail",))
    )


def test_a_refused_step_and_somebodys_edit_is_a_conflict() -> None:
    told = story(undoing(), a_child(*SAID_NO)).asks(READ, told=an_answer(OTHER))
    assert isinstance(told.event, Conflicted)


def test_without_an_inverse_nothing_is_sent() -> None:
    Story(undo_step(undoing(inverse=None), BOOK)).appends(
        UndoAbandoned(reason="there is no inverse to send")
    )


def test_a_rule_of_its_day_that_cannot_be_read_ends_it() -> None:
    book = replace(BOOK, recall=a_book().recall)
    told = Story(undo_step(undoing(), book)).asks(Child(run="u1", step=0))
    told.appends(UndoAbandoned(reason="its rule cannot be read: nobody knows 'notes/update'"))


def test_once_something_went_out_an_unreadable_rule_does_not_say_that_nothing_did() -> None:
    book = replace(BOOK, recall=a_book().recall)
    told = Story(undo_step(undoing(), book)).asks(Child(run="u1", step=0), told=a_child(*DID))
    assert isinstance(told.event, Stuck)


def test_a_step_that_a_person_kept_or_that_expired_did_go_out() -> None:
    story(undoing(), a_child(*DID, Kept())).asks(READ, told=an_answer(OLD)).appends(
        Undone(residue=("mail",))
    )


def test_after_a_stuck_run_a_run_that_sends_nothing_is_stuck_still() -> None:
    entry = then(undoing(), Stuck(reason="half done"), UndoStarted(by="ann", run="u1"))
    story(entry, a_child(Refused(decision=a_decision(reason="no")))).asks(
        READ, told=an_answer(NEW)
    ).appends(Stuck(reason="no"))

"""An entry is the fold of its events: what each of them says, and nothing else."""

from dataclasses import fields

import pytest

from goex_proxy.core import event as events
from goex_proxy.core.decision import Effect
from goex_proxy.core.entry import Entry, apply, differences_in_words, fold
from goex_proxy.core.event import (
    Abandoned,
    Accepted,
    Admitted,
    Aliased,
    Answered,
    Applied,
    Approved,
    Compensated,
    Conflicted,
    Delivered,
    Difference,
    Doubted,
    Event,
    Expired,
    Failed,
    Held,
    Kept,
    Lost,
    Opened,
    Partial,
    Probed,
    Redone,
    Refused,
    Rejected,
    Sent,
    Stuck,
    UndoAbandoned,
    Undone,
    UndoStarted,
)
from goex_proxy.core.inverse import Inverse
from goex_proxy.core.journal import JournalError
from goex_proxy.core.operation import Fidelity, Kind
from goex_proxy.core.state import State
from tests.core.world import a_call, a_decision, a_request, a_rule_text, an_answer, an_image
from tests.core.world import an_operation as made

OPENED = Opened(
    call=a_call(a_request("PATCH")),
    service="example",
    operation="example.notes/update",
    kind=Kind.WRITE,
    fidelity=Fidelity.EXACT,
)
ALLOW, HOLD, DENY = (a_decision(effect, f"team/{effect}", f"r {effect}") for effect in Effect)
IMAGE, LEFT = an_image({"title": "old"}), an_image({"title": "new"})
RULE = a_rule_text(made("notes/update", "PATCH /notes/{id}"))
ANSWER = an_answer({"ok": True})
INVERSE = Inverse(steps=(), touches=())
DIFFERENCE = Difference(use="", field="title", why="is another's")
ALIAS = Aliased(resource="note", old={"id": "1"}, new={"id": "9"})

NEW = (OPENED,)
HELD = (*NEW, Held(decision=HOLD, images=(IMAGE,)))
SENT = (*NEW, Admitted(decision=ALLOW), Sent(decision=ALLOW, rule=RULE, images=(IMAGE,)))
ANSWERED = (*SENT, Answered(response=ANSWER))
DOUBT = (*SENT, Lost(reason="reset"))
APPLIED = (
    *ANSWERED,
    Applied(after=(LEFT,), inverse=INVERSE, fidelity=Fidelity.EXACT, residue=("mail",), why="w"),
)
UNDOING = (*APPLIED, UndoStarted(by="ann", run="u1", force=True))
STUCK = (*UNDOING, Stuck(reason="half of it"))

type Said = dict[str, object]

STORIES: list[tuple[tuple[Event, ...], State, Said]] = [
    (NEW, State.NEW, {"decision": None, "reason": "", "fidelity": None, "before": ()}),
    ((*NEW, Refused(decision=DENY)), State.REFUSED, {"decision": DENY, "reason": "r deny"}),
    ((*NEW, Admitted(decision=ALLOW)), State.ADMITTED, {"decision": ALLOW, "reason": "r allow"}),
    (
        HELD,
        State.HELD,
        {"decision": HOLD, "held_images": (IMAGE,), "before": (), "reason": "r hold"},
    ),
    (
        (*HELD, Approved(by="ann")),
        State.ADMITTED,
        {"approved_by": "ann", "decision": HOLD, "held_images": (IMAGE,)},
    ),
    (
        (*HELD, Approved(by="ann"), Held(decision=HOLD, again="it has changed")),
        State.HELD,
        {"approved_by": "", "held_images": (), "reason": "it has changed"},
    ),
    ((*HELD, Rejected(by="ann")), State.REFUSED, {"reason": "rejected by ann"}),
    ((*HELD, Rejected(by="ann", reason="no")), State.REFUSED, {"reason": "no"}),
    ((*HELD, Refused(decision=DENY)), State.REFUSED, {"decision": DENY, "reason": "r deny"}),
    (
        (*NEW, Admitted(decision=ALLOW), Abandoned(reason="no dial")),
        State.ABANDONED,
        {"reason": "no dial", "before": (), "rule": None},
    ),
    (SENT, State.SENT, {"rule": RULE, "before": (IMAGE,), "decision": ALLOW, "reason": ""}),
    (ANSWERED, State.ANSWERED, {"response": ANSWER, "fidelity": None}),
    (DOUBT, State.IN_DOUBT, {"reason": "reset", "response": None}),
    ((*DOUBT, Probed(evidence="neither")), State.IN_DOUBT, {"reason": "neither"}),
    (
        (*DOUBT, Failed(reason="as it was", evidence="seen")),
        State.FAILED,
        {"reason": "as it was", "inverse": None},
    ),
    ((*ANSWERED, Doubted(reason="a 502")), State.IN_DOUBT, {"reason": "a 502", "response": ANSWER}),
    ((*ANSWERED, Accepted(poll="/jobs/1")), State.PENDING, {"response": ANSWER}),
    ((*ANSWERED, Failed(reason="it said no")), State.FAILED, {"reason": "it said no"}),
    (
        APPLIED,
        State.APPLIED,
        {
            "after": (LEFT,),
            "before": (IMAGE,),
            "inverse": INVERSE,
            "fidelity": Fidelity.EXACT,
            "residue": ("mail",),
            "reason": "w",
            "undo": None,
        },
    ),
    (
        (*ANSWERED, Partial(after=(LEFT,), fidelity=Fidelity.NONE, why="half")),
        State.PARTIAL,
        {"after": (LEFT,), "inverse": None, "fidelity": Fidelity.NONE, "reason": "half"},
    ),
    ((*APPLIED, Delivered()), State.APPLIED, {"delivered": True, "reason": "w"}),
    ((*DOUBT, Delivered()), State.IN_DOUBT, {"delivered": True, "reason": "reset"}),
    ((*APPLIED, Kept(by="ann")), State.KEPT, {"reason": "w", "inverse": INVERSE}),
    ((*APPLIED, Expired()), State.EXPIRED, {"reason": "w"}),
    ((*UNDOING, ALIAS), State.UNDOING, {"aliases": (ALIAS,)}),
    ((*UNDOING, Undone(), Redone(entry=9), Redone(entry=11)), State.UNDONE, {"redone": (9, 11)}),
]


@pytest.mark.parametrize(("story", "state", "said"), STORIES)
def test_each_event_says_its_part(story: tuple[Event, ...], state: State, said: Said) -> None:
    entry = fold(story, 7)
    assert entry.state is state
    assert {name: getattr(entry, name) for name in said} == said
    assert (entry.id, entry.name, entry.events) == (7, "e7", len(story))
    assert entry.opened is OPENED
    assert entry.call is OPENED.call


UNDOS: list[tuple[tuple[Event, ...], State, str, Said]] = [
    ((Undone(residue=("mail",)),), State.UNDONE, "undone", {"residue": ("mail",), "reason": ""}),
    ((Undone(already=True),), State.UNDONE, "already", {}),
    ((Compensated(residue=("x",)),), State.COMPENSATED, "compensated", {"residue": ("x",)}),
    ((Compensated(already=True),), State.COMPENSATED, "already", {}),
    (
        (Conflicted(differences=(DIFFERENCE,)),),
        State.CONFLICT,
        "conflict",
        {"differences": (DIFFERENCE,)},
    ),
    ((Stuck(reason="half"),), State.STUCK, "failed", {"reason": "half"}),
    ((UndoAbandoned(reason="no", refused=True),), State.APPLIED, "refused", {"reason": "no"}),
    ((UndoAbandoned(reason="off"),), State.APPLIED, "failed", {"reason": "off"}),
    ((), State.UNDOING, "", {"force": True}),
]


@pytest.mark.parametrize(("last", "state", "outcome", "said"), UNDOS)
def test_each_end_of_an_undo_says_how_it_stands(
    last: tuple[Event, ...], state: State, outcome: str, said: Said
) -> None:
    entry = fold((*UNDOING, *last))
    assert entry.state is state
    assert entry.undo is not None
    assert (entry.undo.run, entry.undo.by, entry.undo.outcome) == ("u1", "ann", outcome)
    assert {name: getattr(entry.undo, name) for name in said} == said
    assert (entry.inverse, entry.residue) == (INVERSE, ("mail",))


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        (Undone(), ""),
        (Compensated(), ""),
        (Conflicted(differences=(DIFFERENCE,)), "title is another's"),
        (Stuck(reason="half"), "half"),
        (UndoAbandoned(reason="off"), "off"),
    ],
)
def test_the_latest_in_words_is_of_the_undo(last: Event, reason: str) -> None:
    assert fold((*UNDOING, last)).reason == reason


def test_another_run_begins_anew_and_remembers_that_one_was_stuck() -> None:
    again = fold((*STUCK, UndoStarted(by="bob", run="u2")))
    assert again.undo is not None
    assert (again.undo.run, again.undo.by, again.undo.force) == ("u2", "bob", False)
    assert (again.undo.stuck, again.undo.outcome, again.undo.reason) == (True, "", "")
    third = fold(
        (*STUCK, UndoStarted(run="u2"), UndoAbandoned(reason="off"), UndoStarted(run="u3"))
    )
    assert third.undo is not None
    assert third.undo.stuck
    fresh = fold((*UNDOING, UndoAbandoned(reason="off"), UndoStarted(run="u2")))
    assert fresh.undo is not None
    assert not fresh.undo.stuck


def test_every_kind_of_event_is_in_these_stories() -> None:
    told = {type(event) for story, _, _ in STORIES for event in story}
    told |= {type(event) for last, *_ in UNDOS for event in last} | {UndoStarted}
    kinds = {k for k in vars(events).values() if isinstance(k, type) and issubclass(k, Event)}
    assert kinds - told == {Event}


def test_folding_is_applying_one_by_one_and_alters_nothing() -> None:
    entry = fold(NEW)
    for event in STUCK[1:]:
        known = {field.name: getattr(entry, field.name) for field in fields(Entry)}
        after = apply(entry, event)
        assert known == {field.name: getattr(entry, field.name) for field in fields(Entry)}
        entry = after
    assert entry == fold(STUCK)


def test_an_impossible_story_is_refused() -> None:
    with pytest.raises(ValueError, match="without events"):
        fold(())
    with pytest.raises(JournalError, match="Sent is not possible after nothing"):
        fold(SENT[2:])
    with pytest.raises(JournalError, match="Undone is not possible after applied"):
        fold((*APPLIED, Undone()))


def test_differences_in_words_name_the_field_or_the_thing() -> None:
    told = (DIFFERENCE, Difference(use="note", field="", why="is gone"))
    assert differences_in_words(told) == "title is another's; note is gone"
    assert differences_in_words([Difference(use="", field="", why="is gone")]) == "it is gone"

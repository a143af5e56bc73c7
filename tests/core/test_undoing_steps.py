"""Undos of sets, of several steps, on conditions; and plans."""

from dataclasses import replace
from typing import Any

import pytest

from goex_proxy.core.book import Book
from goex_proxy.core.call import Link
from goex_proxy.core.command import Append, Child, Fetch, Lock, Renames, Spawn
from goex_proxy.core.entry import Entry
from goex_proxy.core.event import (
    Abandoned,
    Aliased,
    Answered,
    Applied,
    Conflicted,
    Event,
    Refused,
    Stuck,
    UndoAbandoned,
    Undone,
)
from goex_proxy.core.exchange import Headers
from goex_proxy.core.footprint import Standing
from goex_proxy.core.image import Goal, Touch
from goex_proxy.core.inverse import Inverse, InverseStep
from goex_proxy.core.operation import Fidelity, Undo
from goex_proxy.core.resource import Form
from goex_proxy.core.undoing import standing, undo_step
from tests.core.story import Story
from tests.core.undo_world import (
    BACK,
    BOOK,
    DID,
    DROP,
    INVERSE,
    NEW,
    OLD,
    OTHER,
    READ,
    READ_TAGS,
    SAID_NO,
    SENT,
    TAG,
    a_child,
    applied,
    story,
    undoing,
)
from tests.core.world import (
    GONE,
    Py,
    a_book,
    a_decision,
    a_request,
    a_resource,
    a_service,
    a_use,
    an_answer,
    an_image,
    an_operation,
)

# Sets: their undo is the difference, member by member.

OUT_A, OUT_B = (
    InverseStep(request=a_request("DELETE", f"/notes/1/tags/{m}"), template=0, member=("", m))
    for m in "ab"
)
TAGGED: dict[str, Any] = {
    "operation": TAG,
    "request": a_request("POST", "/notes/1/tags", json={"tags": ["a", "b"]}),
    "inverse": Inverse(
        steps=(OUT_A, OUT_B), touches=(Touch(use="", form=Form.SET, added=("a", "b")),)
    ),
    "before": (an_image(["x"], resource="tags"),),
    "after": (an_image(["x", "a", "b"], resource="tags"),),
}
SET_KEY = "example:tags:id=1"


def test_a_member_that_somebody_removed_already_is_passed_over() -> None:
    told = (
        story(undoing(**TAGGED), None, None, key=SET_KEY)
        .asks(READ_TAGS, told=an_answer(["x", "b"]))
        .result
    )
    assert isinstance(told, Spawn)
    assert told.call.request == OUT_B.request


def test_a_member_that_somebody_removed_in_between_does_not_stop_the_others() -> None:
    child = a_child(*SAID_NO, request=OUT_A.request)
    told = (
        story(undoing(**TAGGED), child, None, key=SET_KEY)
        .asks(READ_TAGS, told=an_answer(["x", "b"]))
        .result
    )
    assert isinstance(told, Spawn)
    assert told.call.request == OUT_B.request


def test_members_of_others_stay() -> None:
    children = (a_child(*DID), a_child(*DID, step=1))
    told = story(undoing(**TAGGED), *children, key=SET_KEY).asks(
        READ_TAGS, told=an_answer(["x", "theirs"])
    )
    told.appends(Undone())


def test_a_set_whose_owner_is_gone_is_no_undone_set() -> None:
    told = story(undoing(**TAGGED), None, None, key=SET_KEY).asks(READ_TAGS, told=GONE)
    assert isinstance(told.event, Conflicted)


# Several steps, and what they make anew.

ANEW = InverseStep(request=a_request("POST", "/notes", json={"title": "old"}), template=0)
PIN = InverseStep(request=a_request("PUT", "/pins"), template=1)
DROPPED: dict[str, Any] = {
    "operation": DROP,
    "request": a_request("DELETE"),
    "inverse": Inverse(steps=(ANEW, PIN), touches=(Touch(use=""),)),
    "after": (an_image(None),),
    "fidelity": Fidelity.EQUIVALENT,
}
MADE = (
    SENT,
    Answered(response=an_answer({"id": 9}, status=201)),
    Applied(fidelity=Fidelity.EQUIVALENT),
)
ALIAS = Aliased(
    resource="note", old={"id": "1"}, new={"id": "9"}, old_path="/notes/1", new_path="/notes/9"
)
READ_NEW = Fetch(request=a_request(target="/notes/9"), credential="c1")


def test_the_first_of_several_steps() -> None:
    told = story(undoing(**DROPPED), None, None).asks(READ, told=GONE).result
    assert isinstance(told, Spawn)
    assert told.call.link == Link(undo_of=1, run="u1", step=0, template=0)


def test_after_a_crash_it_goes_on_with_the_next_step_and_makes_nothing_twice() -> None:
    told = story(undoing(**DROPPED), a_child(*MADE, template=0), None).asks(
        READ_NEW, told=an_answer({**OLD, "id": 9})
    )
    assert isinstance(told.result, Spawn)
    assert told.result.call.link.step == 1


def test_what_was_made_anew_is_read_back_under_its_new_id() -> None:
    children = (a_child(*MADE, template=0), a_child(*DID, step=1, template=1))
    story(undoing(**DROPPED), *children).asks(READ_NEW, told=an_answer({**OLD, "id": 9})).appends(
        ALIAS, Undone()
    )


@pytest.mark.parametrize(
    "events", [SAID_NO, (Refused(decision=a_decision()),), (Abandoned(reason="no"),)]
)
def test_a_later_step_that_fails_leaves_it_stuck_never_as_if_nothing_was_sent(
    events: tuple[Event, ...],
) -> None:
    children = (a_child(*MADE, template=0), a_child(*events, step=1, template=1))
    told = story(undoing(**DROPPED), *children).asks(
        READ_NEW, told=an_answer({**OLD, "id": 9, "text": "?"})
    )
    assert told.events[0] == ALIAS
    assert isinstance(told.events[1], Stuck)


def test_an_answer_that_hides_the_new_id_leaves_it_stuck() -> None:
    nameless = (SENT, Answered(response=an_answer({})), Applied(fidelity=Fidelity.EQUIVALENT))
    told = story(undoing(**DROPPED), a_child(*nameless, template=0), None)
    assert isinstance(told.event, Stuck)


# The plan: the same check, and nothing is written.


def plan(entry: Entry, book: Book = BOOK) -> Story[Any]:
    return Story(standing(entry, book))


def test_a_plan_says_how_it_stands() -> None:
    told = (
        plan(applied())
        .asks(Renames(service="example"), told=())
        .asks(READ, told=an_answer(NEW))
        .result
    )
    assert told[0] is Standing.TODO
    told = (
        plan(applied())
        .asks(Renames(service="example"), told=())
        .asks(READ, told=an_answer(OTHER))
        .result
    )
    assert told[0] is Standing.CONFLICT
    assert plan(applied(inverse=None)).result == (Standing.CONFLICT, ())


def test_a_plan_reads_what_was_made_anew_under_its_new_id() -> None:
    told = plan(applied(**DROPPED)).asks(Renames(service="example"), told=(ALIAS,))
    assert told.asks(READ_NEW, told=an_answer({**OLD, "id": 9})).result[0] is Standing.ALREADY


# Guards.

GUARDED = a_resource(guard=(("header", "If-Match", Py("etag")),))
GUARDED_PATCH = an_operation(
    "notes/update", "PATCH /notes/{id}", images=(a_use(GUARDED),), undo=Undo.RESTORE
)


@pytest.mark.parametrize(("tag", "sent"), [('"7"', '"7"'), ('W/"7"', ""), (None, "")])
def test_a_write_goes_out_on_condition_of_what_was_read(tag: str | None, sent: str) -> None:
    book = a_book(a_service(GUARDED_PATCH))
    entry = undoing(inverse=replace(INVERSE, steps=(replace(BACK, guard=""),)))
    fields = Headers((("Content-Type", "application/json"), *([("ETag", tag)] if tag else [])))
    told = (
        Story(undo_step(entry, book))
        .asks(Child(run="u1", step=0))
        .asks(Renames(service="example"), told=())
    )
    told.asks(Lock(keys=("example:note:id=1",))).asks(
        READ, told=replace(an_answer(NEW), headers=fields)
    )
    assert isinstance(told.result, Spawn)
    assert told.result.call.request.headers.get("if-match") == sent


def test_a_guard_that_cannot_be_set_ends_it() -> None:
    broken = a_resource(guard=(("header", "If-Match", Py("it['nothing']")),))
    operation = replace(GUARDED_PATCH, images=(a_use(broken),))
    entry = undoing(inverse=replace(INVERSE, steps=(replace(BACK, guard=""),)))
    told = Story(undo_step(entry, a_book(a_service(operation)))).asks(Child(run="u1", step=0))
    told.asks(Renames(service="example"), told=()).asks(Lock(keys=("example:note:id=1",)))
    assert isinstance(told.asks(READ, told=an_answer(NEW)).event, UndoAbandoned)


def test_what_was_created_is_deleted_only_if_nobody_has_changed_it() -> None:
    create = an_operation("notes/update", "POST /notes", creates=a_use(), undo=Undo.DELETE)
    book = a_book(a_service(create))
    gone = InverseStep(request=a_request("DELETE"))
    entry = undoing(
        operation=create,
        request=a_request("POST", "/notes", json={"title": "new"}),
        inverse=Inverse(steps=(gone,), touches=(Touch(use="", goal=Goal.GONE),)),
        before=(),
    )
    for now, expected in ((NEW, Spawn), ({**NEW, "text": "theirs"}, Append)):
        told = (
            Story(undo_step(entry, book))
            .asks(Child(run="u1", step=0))
            .asks(Renames(service="example"), told=())
        )
        told.asks(Lock(keys=("example:note:id=1",))).asks(READ, told=an_answer(now))
        assert isinstance(told.result, expected)

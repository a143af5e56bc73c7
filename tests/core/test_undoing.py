# ruff: noqa: ANN401 - what a factory is given goes to the type that it makes
"""The story of an undo: checked, sent step by step, read back; whatever happens in between."""

from dataclasses import replace
from typing import Any

import pytest

from goex_proxy.core.book import Book
from goex_proxy.core.call import Initiator, Link
from goex_proxy.core.command import Append, Child, Fetch, FetchFailed, Lock, Renames, Rest, Spawn
from goex_proxy.core.entry import Entry
from goex_proxy.core.event import (
    Abandoned,
    Admitted,
    Aliased,
    Answered,
    Applied,
    Compensated,
    Conflicted,
    Difference,
    Event,
    Failed,
    Held,
    Kept,
    Lost,
    Refused,
    Sent,
    Stuck,
    UndoAbandoned,
    Undone,
    UndoStarted,
)
from goex_proxy.core.exchange import Headers, Request, Response
from goex_proxy.core.footprint import Standing
from goex_proxy.core.image import Goal, Image, Touch
from goex_proxy.core.inverse import Inverse, InverseStep
from goex_proxy.core.operation import Fidelity, Operation, Undo
from goex_proxy.core.resource import Form
from goex_proxy.core.undoing import standing, undo_step
from tests.core.story import Story
from tests.core.world import (
    GONE,
    Py,
    a_book,
    a_call,
    a_decision,
    a_request,
    a_resource,
    a_rule_text,
    a_service,
    a_step,
    a_use,
    an_answer,
    an_image,
    an_operation,
    fold_of,
    opened,
    text,
    then,
)

PATCH = an_operation(
    "notes/update", "PATCH /notes/{id}", images=(a_use(),), undo=Undo.RESTORE, residue=("mail",)
)
TAGS = a_resource("tags", "/notes/{id}/tags", form=Form.SET)
TAG = an_operation(
    "tags/add",
    "POST /notes/{id}/tags",
    images=(a_use(TAGS),),
    adds=Py("args['tags']"),
    undo=(a_step("DELETE", "/notes/{id}/tags/{it}", each=Py("added")),),
)
DROP = an_operation(
    "notes/delete",
    "DELETE /notes/{id}",
    images=(a_use(a_resource(volatile=frozenset({"id"}))),),
    fidelity=Fidelity.EQUIVALENT,
    undo=(
        a_step(
            "POST",
            "/notes",
            json={"title": text("before['title']")},
            remakes=("", {"id": Py("str(res['id'])")}),
        ),
        a_step("PUT", "/pins"),
    ),
)
BOOK = a_book(a_service(PATCH, TAG, DROP))
READ = Fetch(request=a_request(), credential="c1")
READ_TAGS = Fetch(request=a_request(target="/notes/1/tags"), credential="c1")
BACK = InverseStep(request=a_request("PATCH", json={"title": "old"}))
INVERSE = Inverse(steps=(BACK,), touches=(Touch(use="", fields=("title",)),))
OLD, NEW, OTHER = ({"id": 1, "title": t, "text": "x"} for t in ("old", "new", "theirs"))
STARTED = UndoStarted(by="ann", run="u1")


def applied(
    inverse: Inverse | None = INVERSE,
    operation: Operation = PATCH,
    request: Request | None = None,
    before: tuple[Image, ...] = (an_image(OLD),),
    after: tuple[Image, ...] = (an_image(NEW),),
    fidelity: Fidelity = Fidelity.EXACT,
) -> Entry:
    """e1, whose call took effect."""
    call = a_call(request or a_request("PATCH", json={"title": "new"}))
    return fold_of(
        opened(call, BOOK),
        Admitted(decision=a_decision()),
        Sent(decision=a_decision(), rule=a_rule_text(operation), images=before),
        Answered(response=an_answer()),
        Applied(after=after, inverse=inverse, fidelity=fidelity, residue=operation.residue),
    )


def undoing(*events: Event, **more: Any) -> Entry:
    return then(applied(**more), STARTED, *events)


def a_child(
    *events: Event, step: int = 0, template: int = -1, request: Request | None = None
) -> Entry:
    """The entry that a step has become: e2, e3, ..."""
    link = Link(undo_of=1, run="u1", step=step, template=template)
    call = a_call(request or BACK.request, initiator=Initiator.PERSON, link=link)
    entry = fold_of(
        opened(call, BOOK, rule=a_rule_text(PATCH)),
        Admitted(decision=a_decision()),
        number=step + 2,
    )
    return then(entry, *events)


SENT = Sent(decision=a_decision())
DID = (SENT, Answered(response=an_answer()), Applied(fidelity=Fidelity.EXACT))
SAID_NO = (SENT, Answered(response=Response(status=422)), Failed(reason="the service answered 422"))


def story(entry: Entry, *children: Entry | None, key: str = "example:note:id=1") -> Story[Any]:
    """As far as the lock; `children` are what the steps have become so far."""
    told = Story(undo_step(entry, BOOK))
    for number, child in enumerate(children):
        told.asks(Child(run="u1", step=number), told=child)
    return told.asks(Renames(service="example"), told=()).asks(Lock(keys=(key,)))


def a_spawn(
    step: InverseStep = BACK, number: int = 0, request: Request | None = None, **more: Any
) -> Spawn:
    link = Link(undo_of=1, run="u1", step=number, template=step.template)
    call = a_call(request or step.request, initiator=Initiator.PERSON, link=link, **more)
    return Spawn(call=replace(call, at=""), rule=a_rule_text(PATCH))


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

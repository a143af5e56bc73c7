# ruff: noqa: ANN401 - what a factory is given goes to the type that it makes
"""Everything on record before it goes; what a person approved goes only if it is still that."""

from dataclasses import replace
from typing import Any

import pytest

from goex_proxy.core.book import Book
from goex_proxy.core.call import Initiator, Link
from goex_proxy.core.command import Child, Dial, DialFailed, Fetch, FetchFailed, Load, Lock, Renames
from goex_proxy.core.decision import Effect
from goex_proxy.core.entry import Entry
from goex_proxy.core.event import (
    Abandoned,
    Admitted,
    Answered,
    Applied,
    Approved,
    Held,
    Refused,
    Sent,
    UndoStarted,
)
from goex_proxy.core.image import Image, Touch
from goex_proxy.core.inverse import Inverse, InverseStep
from goex_proxy.core.operation import Fidelity, Operation, Undo
from goex_proxy.core.preparation import prepare
from goex_proxy.core.resource import Form
from goex_proxy.core.service import Trust
from tests.core.story import Story
from tests.core.world import (
    Py,
    a_book,
    a_call,
    a_decision,
    a_request,
    a_resource,
    a_rule,
    a_rule_text,
    a_service,
    a_step,
    a_use,
    an_answer,
    an_image,
    an_operation,
    fold_of,
    opened,
    sent,
    then,
)

UPDATE = an_operation("notes/update", "PATCH /notes/{id}", images=(a_use(),), undo=Undo.RESTORE)
PATCH = a_request("PATCH", json={"title": "new"})
OLD = {"title": "old", "updated": 1}
READ = Fetch(request=a_request(), credential="c1")
IN = {"f": Py("before['note']['in']")}
KEYS = Lock(keys=("example:note:id=1",))
BOOK = a_book(a_service(UPDATE))
HOLDING = a_book(a_service(UPDATE), rules=(a_rule(Effect.HOLD),))


def entry_of(
    book: Book = BOOK,
    approved: bool = False,
    images: tuple[Image, ...] = (),
    rule: str = "team/hold",
) -> Entry:
    first = opened(a_call(PATCH), book)
    if not approved:
        return fold_of(first, Admitted(decision=a_decision()))
    return fold_of(
        first, Held(decision=a_decision(Effect.HOLD, rule), images=images), Approved(by="ann")
    )


def told(entry: Entry, book: Book = BOOK, value: object = OLD) -> Story[Any]:
    return Story(prepare(entry, book)).asks(KEYS).asks(READ, told=an_answer(value))


def test_images_and_rule_are_in_what_is_recorded_before_a_byte_leaves() -> None:
    event = told(entry_of()).asks(Dial()).event
    assert isinstance(event, Sent)
    assert event.rule == a_rule_text(UPDATE)
    assert [image.value for image in event.images] == [OLD]


def test_a_failed_dial_sent_nothing() -> None:
    told(entry_of()).asks_and_fails(Dial(), DialFailed("refused")).appends(
        Abandoned(reason="the upstream could not be reached: refused")
    )


def test_what_cannot_be_read_beforehand_is_not_sent() -> None:
    story = Story(prepare(entry_of(), BOOK)).asks(KEYS).asks_and_fails(READ, FetchFailed("reset"))
    assert isinstance(story.event, Abandoned)


@pytest.mark.parametrize(("effect", "event"), [(Effect.DENY, Refused), (Effect.HOLD, Held)])
def test_the_second_decision_may_only_tighten(effect: Effect, event: type) -> None:
    book = replace(BOOK, rules=a_book(rules=(a_rule(effect),)).rules)
    assert isinstance(told(entry_of(), book).event, event)


def test_what_would_be_held_and_was_too_large_to_keep_is_refused() -> None:
    whole = an_operation("notes/upload", "PUT /notes/{id}", fidelity=Fidelity.NONE)
    book = a_book(a_service(whole), rules=(a_rule(Effect.HOLD),))
    call = a_call(replace(a_request("PUT"), body=None))
    entry = fold_of(opened(call, book), Admitted(decision=a_decision()))
    event = Story(prepare(entry, book)).asks(Lock(keys=())).event
    assert isinstance(event, Refused)
    assert event.decision.effect is Effect.DENY
    assert "too large to be held" in event.decision.reason


def test_what_a_person_approved_goes() -> None:
    event = told(entry_of(HOLDING, True, (an_image(OLD),)), HOLDING).asks(Dial()).event
    assert isinstance(event, Sent)
    assert event.decision.reason == "approved by ann"


def test_a_volatile_field_that_changed_since_does_not_hold_it_again() -> None:
    entry = entry_of(HOLDING, True, (an_image(OLD),))
    assert isinstance(told(entry, HOLDING, {**OLD, "updated": 9}).asks(Dial()).event, Sent)


def test_what_changed_since_it_was_approved_is_held_again_and_unapproved() -> None:
    entry = entry_of(HOLDING, True, (an_image(OLD),))
    event = told(entry, HOLDING, {"title": "theirs"}).event
    assert isinstance(event, Held)
    assert then(entry, event).approved_by == ""


def test_another_rule_holds_it_again_and_a_deny_refuses() -> None:
    entry = entry_of(HOLDING, True, (an_image(OLD),), rule="team/other")
    assert isinstance(told(entry, HOLDING).event, Held)
    denying = a_book(a_service(UPDATE), rules=(a_rule(Effect.DENY),))
    assert isinstance(told(entry, denying).event, Refused)


def test_a_set_in_another_order_is_the_same_set() -> None:
    tags = a_resource("tags", "/notes/{id}/tags", form=Form.SET)
    add = an_operation(
        "tags/add",
        "POST /notes/{id}/tags",
        images=(a_use(tags),),
        adds=Py("args['t']"),
        undo=(a_step("POST", "/x"),),
    )
    book = a_book(a_service(add), rules=(a_rule(Effect.HOLD),))
    first = opened(a_call(a_request("POST", "/notes/1/tags", json={"t": ["c"]})), book)
    held = Held(
        decision=a_decision(Effect.HOLD, "team/hold"),
        images=(an_image(["a", "b"], resource="tags"),),
    )
    entry = fold_of(first, held, Approved(by="ann"))
    story = Story(prepare(entry, book)).asks(Lock(keys=("example:tags:id=1",)))
    read = Fetch(request=a_request(target="/notes/1/tags"), credential="c1")
    assert isinstance(story.asks(read, told=an_answer(["b", "a"])).asks(Dial()).event, Sent)


def test_rules_that_changed_while_it_waited_refuse_it() -> None:
    worse = replace(UPDATE, promise=Fidelity.NONE)
    renamed = replace(UPDATE, name="notes/edit")
    for operation in (worse, renamed):
        event = Story(prepare(entry_of(HOLDING, True), a_book(a_service(operation)))).event
        assert isinstance(event, Refused)
    assert isinstance(
        Story(
            prepare(entry_of(), a_book(a_service(replace(UPDATE, binds=(("x", Py("1/0")),)))))
        ).event,
        Refused,
    )


# Steps of an undo.

BACK = InverseStep(request=a_request("PATCH", json={"title": "old"}))


def a_step_entry(
    operation: Operation = UPDATE,
    approved: bool = False,
    book: Book = BOOK,
    template: int = -1,
    request: Any = None,
) -> Entry:
    link = Link(undo_of=1, run="u1", step=0, template=template)
    call = a_call(request or BACK.request, initiator=Initiator.PERSON, link=link)
    first = opened(call, book, rule=a_rule_text(operation))
    if approved:
        return fold_of(
            first,
            Admitted(decision=a_decision()),
            Held(decision=a_decision(Effect.HOLD)),
            Approved(by="ann"),
            number=2,
        )
    return fold_of(first, Admitted(decision=a_decision()), number=2)


def test_a_step_goes_by_the_rule_of_its_entrys_day() -> None:
    event = Story(prepare(a_step_entry(), BOOK)).asks(Dial()).event
    assert isinstance(event, Sent)
    assert event.rule == a_rule_text(UPDATE)


@pytest.mark.parametrize(("effect", "event"), [(Effect.DENY, Refused), (Effect.HOLD, Held)])
def test_only_rules_for_undo_bind_it(effect: Effect, event: type) -> None:
    book = a_book(a_service(UPDATE), rules=(a_rule(effect, undo=True),))
    assert isinstance(Story(prepare(a_step_entry(), book)).event, event)
    lax = a_book(a_service(UPDATE), rules=(a_rule(effect),))
    assert isinstance(Story(prepare(a_step_entry(), lax)).asks(Dial()).event, Sent)


def test_a_step_by_a_rule_that_nobody_had_reviewed_is_held() -> None:
    book = a_book(a_service(UPDATE), day=(a_service(UPDATE, trust=Trust.PROPOSED),))
    assert isinstance(Story(prepare(a_step_entry(), book)).event, Held)


@pytest.mark.parametrize(
    ("undo", "template", "request_"),
    [
        (Undo.RESTORE, -1, a_request("PATCH", "/users/1")),
        (Undo.RESTORE, -1, a_request("PUT")),
        (Undo.DELETE, -1, a_request("DELETE", "/notes/1")),
        ((a_step("PATCH", "/notes/{id}"),), 0, a_request("DELETE")),
        ((a_step("PATCH", "/notes/{id}"),), 3, a_request("PATCH")),
        (None, -1, a_request("PATCH")),
    ],
)
def test_a_request_that_the_rule_does_not_name_is_refused(
    undo: Any, template: int, request_: Any
) -> None:
    book = a_book(a_service(replace(UPDATE, undo=undo)))
    entry = a_step_entry(template=template, request=request_, book=book)
    assert isinstance(Story(prepare(entry, book)).event, Refused)


def test_a_step_without_its_rule_is_refused() -> None:
    entry = a_step_entry()
    assert isinstance(
        Story(prepare(replace(entry, opened=replace(entry.opened, rule=None)), BOOK)).event, Refused
    )
    unknown = a_book(a_service(UPDATE), day=())
    assert isinstance(Story(prepare(entry, unknown)).event, Refused)
    named = replace(UPDATE, undoes_with=("other",))
    assert isinstance(
        Story(prepare(entry, a_book(a_service(UPDATE), day=(a_service(named),)))).event, Refused
    )


def parent() -> Entry:
    inverse = Inverse(steps=(BACK,), touches=(Touch(use="", fields=("title",)),))
    entry = sent(a_call(PATCH), BOOK, UPDATE, an_image(OLD))
    did = Applied(after=(an_image({"title": "new"}),), inverse=inverse, fidelity=Fidelity.EXACT)
    return then(entry, Answered(response=an_answer()), did, UndoStarted(by="ann", run="u1"))


@pytest.mark.parametrize(
    ("now", "event"), [("new", Sent), ("theirs", Abandoned), ("old", Abandoned)]
)
def test_a_step_that_waited_is_checked_again(now: str, event: type) -> None:
    """A person may have written while it was held: their edit stands."""
    story = Story(prepare(a_step_entry(approved=True), BOOK)).asks(Load(entry=1), told=parent())
    story.asks(Renames(service="example"), told=()).asks(READ, told=an_answer({"title": now}))
    assert isinstance((story.asks(Dial()) if event is Sent else story).event, event)


def test_a_step_that_waited_and_whose_entry_cannot_be_checked_is_dropped() -> None:
    story = Story(prepare(a_step_entry(approved=True), BOOK)).asks(Load(entry=1), told=None)
    assert isinstance(story.event, Abandoned)
    assert Child(run="u1", step=0) != Child(run="u1", step=1)


def test_what_an_image_names_is_locked_and_read_again_before_anything_is_sent() -> None:
    home = a_use(a_resource("folder", "/folders/{f}"), name="home", params=IN)
    use = a_use(name="note")
    move = an_operation("notes/update", "PATCH /notes/{id}", images=(use, home))
    book = a_book(a_service(move))
    folder = Fetch(request=a_request(target="/folders/7"), credential="c1")
    other = Fetch(request=a_request(target="/folders/8"), credential="c1")
    both = "example:folder:f=7", "example:note:id=1"
    all_three = "example:folder:f=7", "example:folder:f=8", "example:note:id=1"
    told = Story(prepare(entry_of(book), book)).asks(KEYS)
    told.asks(READ, told=an_answer({"in": 7})).asks(folder, told=an_answer({"a": 1}))
    told.asks(Lock(keys=both)).asks(READ, told=an_answer({"in": 8}))  # moved while it waited
    told.asks(other, told=an_answer({"a": 2})).asks(Lock(keys=all_three))
    told.asks(READ, told=an_answer({"in": 8})).asks(other, told=an_answer({"a": 3})).asks(Dial())
    assert isinstance(told.event, Sent)
    assert [image.value for image in told.event.images] == [{"in": 8}, {"a": 3}]


def test_what_is_something_else_each_time_it_is_read_is_not_sent() -> None:
    home = a_use(a_resource("folder", "/folders/{f}"), name="home", params=IN)
    move = an_operation("notes/update", "PATCH /notes/{id}", images=(a_use(name="note"), home))
    book = a_book(a_service(move))
    told, keys = Story(prepare(entry_of(book), book)), ["example:note:id=1"]
    for n in range(4):
        told.asks(Lock(keys=tuple(sorted(keys)))).asks(READ, told=an_answer({"in": n}))
        folder = Fetch(request=a_request(target=f"/folders/{n}"), credential="c1")
        told.asks(folder, told=an_answer({}))
        keys.append(f"example:folder:f={n}")
    assert isinstance(told.event, Abandoned)
    assert "became something else each time" in told.event.reason

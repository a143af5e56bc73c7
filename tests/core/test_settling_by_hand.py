"""Calls whose effect others may have shared, and what a person says became of them."""

from goex_proxy.core.call import Initiator, Link
from goex_proxy.core.entry import Entry
from goex_proxy.core.event import Answered, Applied, Lost
from goex_proxy.core.operation import Undo
from goex_proxy.core.settling import said_applied
from tests.core.settle_world import OLD, PATCH, UPDATE, said
from tests.core.story import Story
from tests.core.world import (
    a_book,
    a_call,
    a_request,
    a_service,
    a_use,
    an_answer,
    an_image,
    an_operation,
    sent,
    then,
)


def put(left: object) -> Applied:
    replace_ = an_operation(
        "notes/replace", "PUT /notes/{id}", images=(a_use(),), undo=Undo.RESTORE
    )
    told = said(left, replace_, a_request("PUT", json={"title": "new"})).result
    assert isinstance(told, Applied)
    return told


def test_a_whole_that_others_may_have_written_in_is_not_undone() -> None:
    assert put({"title": "new"}).inverse is not None
    assert put({"title": "new", "text": "theirs"}).inverse is None


def test_a_person_may_say_so_of_a_call_without_a_rule() -> None:
    book = a_book()
    entry: Entry = then(sent(a_call(PATCH), book, None), Lost(reason="reset"))
    assert (
        Story(said_applied(entry, book, "ann")).result.why == "no reverser rule describes this call"
    )
    lost = then(sent(a_call(PATCH), book, UPDATE), Lost(reason="reset"))
    assert "cannot be read" in Story(said_applied(lost, book, "ann")).result.why
    assert then(lost, Answered(response=an_answer())).response is not None


def test_a_step_of_an_undo_that_a_person_says_was_applied_gets_no_inverse_of_its_own() -> None:
    book = a_book(a_service(UPDATE))
    link = Link(undo_of=1, run="u1", step=0)
    call = a_call(PATCH, initiator=Initiator.PERSON, link=link)
    entry = then(sent(call, book, UPDATE, an_image(OLD)), Lost(reason="reset"))
    event = Story(said_applied(entry, book, "ann")).result
    assert (event.inverse, event.why, event.by) == (None, "it is itself an undo", "ann")

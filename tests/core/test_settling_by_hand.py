# ruff: noqa: ANN401 - what a factory is given goes to the type that it makes
"""Calls whose effect others may have shared, and what a person says became of them."""

from typing import Any

from goex_proxy.core.book import Book
from goex_proxy.core.call import Initiator, Link
from goex_proxy.core.command import Fetch
from goex_proxy.core.entry import Entry
from goex_proxy.core.event import Answered, Applied, Lost
from goex_proxy.core.exchange import Request, Response
from goex_proxy.core.image import Image
from goex_proxy.core.operation import Fidelity, Operation, Undo
from goex_proxy.core.settling import said_applied, settle
from tests.core.story import Story
from tests.core.test_settling import said
from tests.core.world import (
    a_book,
    a_call,
    a_request,
    a_service,
    a_use,
    an_answer,
    an_image,
    an_operation,
    answered,
    sent,
    then,
)

UPDATE = an_operation(
    "notes/update", "PATCH /notes/{id}", images=(a_use(),), undo=Undo.RESTORE, residue=("mail",)
)
PATCH = a_request("PATCH", json={"title": "new"})
OLD, NEW = {"title": "old"}, {"title": "new"}
READ = Fetch(request=a_request(), credential="c1")
SEND = an_operation("send", "POST /send", fidelity=Fidelity.NONE)


def settled(
    response: Response,
    operation: Operation | None = UPDATE,
    request: Request = PATCH,
    before: tuple[Image, ...] = (an_image(OLD),),
    book: Book | None = None,
    **call: Any,
) -> Story[Any]:
    book = book or a_book(a_service(*([operation] if operation else [])))
    entry = sent(a_call(request, **call), book, operation, *before)
    return Story(settle(answered(entry, response), book))


def applied(told: Story[Any]) -> Applied:
    event = told.event
    assert isinstance(event, Applied), event
    return event


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

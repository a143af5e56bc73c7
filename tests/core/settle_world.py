# ruff: noqa: ANN401 - what a factory is given goes to the type that it makes
"""What settling is asked of in tests: rules of notes, and calls that were answered or lost."""

from typing import Any

from goex_proxy.core.book import Book
from goex_proxy.core.command import Fetch
from goex_proxy.core.event import Applied, Lost
from goex_proxy.core.exchange import Request, Response
from goex_proxy.core.image import Image
from goex_proxy.core.operation import Fidelity, Operation, Undo
from goex_proxy.core.settling import said_applied, settle
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


def said(
    left: object, operation: Operation = UPDATE, request: Request = PATCH, book: Book | None = None
) -> Story[Any]:
    book = book or a_book(a_service(operation))
    entry = then(sent(a_call(request), book, operation, an_image(OLD)), Lost(reason="reset"))
    return Story(said_applied(entry, book, "ann")).asks(READ, told=an_answer(left))

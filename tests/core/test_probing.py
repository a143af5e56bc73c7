"""In doubt: evidence, or nothing."""

from typing import Any

import pytest

from goex_proxy.core.command import Elapsed, Fetch, FetchFailed, Lock, Rest
from goex_proxy.core.event import Applied, Failed, Lost, Probed
from goex_proxy.core.exchange import Request
from goex_proxy.core.image import Image
from goex_proxy.core.operation import Operation, Undo
from goex_proxy.core.probing import probe
from goex_proxy.core.resource import Form
from tests.core.story import Story
from tests.core.world import (
    GONE,
    Py,
    a_book,
    a_call,
    a_request,
    a_resource,
    a_service,
    a_step,
    a_use,
    an_answer,
    an_image,
    an_operation,
    bytes_answer,
    sent,
    then,
)

UPDATE = an_operation("notes/update", "PATCH /notes/{id}", images=(a_use(),), undo=Undo.RESTORE)
DELETE = an_operation(
    "notes/delete", "DELETE /notes/{id}", images=(a_use(),), undo=(a_step("POST", "/notes"),)
)
UNLOCK = an_operation(
    "notes/unlock",
    "DELETE /notes/{id}/lock",
    images=(a_use(),),
    writes=("locked",),
    undo=(a_step("PUT", "/x"),),
)
TAGS = a_resource("tags", "/notes/{id}/tags", form=Form.SET)
ADD = an_operation(
    "tags/add",
    "POST /notes/{id}/tags",
    images=(a_use(TAGS),),
    adds=Py("args['tags']"),
    undo=(a_step("DELETE", "/t/{it}", each=Py("added")),),
)
FILE = a_resource(form=Form.BYTES)
PUT = an_operation("files/put", "PUT /notes/{id}", images=(a_use(FILE),), undo=Undo.RESTORE)
OLD, NEW = an_answer({"title": "old", "x": 1}), an_answer({"title": "new", "x": 1})
NEITHER = Probed(evidence="neither as before the call nor as it would leave it")


def doubtful(operation: Operation | None, request: Request, *before: Image) -> Story[Any]:
    book = a_book(a_service(*([operation] if operation else [])))
    entry = then(sent(a_call(request), book, operation, *before), Lost(reason="reset"))
    told = Story(probe(entry, book))
    if operation is None or not before:
        return told
    kind = "tags" if operation is ADD else "note"
    return told.asks(Lock(keys=(f"example:{kind}:id=1",)))


def patched(body: object = None, before: object = None) -> Story[Any]:
    request = a_request("PATCH", json=body or {"title": "new"})
    return doubtful(UPDATE, request, an_image(before or {"title": "old", "x": 1}))


READ = Fetch(request=a_request(), credential="c1")
READ_TAGS = Fetch(request=a_request(target="/notes/1/tags"), credential="c1")


def test_what_it_would_have_left_is_evidence() -> None:
    event = patched().asks(READ, told=NEW).asks(READ, told=NEW).event
    assert isinstance(event, Applied)
    assert event.inverse is not None
    assert event.evidence


def test_everything_as_before_is_evidence_only_when_nothing_can_arrive_any_more() -> None:
    why = "everything is as it was before the call"
    patched().asks(READ, told=OLD).asks(Elapsed(), told=600.0).appends(
        Failed(reason=why, evidence=why)
    )
    assert isinstance(patched().asks(READ, told=OLD).asks(Elapsed(), told=599.0).result, Rest)


def test_neither_is_no_evidence_and_is_on_record_once() -> None:
    patched().asks(READ, told=an_answer({"title": "theirs"})).appends(NEITHER)
    book = a_book(a_service(UPDATE))
    image = an_image({"title": "old"})
    entry = then(
        sent(a_call(a_request("PATCH", json={"title": "new"})), book, UPDATE, image),
        Lost(reason="reset"),
        NEITHER,
    )
    told = Story(probe(entry, book)).asks(Lock(keys=("example:note:id=1",)))
    assert isinstance(told.asks(READ, told=an_answer({"title": "theirs"})).result, Rest)


@pytest.mark.parametrize(
    "body", [{"title": "old"}, {"title": "old", "password": "x"}, {"password": "x"}]
)
def test_a_call_that_would_leave_everything_as_it_is_cannot_be_told(body: object) -> None:
    patched(body).asks(READ, told=OLD).appends(NEITHER)


def test_what_cannot_be_read_is_no_evidence() -> None:
    told = patched().asks_and_fails(READ, FetchFailed("reset"))
    told.appends(Probed(evidence="it could not be read: GET /notes/1: reset"))


def test_a_delete_took_effect_if_it_is_gone() -> None:
    def deleted() -> Story[Any]:
        return doubtful(DELETE, a_request("DELETE"), an_image({"title": "old"}))

    assert isinstance(deleted().asks(READ, told=GONE).asks(READ, told=GONE).event, Applied)
    assert isinstance(
        deleted().asks(READ, told=an_answer({"title": "old"})).asks(Elapsed(), told=999.0).event,
        Failed,
    )
    deleted().asks(READ, told=an_answer({"title": "theirs"})).appends(NEITHER)


def test_the_delete_of_a_part_is_not_proved_by_the_whole_being_gone() -> None:
    told = doubtful(UNLOCK, a_request("DELETE", "/notes/1/lock"), an_image({"locked": True}))
    told.asks(READ, told=GONE).appends(NEITHER)


@pytest.mark.parametrize(
    ("asked", "had", "has", "event"),
    [
        (["a"], [], ["a"], Applied),
        (["a"], [], ["x"], Failed),
        (["a", "b"], [], ["a"], Probed),
        (["a"], ["a"], ["a"], Probed),
        (["a"], [], None, Probed),
    ],
)
def test_sets(asked: list[str], had: list[str], has: list[str] | None, event: type) -> None:
    request = a_request("POST", "/notes/1/tags", json={"tags": asked})
    answer = GONE if has is None else an_answer(has)
    told = doubtful(ADD, request, an_image(had, resource="tags")).asks(READ_TAGS, told=answer)
    if event is Applied:
        told.asks(READ_TAGS, told=answer)
    if event is Failed:
        told.asks(Elapsed(), told=999.0)
    assert isinstance(told.event, event)


def test_bytes() -> None:
    def put() -> Story[Any]:
        return doubtful(PUT, a_request("PUT", body=b"new"), an_image(b"old"))

    assert isinstance(
        put().asks(READ, told=bytes_answer(b"new")).asks(READ, told=bytes_answer(b"new")).event,
        Applied,
    )
    assert isinstance(
        put().asks(READ, told=bytes_answer(b"old")).asks(Elapsed(), told=999.0).event, Failed
    )
    put().asks(READ, told=bytes_answer(b"theirs")).appends(NEITHER)


def test_without_anything_to_read_a_person_has_to_say() -> None:
    assert isinstance(doubtful(None, a_request("POST")).result, Rest)
    assert isinstance(doubtful(UPDATE, a_request("PATCH")).result, Rest)


def test_a_read_is_never_in_doubt() -> None:
    assert isinstance(doubtful(None, a_request()).event, Failed)


def test_a_rule_that_cannot_be_read_is_waited_for() -> None:
    entry = then(sent(a_call(a_request("PATCH")), a_book(), UPDATE), Lost(reason="reset"))
    assert isinstance(Story(probe(entry, a_book())).result, Rest)

# ruff: noqa: ANN401 - what a factory is given goes to the type that it makes
"""Where the answer was not seen, what is there is the call's only if it is what it asked for."""

from typing import Any

import pytest

from goex_proxy.core.attributing import ours
from goex_proxy.core.exchange import Request
from goex_proxy.core.image import Goal, Touch
from goex_proxy.core.inverse import Inverse
from goex_proxy.core.operation import Operation, Undo
from goex_proxy.core.resource import Form
from tests.core.world import (
    Py,
    a_book,
    a_call,
    a_request,
    a_resource,
    a_service,
    a_subject,
    a_use,
    an_image,
    an_operation,
    sent,
)

UPDATE = an_operation("notes/update", "PATCH /notes/{id}", images=(a_use(),), undo=Undo.RESTORE)
PATCH = a_request("PATCH", json={"title": "new", "text": "t"})
PUT = a_request("PUT", "/notes/1").with_body(b"mine", "text/plain")
BYTES = a_resource(form=Form.BYTES)
OLD = {"title": "old", "kept": 1, "updated": 1}


def is_ours(
    touch: Touch,
    before: Any,
    after: Any,
    request: Request = PATCH,
    operation: Operation = UPDATE,
) -> bool:
    book, call = a_book(a_service(operation)), a_call(request)
    entry = sent(call, book, operation, an_image(before))
    inverse = Inverse(steps=(), touches=(touch,))
    return ours(entry, a_subject(call, book), inverse, (an_image(after),))


FIELDS = Touch(use="", fields=("title", "text"))
WHOLE = Touch(use="")


@pytest.mark.parametrize(
    ("after", "mine"),
    [
        ({"title": "new", "text": "t", "kept": 2}, True),
        ({"title": "new", "text": "theirs"}, False),
        ({"title": "new"}, False),
    ],
)
def test_fields_are_ours_if_each_holds_what_the_call_asked(after: object, mine: bool) -> None:
    assert is_ours(FIELDS, OLD, after) is mine


def test_a_field_that_the_call_did_not_name_is_not_ours() -> None:
    touch = Touch(use="", fields=("title", "kept"))
    assert not is_ours(touch, OLD, {"title": "new", "text": "t", "kept": 1})


@pytest.mark.parametrize(
    ("after", "mine"),
    [
        ({"title": "new", "text": "t"}, True),
        ({"title": "new", "text": "t", "updated": 9}, True),
        ({"title": "new", "text": "t", "kept": 1, "updated": 9}, True),
        ({"title": "new", "text": "t", "kept": 2}, False),
        ({"title": "new", "text": "t", "more": 1}, False),
    ],
)
def test_the_whole_is_ours_if_it_was_replaced_or_merged_into(after: object, mine: bool) -> None:
    """But for volatile fields, and with nothing of anybody else's in it."""
    assert is_ours(WHOLE, OLD, after) is mine


@pytest.mark.parametrize(("after", "mine"), [(b"mine", True), (b"mine\n", False), (b"", False)])
def test_a_file_is_ours_if_it_holds_the_bytes_that_were_put(after: bytes, mine: bool) -> None:
    put = an_operation("put", "PUT /notes/{id}", images=(a_use(BYTES),), undo=Undo.RESTORE)
    touch = Touch(use="", form=Form.BYTES)
    assert is_ours(touch, b"old", after, PUT, put) is mine


def test_bytes_that_came_by_another_method_are_not_known_to_be_ours() -> None:
    copy = an_operation("copy", "COPY /notes/{id}", images=(a_use(BYTES),))
    request = a_request("COPY", "/notes/1").with_body(b"mine", "text/plain")
    assert not is_ours(Touch(use="", form=Form.BYTES), b"old", b"mine", request, copy)


def test_where_nothing_is_left_nothing_of_theirs_can_be_lost() -> None:
    delete = an_operation("delete", "DELETE /notes/{id}", images=(a_use(),))
    assert is_ours(WHOLE, OLD, None, a_request("DELETE"), delete)


def test_what_a_body_that_is_no_object_asked_for_cannot_be_told() -> None:
    for request in (a_request("PATCH"), a_request("PATCH", json=["new"])):
        assert not is_ours(WHOLE, OLD, {"title": "new"}, request)


@pytest.mark.parametrize(("adds", "mine"), [(Py("args['t']"), True), (None, False)])
def test_of_a_set_only_what_the_rule_says_was_asked_is_ours(adds: Py | None, mine: bool) -> None:
    tags = a_resource("tags", "/notes/{id}/tags", form=Form.SET)
    add = an_operation("add", "POST /notes/{id}/tags", images=(a_use(tags),), adds=adds)
    request = a_request("POST", "/notes/1/tags", json={"t": ["b"]})
    touch = Touch(use="", form=Form.SET, added=("b",))
    assert is_ours(touch, ["a"], ["a", "b"], request, add) is mine


def test_one_touch_that_is_not_ours_is_enough() -> None:
    book, call = a_book(a_service(UPDATE)), a_call(PATCH)
    entry = sent(call, book, UPDATE, an_image(OLD))
    after = (an_image({"title": "new", "text": "theirs"}),)
    mine = Touch(use="", fields=("title",), goal=Goal.BEFORE)
    for touches, expected in (((mine,), True), ((mine, FIELDS), False), ((), True)):
        inverse = Inverse(steps=(), touches=touches)
        assert ours(entry, a_subject(call, book), inverse, after) is expected

# ruff: noqa: ANN401 - what a factory is given goes to the type that it makes
"""Members, guards and unseen fields of an inverse."""

from typing import Any

from goex_proxy.core import exact
from goex_proxy.core.exchange import Request
from goex_proxy.core.image import Image, Touch
from goex_proxy.core.inverse import Inverse
from goex_proxy.core.inverting import invert, unreadable
from goex_proxy.core.operation import Operation, Undo
from goex_proxy.core.reading import before_name
from goex_proxy.core.resource import Form
from tests.core.world import (
    Py,
    a_book,
    a_call,
    a_request,
    a_resource,
    a_service,
    a_step,
    a_subject,
    a_use,
    an_answer,
    an_image,
    an_operation,
    answered,
    sent,
    text,
)

UPDATE = an_operation("notes/update", "PATCH /notes/{id}", images=(a_use(),), undo=Undo.RESTORE)
PUT = an_operation("notes/replace", "PUT /notes/{id}", images=(a_use(),), undo=Undo.RESTORE)
CREATE = an_operation("notes/create", "POST /notes", creates=a_use(), undo=Undo.DELETE)
FILE = a_resource(
    "file", "/files/{path+}", form=Form.BYTES, guard=(("header", "If-Match", Py("etag")),)
)
WRITE = an_operation("files/put", "PUT /files/{path+}", images=(a_use(FILE),), undo=Undo.RESTORE)


def inverse_of(
    operation: Operation,
    request: Request,
    before: tuple[Image, ...] = (),
    after: tuple[Image, ...] = (),
    status: int = 200,
    **names: Any,
) -> Inverse:
    book = a_book(a_service(operation))
    call = a_call(request)
    subject = a_subject(call, book)
    known = {
        **subject.names,
        **before_name(before),
        "after": before_name(after)["before"],
        "res": None,
    }
    return invert(
        answered(sent(call, book, operation, *before), an_answer({}, status)),
        subject,
        known | names,
        after,
    )


def restored(
    body: object, value: object, left: object, method: str = "PATCH"
) -> tuple[object, Touch]:
    operation = UPDATE if method == "PATCH" else PUT
    made = inverse_of(
        operation, a_request(method, json=body), (an_image(value),), (an_image(left),)
    )
    [step], [touch] = made.steps, made.touches
    assert step.request.method == method
    assert step.request.target == "/notes/1"
    return exact.loads(step.request.body or b""), touch


def test_a_member_of_a_set_is_a_step_and_one_that_was_there_is_not() -> None:
    tags = a_resource("tags", "/notes/{id}/tags", form=Form.SET)
    undo = (
        a_step("DELETE", "/notes/{id}/tags/{it}", each=Py("added")),
        a_step("POST", "/notes/{id}/tags", json={"tag": text("it")}, each=Py("removed")),
        a_step("POST", "/log", each=Py("['log']")),
    )
    operation = an_operation("tags/set", "PUT /notes/{id}/tags", images=(a_use(tags),), undo=undo)
    before, after = an_image([1, "b"], resource="tags"), an_image(["a", "b"], resource="tags")
    made = inverse_of(
        operation, a_request("PUT", "/notes/1/tags"), (before,), (after,), added=["a"], removed=[1]
    )
    assert [(s.member, s.restores) for s in made.steps] == [
        (("", "a"), False),
        (("", 1), True),
        (None, False),
    ]
    assert made.touches == (Touch(use="", form=Form.SET, added=("a",), removed=(1,)),)


def test_a_write_carries_the_guard_of_what_it_writes() -> None:
    """Of two files only the one that is written is named by its If-Match."""
    uses = tuple(a_use(FILE, name, params={"path": Py(name)}) for name in ("src", "dst"))
    operation = an_operation(
        "files/move",
        "MOVE /files/{src+}",
        images=uses,
        undo=(
            a_step("MOVE", "/files/{dst+}"),
            a_step("PUT", "/files/{dst+}"),
            a_step("PUT", "/other"),
        ),
    )
    images = [an_image(b"1", name, "file", path=name) for name in ("src", "dst")]
    after = [an_image(None, "src", "file", path="src"), an_image(b"1", "dst", "file", path="dst")]
    made = inverse_of(
        operation, a_request("MOVE", "/files/src"), tuple(images), tuple(after), dst="dst"
    )
    assert [step.guard for step in made.steps] == ["dst", "dst", None]


def test_fields_that_no_image_shows_are_named() -> None:
    call = a_call(a_request("PATCH", json={"title": "a", "password": "x"}))
    subject = a_subject(call, a_book(a_service(UPDATE)))
    assert unreadable(subject, (an_image({}),), (an_image({"title": "a"}),)) == ["password"]
    assert unreadable(subject, (), ()) == []

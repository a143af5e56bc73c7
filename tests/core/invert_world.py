# ruff: noqa: ANN401 - what a factory is given goes to the type that it makes
"""What inverses are asked of in tests: rules of notes and files, and calls that took effect."""

from typing import Any

from goex_proxy.core import exact
from goex_proxy.core.exchange import Request
from goex_proxy.core.image import Image, Touch
from goex_proxy.core.inverse import Inverse
from goex_proxy.core.inverting import invert
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
    a_subject,
    a_use,
    an_answer,
    an_image,
    an_operation,
    answered,
    sent,
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

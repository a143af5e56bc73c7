# ruff: noqa: ANN401 - what a factory is given goes to the type that it makes
"""What undos are told about in tests: rules, entries under way, steps that have become entries."""

from dataclasses import replace
from typing import Any

from goex_proxy.core.call import Initiator, Link
from goex_proxy.core.command import Child, Fetch, Lock, Renames, Spawn
from goex_proxy.core.entry import Entry
from goex_proxy.core.event import (
    Admitted,
    Answered,
    Applied,
    Event,
    Failed,
    Sent,
    UndoStarted,
)
from goex_proxy.core.exchange import Request, Response
from goex_proxy.core.image import Image, Touch
from goex_proxy.core.inverse import Inverse, InverseStep
from goex_proxy.core.operation import Fidelity, Operation, Undo
from goex_proxy.core.resource import Form
from goex_proxy.core.undoing import undo_step
from tests.core.story import Story
from tests.core.world import (
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

# ruff: noqa: ANN401 - what a factory is given goes to the type that it makes
"""A cache, a lagging replica, a page to log in: none passes for "the call changed nothing"."""

from typing import Any

import pytest

from goex_proxy.core.command import Fetch
from goex_proxy.core.event import Applied
from goex_proxy.core.operation import Evidence, Fidelity, Operation, Undo
from goex_proxy.core.resource import Form
from goex_proxy.core.staleness import UNSEEN
from tests.core.invert_world import WRITE
from tests.core.settle_world import NEW, OLD, READ, UPDATE, applied, settled
from tests.core.world import (
    GONE,
    Py,
    a_request,
    a_resource,
    a_step,
    a_use,
    an_answer,
    an_image,
    an_operation,
    bytes_answer,
)

TAGS = a_resource("tags", "/notes/{id}/tags", form=Form.SET)
READ_TAGS = Fetch(request=a_request(target="/notes/1/tags"), credential="c1")
TAG = an_operation(
    "tags/change",
    "POST /notes/{id}/tags",
    images=(a_use(TAGS),),
    adds=Py("args.get('more', [])"),
    removes=Py("args.get('less', [])"),
    undo=(a_step("DELETE", "/notes/{id}/tags/{it}", each=Py("added")),),
)
AGAIN = (a_step("POST", "/notes", json={"title": "x"}),)
DROP = an_operation("notes/delete", "DELETE /notes/{id}", images=(a_use(),), undo=AGAIN)


def outcome(event: Applied) -> tuple[Fidelity, str]:
    assert event.inverse is None
    return event.fidelity, event.why


@pytest.mark.parametrize("answer", [{}, NEW, {"title": None}, [], {"id": 1}])
def test_a_field_that_was_to_become_another_is_not_unchanged(answer: Any) -> None:
    event = applied(settled(an_answer(answer)).asks(READ, told=an_answer(OLD)))
    assert outcome(event) == (Fidelity.NONE, UNSEEN)


@pytest.mark.parametrize("answer", [OLD, {"title": "old", "id": 7}])
def test_a_field_that_the_answer_too_shows_as_it_was_is_unchanged(answer: Any) -> None:
    event = applied(settled(an_answer(answer)).asks(READ, told=an_answer(OLD)))
    assert outcome(event)[0] is Fidelity.EXACT


@pytest.mark.parametrize(
    ("was", "put", "fidelity"),
    [
        (b"<html>log in</html>", b"theirs", Fidelity.NONE),
        (None, b"theirs", Fidelity.NONE),
        (b"same", b"same", Fidelity.EXACT),
    ],
)
def test_bytes_are_unchanged_only_if_they_are_what_was_put(
    was: bytes | None, put: bytes, fidelity: Fidelity
) -> None:
    reading = GONE if was is None else bytes_answer(was)
    before = an_image(was, resource="file", path="a")
    told = settled(an_answer({}, 201), WRITE, a_request("PUT", "/files/a", body=put), (before,))
    event = applied(
        told.asks(Fetch(request=a_request(target="/files/a"), credential="c1"), told=reading)
    )
    assert outcome(event)[0] is fidelity


@pytest.mark.parametrize(
    ("body", "fidelity"),
    [
        ({"more": ["b"]}, Fidelity.NONE),
        ({"less": ["a"]}, Fidelity.NONE),
        ({"more": ["a"]}, Fidelity.EXACT),
        ({"less": ["b"]}, Fidelity.EXACT),
    ],
)
def test_a_member_that_should_have_come_or_gone_is_not_unchanged(
    body: Any, fidelity: Fidelity
) -> None:
    before = an_image(["a"], resource="tags", id="1")
    told = settled(an_answer(), TAG, a_request("POST", "/notes/1/tags", json=body), (before,))
    event = applied(told.asks(READ_TAGS, told=an_answer(["a"])))
    assert outcome(event)[0] is fidelity


@pytest.mark.parametrize(
    ("method", "value"), [("DELETE", OLD), ("PUT", None)], ids=["still there", "still not there"]
)
def test_what_was_deleted_is_gone_and_what_was_put_is_there(method: str, value: Any) -> None:
    operation = an_operation("notes/x", f"{method} /notes/{{id}}", images=(a_use(),), undo=AGAIN)
    told = settled(an_answer(), operation, a_request(method), (an_image(value),))
    reading = an_answer(value, 404 if value is None else 200)
    assert outcome(applied(told.asks(READ, told=reading))) == (Fidelity.NONE, UNSEEN)


def test_a_delete_of_what_was_not_there_changed_nothing() -> None:
    told = settled(an_answer({}, 204), DROP, a_request("DELETE"), (an_image(None),))
    assert outcome(applied(told.asks(READ, told=an_answer(None, 404))))[0] is Fidelity.EXACT


@pytest.mark.parametrize(
    ("not_applied", "fidelity"),
    [("now == before", Fidelity.NONE), ("False", Fidelity.EXACT), ("now['x']", Fidelity.EXACT)],
)
def test_what_the_rule_takes_for_proof_that_it_did_not_happen_speaks(
    not_applied: str, fidelity: Fidelity
) -> None:
    evidence = Evidence(applied=Py("now['title'] == 'new'"), not_applied=Py(not_applied))
    operation: Operation = an_operation(
        "notes/turn", "POST /notes/{id}/turn", images=(a_use(),), evidence=evidence, undo=AGAIN
    )
    told = settled(an_answer(), operation, a_request("POST", "/notes/1/turn"))
    assert outcome(applied(told.asks(READ, told=an_answer(OLD))))[0] is fidelity


def test_a_rule_that_only_restores_and_was_asked_for_nothing_is_believed() -> None:
    assert UPDATE.undo is Undo.RESTORE
    told = settled(an_answer(), request=a_request("PATCH", json={}))
    assert outcome(applied(told.asks(READ, told=an_answer(OLD))))[0] is Fidelity.EXACT

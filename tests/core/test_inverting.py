# ruff: noqa: ANN401 - what a factory is given goes to the type that it makes
"""The inverse of a call: concrete requests, and no more than the call did."""

from dataclasses import replace
from typing import Any

import pytest

from goex_proxy.core.image import Goal, Image, Touch
from goex_proxy.core.inverse import Inverse, InverseStep
from goex_proxy.core.inverting import NoInverse
from goex_proxy.core.operation import Undo
from goex_proxy.core.resource import Form
from tests.core.invert_world import CREATE, PUT, UPDATE, WRITE, inverse_of, restored
from tests.core.world import (
    Py,
    a_request,
    a_resource,
    a_step,
    a_use,
    an_image,
    an_operation,
    text,
)


def test_what_was_written_is_written_back_and_nothing_else() -> None:
    body, touch = restored(
        {"title": "new"}, {"title": "old", "text": "x"}, {"title": "new", "text": "x"}
    )
    assert body == {"title": "old"}
    assert touch == Touch(use="", fields=("title",))


def test_a_field_that_the_call_wrote_and_did_not_change_is_left_alone() -> None:
    body, _ = restored(
        {"title": "new", "text": "x"}, {"title": "old", "text": "x"}, {"title": "new", "text": "x"}
    )
    assert body == {"title": "old"}


def test_numbers_are_written_back_as_they_were() -> None:
    before = an_image({})
    before = Image(instance=before.instance, body=b'{"price":1.50,"id":12345678901234567890}')
    made = inverse_of(
        UPDATE, a_request("PATCH", json={"price": 2}), (before,), (an_image({"price": 2}),)
    )
    assert made.steps[0].request.body == b'{"price":1.50}'


def test_a_field_that_was_not_there_is_written_back_as_null() -> None:
    assert restored({"title": "new"}, {}, {"title": "new"})[0] == {"title": None}


def test_a_put_is_taken_back_as_a_whole_with_what_it_dropped() -> None:
    body, touch = restored({"a": 5}, {"a": 1, "b": 2, "updated": 1}, {"a": 5, "updated": 2}, "PUT")
    assert body == {"a": 1, "b": 2}
    assert touch == Touch(use="")


def test_what_the_answer_does_not_say_was_made_is_not_deleted() -> None:
    """Nothing was there when it was looked at; somebody may have made it before the call came."""
    put, left = a_request("PUT", json={"a": 5}), (an_image({"a": 5}),)
    for status in (200, 202, 204, 502):
        with pytest.raises(NoInverse, match="does not prove"):
            inverse_of(PUT, put, (an_image(None),), left, status=status)
    proved = an_operation(
        "notes/replace", "PUT /notes/{id}", images=(a_use(),), created=Py("new"), undo=Undo.RESTORE
    )
    assert inverse_of(proved, put, (an_image(None),), left, status=204, new=True).steps
    with pytest.raises(NoInverse, match="does not prove"):
        inverse_of(proved, put, (an_image(None),), left, status=201, new=False)


def test_what_was_not_there_is_deleted() -> None:
    made = inverse_of(
        PUT, a_request("PUT", json={"a": 5}), (an_image(None),), (an_image({"a": 5}),), status=201
    )
    assert made.steps[0].request.method == "DELETE"
    assert made.touches == (Touch(use="", goal=Goal.GONE),)


def test_bytes_are_put_back_with_their_type_and_guarded() -> None:
    before = an_image(b"old", resource="file", path="a/b")
    before = Image(
        instance=before.instance, form=Form.BYTES, body=b"old", tags={"content-type": "text/x"}
    )
    left = Image(instance=before.instance, form=Form.BYTES, body=b"new", tags={"etag": '"2"'})
    made = inverse_of(WRITE, a_request("PUT", "/files/a/b", body=b"new"), (before,), (left,))
    [step] = made.steps
    assert (step.request.body, step.request.headers.get("content-type")) == (b"old", "text/x")
    assert (step.guard, made.guarded) == ("", True)


@pytest.mark.parametrize("tags", [{}, {"etag": 'W/"2"'}])
def test_without_a_strong_tag_it_says_unguarded(tags: dict[str, str]) -> None:
    instance = an_image(b"", resource="file", path="a").instance
    before, left = (
        Image(instance=instance, form=Form.BYTES, body=b, tags=tags) for b in (b"old", b"new")
    )
    assert not inverse_of(
        WRITE, a_request("PUT", "/files/a", body=b"new"), (before,), (left,)
    ).guarded


def test_a_delete_is_never_restored_by_another_delete() -> None:
    operation = an_operation(
        "notes/delete", "DELETE /notes/{id}", images=(a_use(),), undo=Undo.RESTORE
    )
    with pytest.raises(NoInverse, match="needs steps"):
        inverse_of(operation, a_request("DELETE"), (an_image({"a": 1}),), (an_image(None),))


def test_a_call_that_wrote_nothing_readable_has_no_inverse() -> None:
    with pytest.raises(NoInverse, match="no field") as caught:
        inverse_of(
            UPDATE,
            a_request("PATCH", json={"secret": 1}),
            (an_image({"a": 1}),),
            (an_image({"a": 2}),),
        )
    assert not caught.value.unchanged


def test_a_call_that_changed_nothing_says_so() -> None:
    for left in ({"a": 1}, {"a": 1, "updated": 3}):
        with pytest.raises(NoInverse) as caught:
            inverse_of(
                UPDATE, a_request("PATCH", json={"a": 1}), (an_image({"a": 1}),), (an_image(left),)
            )
        assert caught.value.unchanged
    with pytest.raises(NoInverse) as caught:
        inverse_of(
            UPDATE,
            a_request("PATCH", json={"a": 1}),
            (an_image({"a": 1}),),
            (an_image({"a": 1, "n": 2}),),
        )
    assert caught.value.unchanged


def test_a_secret_is_never_written_back() -> None:
    image = an_image({"a": 1})
    scrubbed = Image(instance=image.instance, body=image.body, scrubbed=True)
    with pytest.raises(NoInverse, match="secret"):
        inverse_of(UPDATE, a_request("PATCH", json={"a": 2}), (scrubbed,), (an_image({"a": 2}),))


def test_without_a_before_image_nothing_can_be_restored() -> None:
    with pytest.raises(NoInverse, match="before-image"):
        inverse_of(UPDATE, a_request("PATCH", json={"a": 2}), (), ())


def test_restoring_without_an_after_image_writes_all_that_was_written() -> None:
    made = inverse_of(
        UPDATE, a_request("PATCH", json={"a": 2, "b": 1}), (an_image({"a": 1, "b": 1}),), ()
    )
    assert made.touches == (Touch(use="", fields=("a", "b")),)


@pytest.mark.parametrize(
    ("writes", "fields"), [(("a",), ("a",)), (Py("['a']"), ("a",)), (Py("1"), ())]
)
def test_a_rule_may_say_which_fields_are_written(writes: Any, fields: tuple[str, ...]) -> None:
    operation = an_operation(
        "notes/lock", "PUT /notes/{id}", images=(a_use(),), writes=writes, undo=Undo.RESTORE
    )
    before, after = (an_image({"a": 1, "b": 1}),), (an_image({"a": 2, "b": 2}),)
    if not fields:
        with pytest.raises(NoInverse):
            inverse_of(operation, a_request("PUT"), before, after)
        return
    assert inverse_of(operation, a_request("PUT"), before, after).touches == (
        Touch(use="", fields=fields),
    )


# The provenance guard: what this call did not demonstrably make is never deleted.

POST = a_request("POST", "/notes", json={"title": "a"})


def test_what_was_created_is_deleted() -> None:
    made = inverse_of(CREATE, POST, (), (an_image({"id": 7}, id="7"),), status=201)
    assert made == Inverse(
        steps=(InverseStep(request=a_request("DELETE", "/notes/7")),),
        touches=(Touch(use="", goal=Goal.GONE),),
    )


def test_an_answer_that_does_not_say_created_proves_nothing() -> None:
    with pytest.raises(NoInverse, match="does not prove"):
        inverse_of(CREATE, POST, (), (an_image({"id": 7}, id="7"),), status=200)


def test_the_rule_may_say_what_proves_it() -> None:
    operation = an_operation(
        "notes/create", "POST /notes", creates=a_use(), created=Py("proof"), undo=Undo.DELETE
    )
    after = (an_image({"id": 7}, id="7"),)
    assert inverse_of(operation, POST, (), after, proof=True).steps
    with pytest.raises(NoInverse, match="does not prove"):
        inverse_of(operation, POST, (), after, status=201, proof="yes")


def test_what_was_there_before_was_not_created() -> None:
    operation = an_operation(
        "notes/create", "POST /notes", images=(a_use(),), creates=a_use(), undo=Undo.DELETE
    )
    with pytest.raises(NoInverse, match="does not prove"):
        inverse_of(
            operation, POST, (an_image({"id": 7}),), (an_image({"id": 7, "b": 1}),), status=201
        )


def test_what_was_created_and_could_not_be_read_has_no_inverse() -> None:
    """An inverse that nothing can check would be called done without being sent."""
    close = an_operation(
        "posts", "POST /notes", creates=a_use(), undo=(a_step("PATCH", "/notes/7"),)
    )
    for operation in (CREATE, close):
        with pytest.raises(NoInverse, match="could not be read"):
            inverse_of(operation, POST, (), (), status=201)


def test_what_was_made_and_is_not_seen_is_not_called_unchanged() -> None:
    """It may be gone again, or a replica may lag."""
    with pytest.raises(NoInverse, match="not there when it was read") as caught:
        inverse_of(CREATE, POST, (), (an_image(None, id="7"),), status=201)
    assert not caught.value.unchanged


def test_what_has_no_path_of_its_own_cannot_be_deleted() -> None:
    pathless = a_use(replace(a_resource(), at=None))
    operation = an_operation("notes/create", "POST /notes", creates=pathless, undo=Undo.DELETE)
    with pytest.raises(NoInverse, match="path of its own"):
        inverse_of(operation, POST, (), (an_image({"id": 7}, id="7"),), status=201)
    plain = an_operation("notes/create", "POST /notes", images=(a_use(),), undo=Undo.DELETE)
    with pytest.raises(NoInverse, match="what was created"):
        inverse_of(plain, POST, (an_image({"a": 1}),), (an_image({"a": 2}),), status=201)


# Steps that a rule wrote out.


def test_a_counter_action_touches_the_fields_it_writes() -> None:
    close = an_operation(
        "posts",
        "POST /notes",
        creates=a_use(),
        undo=(a_step("PATCH", "/notes/{nid}", json={"state": "closed", "x": 1}),),
    )
    made = inverse_of(close, POST, (), (an_image({"state": "open"}, id="7"),), status=201, nid=7)
    assert made.touches == (
        Touch(use="", fields=("state",), goal=Goal.VALUES, values={"state": "closed"}),
    )
    left = an_operation(
        "posts", "POST /notes", creates=a_use(), leaves=(("text", Py("'gone'")),), undo=close.undo
    )
    made = inverse_of(left, POST, (), (an_image({"text": "a"}, id="7"),), status=201, nid=7)
    assert made.touches == (
        Touch(use="", fields=("text",), goal=Goal.VALUES, values={"text": "gone"}),
    )
    drop = an_operation("posts", "POST /notes", creates=a_use(), undo=(a_step("POST", "/drop"),))
    made = inverse_of(drop, POST, (), (an_image({"text": "a"}, id="7"),), status=201)
    assert made.touches == (Touch(use="", goal=Goal.GONE),)


def test_steps_on_what_was_there_before() -> None:
    back = (a_step("PUT", "/notes/{id}", json={"a": text("before['a']")}),)
    before, after = (an_image({"a": 1}),), (an_image({"a": 2}),)
    plain = an_operation("notes/x", "POST /notes/{id}", images=(a_use(),), undo=back)
    assert inverse_of(plain, a_request("POST"), before, after).touches == (
        Touch(use="", fields=("a",)),
    )
    said = an_operation("notes/x", "POST /notes/{id}", images=(a_use(),), writes=("b",), undo=back)
    assert inverse_of(said, a_request("POST"), before, after).touches == (
        Touch(use="", fields=("b",)),
    )
    other = an_operation(
        "notes/x", "POST /notes/{id}", images=(a_use(),), undo=(a_step("POST", "/back"),)
    )
    assert inverse_of(other, a_request("POST"), before, after).touches == (Touch(use=""),)
    made = inverse_of(other, a_request("POST"), (an_image(None),), after)
    assert made.touches == (Touch(use="", goal=Goal.GONE),)


def test_no_step_that_applies_is_nothing_to_undo() -> None:
    operation = an_operation(
        "notes/x",
        "POST /notes/{id}",
        images=(a_use(),),
        undo=(a_step("POST", "/back", when=Py("False")),),
    )
    with pytest.raises(NoInverse) as caught:
        inverse_of(operation, a_request("POST"), (an_image({"a": 1}),), (an_image({"a": 2}),))
    assert caught.value.unchanged


def test_an_operation_without_undo_has_none() -> None:
    operation = an_operation("notes/x", "POST /notes/{id}", images=(a_use(),))
    with pytest.raises(NoInverse, match="no inverse"):
        inverse_of(operation, a_request("POST"), (an_image({"a": 1}),), (an_image({"a": 2}),))

# ruff: noqa: ANN401 - what a factory is given goes to the type that it makes
"""What a call changed in a set *and* was asked to: no more than that is its to undo."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.core.delta import Delta, delta
from goex_proxy.core.expression import Expression
from goex_proxy.core.image import Image
from goex_proxy.core.resource import Form
from goex_proxy.core.value import contains
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
)

TAGS = a_resource("tags", "/notes/{id}/tags", form=Form.SET)
ADDS, REMOVES = Py("args['add']"), Py("args['drop']")
SETS = st.lists(st.sampled_from("abcd"), unique=True)


def found(
    before: Any,
    after: Any,
    adds: Expression | None = None,
    removes: Expression | None = None,
    **args: object,
) -> Delta:
    tags = an_operation(
        "tags", "POST /notes/{id}/tags", images=(a_use(TAGS),), adds=adds, removes=removes
    )
    call = a_call(a_request("POST", "/notes/1/tags", json=dict(args)))
    subject = a_subject(call, a_book(a_service(tags)))
    return delta(subject, images(before), images(after), subject.names)


def images(value: Any) -> tuple[Image, ...]:
    return () if value is None else (an_image(value, resource="tags"),)


def test_without_a_set_there_is_no_difference() -> None:
    assert found(None, None) == Delta()
    assert found({"title": "old"}, {"title": "new"}) == Delta()


def test_a_set_that_was_not_read_afterwards_is_a_doubt() -> None:
    assert "not read after" in found(["a"], None).doubt
    assert "not read after" in found(["a"], {"title": "x"}).doubt


def test_a_rule_that_does_not_say_what_is_asked_takes_the_whole_difference() -> None:
    assert found(["a", "b"], ["b", "c"]) == Delta(added=["c"], removed=["a"])


def test_what_was_there_already_is_not_the_calls_to_take_away() -> None:
    assert found(["a"], ["a", "b"], ADDS, add=["a", "b"]) == Delta(added=["b"])


def test_what_somebody_else_added_meanwhile_is_theirs() -> None:
    assert found(["a"], ["a", "b", "theirs"], ADDS, add=["b"]) == Delta(added=["b"])
    assert found(["a", "b"], [], None, REMOVES, drop=["a"]) == Delta(removed=["a"])


def test_a_replacement_has_both_sides() -> None:
    changed = found(["a", "b"], ["b", "c"], ADDS, REMOVES, add=["c"], drop=["a"])
    assert changed == Delta(added=["c"], removed=["a"])


def test_a_member_that_stands_there_under_another_name_is_a_doubt() -> None:
    """A label asked for as `Bug` that the service writes `bug`: whose `bug` is it?"""
    assert "otherwise than the call asked" in found([], ["bug"], ADDS, add=["Bug"]).doubt
    assert "otherwise" in found(["bug"], [], None, REMOVES, drop=["Bug"]).doubt


def test_what_was_asked_for_and_did_not_come_is_no_doubt() -> None:
    assert found(["a"], ["a"], ADDS, add=["b"]) == Delta()


@pytest.mark.parametrize("adds", [Py("args['missing']"), Py("'ab'"), Py("1")])
def test_what_was_asked_and_cannot_be_told_is_a_doubt(adds: Py) -> None:
    changed = found([], ["a"], adds)
    assert "cannot be told" in changed.doubt
    assert (changed.added, changed.removed) == ([], [])


@given(SETS, SETS, SETS, SETS)
def test_never_more_than_was_asked_and_has_changed(
    had: list[object], has: list[object], add: list[object], drop: list[object]
) -> None:
    changed = found(had, has, ADDS, REMOVES, add=add, drop=drop)
    for member in changed.added:
        assert contains(add, member)
        assert contains(has, member)
        assert not contains(had, member)
    for member in changed.removed:
        assert contains(drop, member)
        assert contains(had, member)
        assert not contains(has, member)

# ruff: noqa: ANN401 - what a factory is given goes to the type that it makes
"""The three-way check: before, what the call left, now."""

from typing import Any

import pytest

from goex_proxy.core.footprint import Seen, Standing, achieved, check, member_open, shape, traces
from goex_proxy.core.image import Goal, Image, Touch
from goex_proxy.core.resource import Form
from tests.core.world import PYTHON, Py, a_resource, an_image

ALREADY, TODO, CONFLICT = Standing.ALREADY, Standing.TODO, Standing.CONFLICT
FIELD = Touch(use="", fields=("title",))
WHOLE = Touch(use="")
BYTES = Touch(use="", form=Form.BYTES)
GONE = Touch(use="", goal=Goal.GONE)
CLOSED = Touch(use="", fields=("state",), goal=Goal.VALUES, values={"state": "closed"})
SET = Touch(use="", form=Form.SET, added=("a",), removed=("b",))


def image(value: object) -> Image | None:
    return None if value == "unread" else an_image(value)


def seen(before: object, left: object, now: object, **more: Any) -> dict[str, Seen]:
    return {
        "": Seen(
            resource=a_resource(**more),
            language=PYTHON,
            before=image(before),
            left=image(left),
            now=image(now),
        )
    }


@pytest.mark.parametrize(
    ("touch", "before", "left", "now", "expected"),
    [
        # fields
        (FIELD, {"title": 1}, {"title": 2}, {"title": 2}, TODO),
        (FIELD, {"title": 1}, {"title": 2}, {"title": 1}, ALREADY),
        (FIELD, {"title": 1}, {"title": 2}, {"title": 3}, CONFLICT),
        (FIELD, {"title": 1}, {"title": 1}, {"title": 1}, ALREADY),
        (FIELD, {"title": 1, "x": 1}, {"title": 2, "x": 1}, {"title": 2, "x": 9}, TODO),
        (FIELD, {"title": 1}, {"title": 2}, None, CONFLICT),
        (FIELD, {"title": 1}, {"title": 2}, "unread", CONFLICT),
        (FIELD, {"title": 1}, "unread", {"title": 2}, CONFLICT),
        (FIELD, {"title": 1}, "unread", {"title": 1}, ALREADY),
        (FIELD, {}, {"title": 2}, {"title": 2}, TODO),
        (FIELD, {}, {"title": 2}, {"title": None}, ALREADY),
        (FIELD, {"title": 1}, {}, {}, TODO),
        # the whole of it
        (WHOLE, {"a": 1}, {"a": 2}, {"a": 2}, TODO),
        (WHOLE, {"a": 1}, {"a": 2}, {"a": 1}, ALREADY),
        (WHOLE, {"a": 1}, {"a": 2}, {"a": 2, "b": 1}, CONFLICT),
        (WHOLE, {"a": 1}, {"a": 2}, {"a": 2, "updated": 5}, TODO),
        (WHOLE, {"a": 1}, None, None, TODO),
        (WHOLE, {"a": 1}, None, {"a": 1}, ALREADY),
        (WHOLE, {"a": 1}, None, {"a": 3}, CONFLICT),
        (WHOLE, {"a": 1}, {"a": 2}, None, CONFLICT),
        (WHOLE, {"a": 1}, "unread", {"a": 2}, CONFLICT),
        # bytes
        (BYTES, b"1", b"2", b"2", TODO),
        (BYTES, b"1", b"2", b"1", ALREADY),
        (BYTES, b"1", b"2", b"3", CONFLICT),
        (BYTES, b"1", b"2", None, CONFLICT),
        # what was created
        (GONE, None, {"a": 1}, {"a": 1}, TODO),
        (GONE, None, {"a": 1}, None, ALREADY),
        (GONE, None, {"a": 1}, {"a": 2}, CONFLICT),
        # a counter-action
        (CLOSED, "unread", {"state": "open"}, {"state": "open"}, TODO),
        (CLOSED, "unread", {"state": "open"}, {"state": "closed"}, ALREADY),
        (CLOSED, "unread", {"state": "open"}, {"state": "merged"}, CONFLICT),
        # sets
        (SET, ["b", "x"], ["a", "x"], ["a", "x"], TODO),
        (SET, ["b", "x"], ["a", "x"], ["b", "x", "y"], ALREADY),
        (SET, ["b", "x"], ["a", "x"], ["y"], TODO),
        (SET, ["b"], ["a"], None, CONFLICT),
        (SET, ["b"], ["a"], "unread", CONFLICT),
    ],
)
def test_seatas_table(
    touch: Touch, before: object, left: object, now: object, expected: Standing
) -> None:
    found = check([touch], seen(before, left, now))
    assert found.standing is expected
    assert bool(found.differences) == (expected is CONFLICT)


def test_one_conflict_of_several_parts_is_a_conflict() -> None:
    images = seen({"a": 1}, {"a": 2}, {"a": 2}) | {"b": seen({"a": 1}, {"a": 2}, {"a": 3})[""]}
    assert check([WHOLE, Touch(use="b")], images).standing is CONFLICT
    assert check([WHOLE], images).standing is TODO


def test_an_inverse_that_touches_nothing_readable_is_never_done_already() -> None:
    assert check([], {}).standing is CONFLICT


def test_what_nothing_tells_of_is_never_read_back_as_done() -> None:
    assert [d.why for d in achieved([], {})] == ["cannot be read back: nothing tells of it"]


def test_a_conflict_names_the_fields_that_differ() -> None:
    found = check([WHOLE], seen({"a": 1}, {"a": 2, "b": 1}, {"a": 3, "b": 1, "c": 1, "updated": 2}))
    assert [d.field for d in found.differences] == ["a", "c"]
    [bare] = check([BYTES], seen(b"1", b"2", b"3")).differences
    assert (bare.field, bare.why) == ("", "was changed by somebody else since")


def test_fields_compare_in_the_shape_in_which_they_are_written() -> None:
    names = {"title": Py("it['name']")}
    images = seen(
        {"title": {"name": "a", "id": 1}},
        {"title": {"name": "b"}},
        {"title": {"name": "a", "id": 2}},
        write_as=names,
    )
    assert check([FIELD], images).standing is ALREADY
    assert shape(images[""], images[""].left, ["title", "gone"]) == {"title": "b"}


def test_a_field_that_cannot_be_shaped_is_a_conflict() -> None:
    images = seen({"title": 1}, {"title": 2}, {"title": 3}, write_as={"title": Py("it['name']")})
    assert check([FIELD], images).standing is CONFLICT


@pytest.mark.parametrize(
    ("touch", "before", "now", "missing"),
    [
        (FIELD, {"title": 1}, {"title": 1, "x": 3}, []),
        (FIELD, {"title": 1}, {"title": 2}, ["title"]),
        (WHOLE, {"a": 1}, {"a": 1, "updated": 1}, []),
        (WHOLE, {"a": 1}, {"a": 2}, [""]),
        (GONE, None, None, []),
        (GONE, None, {"a": 1}, [""]),
        (SET, ["b"], ["b", "y"], []),
        (SET, ["b"], ["a"], ["a", "b"]),
        (SET, ["b"], None, [""]),
        (CLOSED, None, {"state": "open"}, ["state"]),
    ],
)
def test_reading_back(touch: Touch, before: object, now: object, missing: list[str]) -> None:
    assert [d.field for d in achieved([touch], seen(before, before, now))] == missing


def test_what_an_undo_leaves_of_a_calls_side_effects_is_a_trace() -> None:
    before, left = {"title": 1, "by": None, "n": 1}, {"title": 2, "by": "bot", "n": 2, "updated": 3}
    assert traces([FIELD], seen(before, left, {"title": 1, "by": "bot", "n": 1})) == ("by",)
    assert traces([FIELD], seen(before, left, {"title": 1, "by": "ann", "n": 1})) == ()
    assert traces([FIELD], seen(before, "unread", left)) == ()
    assert traces([WHOLE], seen(before, left, left)) == ()


def test_a_member_is_open_until_it_is_where_it_should_be() -> None:
    images = seen(["b"], ["a"], ["a"])[""]
    assert member_open(images, "a", restores=False)
    assert member_open(images, "b", restores=True)
    assert not member_open(images, "c", restores=False)

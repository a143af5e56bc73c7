"""Preconditions: where they stand, and that data cannot write more than its place."""

import pytest

from goex_proxy.core.exchange import Request
from goex_proxy.core.footprint import Seen
from goex_proxy.core.guarding import GuardError, binds, guard_for, guarded
from tests.core.world import PYTHON, Py, a_request, a_resource, an_image

JSON = a_request("PUT", json={"a": 1})


def seen(place: str, value: object, now: object = "same") -> Seen:
    image = an_image({"v": value})
    return Seen(
        resource=a_resource(guard=((place, "sha", Py("it['v']")),)),
        language=PYTHON,
        left=image,
        now=image if now == "same" else an_image(now),
    )


@pytest.mark.parametrize(
    ("place", "value", "expected"),
    [
        ("json", "s", a_request("PUT", json={"a": 1, "sha": "s"})),
        ("query", "s&x=1", a_request("PUT", "/notes/1?sha=s%26x%3D1", json={"a": 1})),
        ("json", None, JSON),
    ],
)
def test_a_guard_fills_its_place_and_no_more(place: str, value: object, expected: Request) -> None:
    assert guarded(JSON, seen(place, value)) == expected


@pytest.mark.parametrize(
    ("place", "value", "request_"),
    [
        ("header", "a\r\nX: y", JSON),
        ("json", "s", a_request("PUT", form={"a": "1"})),
        ("json", "s", a_request("PUT", json=[1])),
    ],
)
def test_a_guard_that_cannot_stand_there_is_an_error(
    place: str, value: object, request_: Request
) -> None:
    with pytest.raises(GuardError):
        guarded(request_, seen(place, value))


def test_what_is_made_anew_must_not_be_there() -> None:
    assert guarded(JSON, seen("header", "s", None)).headers.get("if-none-match") == "*"
    assert guarded(JSON, seen("json", "s", None)) == JSON
    assert guarded(JSON, None) == JSON


def test_a_guard_binds_if_the_service_gave_what_it_needs() -> None:
    images = seen("json", "s")
    assert binds(images, images.left)
    assert not binds(seen("json", None), an_image({"v": None}))
    assert not binds(images, an_image({}))
    assert not binds(images, None)


def test_a_guard_is_that_of_the_resource_that_is_written() -> None:
    assert guard_for(JSON, {"": seen("json", "s")}) == ""
    assert guard_for(a_request("PUT", "/notes/2"), {"": seen("json", "s")}) is None

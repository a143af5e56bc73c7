"""Requests and answers as plain values: header fields, origins, targets."""

from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.core.exchange import Headers, Origin, Request, Response, headers
from tests.core.world import ORIGIN, a_request

FIELDS = headers([("Accept", "a"), ("X-Two", "1"), ("accept", "b"), ("x-two", "2")])
NAMES = st.sampled_from(["A", "a", "B", "b", "C"])
PAIRS = st.lists(st.tuples(NAMES, st.text("xyz", max_size=3)))


def test_names_compare_without_case_and_the_order_of_the_wire_stays() -> None:
    assert next(iter(FIELDS)) == ("Accept", "a")
    assert FIELDS.all("ACCEPT") == ("a", "b")
    assert FIELDS.get("x-TWO") == "1, 2"
    assert FIELDS.as_map() == {"accept": "a, b", "x-two": "1, 2"}


def test_a_missing_field_is_its_default_and_an_empty_one_is_there() -> None:
    assert FIELDS.get("host") == ""
    assert FIELDS.get("host", "none") == "none"
    assert not FIELDS.has("host")
    empty = headers([("Host", "")])
    assert empty.has("host")
    assert empty.get("host", "none") == ""


def test_setting_leaves_one_at_the_end_and_the_value_it_was_made_from_alone() -> None:
    made = FIELDS.set("ACCEPT", "c")
    assert made.fields == (("X-Two", "1"), ("x-two", "2"), ("ACCEPT", "c"))
    assert FIELDS.all("accept") == ("a", "b")


@given(PAIRS, NAMES)
def test_without_removes_every_spelling_and_nothing_else(
    pairs: list[tuple[str, str]], name: str
) -> None:
    left = headers(pairs).without(name)
    assert not left.has(name)
    assert left.fields == tuple(p for p in pairs if p[0].lower() != name.lower())


@given(PAIRS)
def test_the_map_says_what_get_says(pairs: list[tuple[str, str]]) -> None:
    fields = headers(pairs)
    assert fields.as_map() == {name.lower(): fields.get(name) for name, _ in pairs}


@pytest.mark.parametrize(
    ("origin", "shown"),
    [
        (Origin(scheme="https", host="a.example", port=443), "https://a.example"),
        (Origin(scheme="http", host="a.example", port=80), "http://a.example"),
        (Origin(scheme="https", host="a.example", port=80), "https://a.example:80"),
        (Origin(scheme="http", host="a.example", port=443), "http://a.example:443"),
        (Origin(scheme="https", host="::1", port=443), "https://[::1]"),
        (Origin(scheme="https", host="::1", port=8443), "https://[::1]:8443"),
    ],
)
def test_an_authority_names_the_port_that_is_not_its_schemes(origin: Origin, shown: str) -> None:
    assert str(origin) == shown
    assert shown.endswith(origin.authority)


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [("/a", "/a", ""), ("/a?", "/a", ""), ("/a?b=c?d", "/a", "b=c?d"), ("/a%3Fb?c", "/a%3Fb", "c")],
)
def test_a_target_is_a_path_and_a_query(target: str, path: str, query: str) -> None:
    request = a_request(target=target)
    assert (request.path, request.query) == (path, query)
    assert request.url == f"https://api.example{target}"


def test_a_body_brings_its_type_or_keeps_the_one_there_is() -> None:
    typed = a_request(headers=headers([("content-type", "a/b"), ("X", "1")]))
    assert typed.with_body(b"x").headers == typed.headers
    replaced = typed.with_body(b"x", "c/d")
    assert replaced.headers.all("content-type") == ("c/d",)
    assert (replaced.body, typed.body) == (b"x", b"")


@pytest.mark.parametrize(
    ("status", "ok"), [(101, False), (200, True), (299, True), (300, False), (404, False)]
)
def test_an_answer_is_ok_from_200_to_299(status: int, ok: bool) -> None:
    assert Response(status=status).ok is ok


def test_a_body_that_is_streamed_past_is_not_an_empty_one() -> None:
    empty = Request(method="POST", origin=ORIGIN, target="/")
    assert empty.body == b""
    assert empty != Request(method="POST", origin=ORIGIN, target="/", body=None)


@pytest.mark.parametrize("value", [Headers(), ORIGIN, a_request(), Response(status=200)])
def test_what_passed_is_never_altered(value: object) -> None:
    name = next(iter(value.__dataclass_fields__))  # type: ignore[attr-defined]
    with pytest.raises(FrozenInstanceError):
        setattr(value, name, "other")

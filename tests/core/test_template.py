"""Templates: a value fills its place and never changes the shape of the path."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.core.path import Path, parse
from goex_proxy.core.template import parse_template
from tests.core.world import params

TEMPLATES = [
    "/",
    "/a/",
    "/{x}",
    "/{x}/",
    "/a/{x}/b",
    "/a/{n:int}",
    "/a/{p+}",
    "/a/{p+}/end",
    "/a/{p+}/",
    "/{x}/{p+}/{y}",
]
raw_segment = st.sampled_from(
    ["a", "b", "end", "12", "a%2Fb", "x%20y", "%C3%A9", "100%25", "...", "v1;2"]
)
paths = st.builds(
    lambda parts, slash: "/" + "/".join(parts) + ("/" if slash and parts else ""),
    st.lists(raw_segment, max_size=5),
    st.booleans(),
)


@given(st.sampled_from(TEMPLATES), paths)
def test_what_a_path_was_matched_to_fills_to_the_same_path(text: str, raw: str) -> None:
    template, path = parse_template(text), parse(raw)
    found = template.match(path)
    if found is not None:
        assert template.fill(found) == str(path)


@given(
    st.sampled_from(["/a/{x}/b", "/a/{x:int}/b", "/a/{x+}/b"]),
    st.text()
    | st.integers()
    | st.sampled_from(["../b", "a/../b", "%2e%2e", "a%2Fb", "..;", "a?b", "a#b"]),
)
def test_no_value_changes_the_shape(text: str, value: str | int) -> None:
    template = parse_template(text)
    try:
        filled = template.fill({"x": value})
    except ValueError:
        return
    path = parse(filled)
    assert "?" not in filled
    assert path.segments[0] == "a"
    assert path.segments[-1] == "b"
    many = text == "/a/{x+}/b"
    assert len(path.segments) == (2 + len(str(value).removesuffix("/").split("/")) if many else 3)
    assert template.match(path) is not None


@given(st.sampled_from(["/a/{x}/b", "/a/{x:int}/b", "/a/{x+}/b"]), st.text())
def test_a_value_that_fills_is_the_value_that_is_matched(text: str, value: str) -> None:
    template = parse_template(text)
    try:
        filled = template.fill({"x": value})
    except ValueError:
        return
    assert template.match(parse(filled)) == {"x": value.removesuffix("/") if "+" in text else value}


@pytest.mark.parametrize(
    "value",
    [
        "",
        ".",
        "..",
        "a\\b",
        "a\nb",
        "a\x7fb",
        "a%2Fb",
        "a%2e",
        "../x",
        "x/..",
        None,
        True,
        1.5,
        ["a"],
    ],
)
def test_a_value_that_is_no_segment_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="of the path"):
        parse_template("/a/{x}").fill({"x": value})


@pytest.mark.parametrize("value", ["/", "a//b", "a/../b", "/a", "a/%41", ""])
def test_a_value_of_many_segments_has_no_empty_or_dot_one(value: str) -> None:
    with pytest.raises(ValueError, match="of the path"):
        parse_template("/a/{x+}").fill({"x": value})


def test_a_slash_inside_a_value_of_one_segment_is_encoded() -> None:
    assert parse_template("/a/{x}").fill({"x": "b/c"}) == "/a/b%2Fc"
    assert params("/a/b%2Fc", "/a/{x}") == {"x": "b/c"}


def test_an_integer_is_digits() -> None:
    assert parse_template("/a/{n:int}").fill({"n": 7}) == "/a/7"
    assert params("/a/7", "/a/{n:int}") == {"n": "7"}
    assert params("/a/x", "/a/{n:int}") is None
    assert params("/a/%D9%A3", "/a/{n:int}") is None
    with pytest.raises(ValueError, match="whole number"):
        parse_template("/a/{n:int}").fill({"n": -1})


def test_many_segments_take_the_slash_at_the_end() -> None:
    assert params("/a/b/c/", "/a/{p+}") == {"p": "b/c/"}
    assert params("/a/b/c/end", "/a/{p+}/end") == {"p": "b/c"}
    assert params("/a/b/end/", "/a/{p+}/end") is None
    assert params("/a/", "/a/{p+}") is None


def test_the_root_is_matched() -> None:
    assert params("/", "/") == {}
    assert params("/a", "/") is None
    assert parse_template("/").fill({}) == "/"


def test_a_template_that_ends_in_a_slash_matches_only_such_a_path() -> None:
    assert params("/items/", "/items/") == {}
    assert params("/items", "/items/") is None
    assert params("/items/", "/items") is None
    assert parse_template("/items/{id}/").fill({"id": 3}) == "/items/3/"
    assert parse_template("/items/").shape != parse_template("/items").shape


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a", "begins"),
        ("/a{x}", "whole segment"),
        ("/{x", "whole segment"),
        ("/{x}/{x}", "twice"),
        ("/{x+}/{y+}", "only one"),
        ("/{x:date}", "whole segment"),
    ],
)
def test_a_template_that_cannot_be_meant_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_template(text)


def test_literal_comes_before_integer_before_any_before_many() -> None:
    ordered = ["/a/b", "/a/{n:int}", "/a/{x}", "/a/{p+}"]
    assert sorted(reversed(ordered), key=lambda t: parse_template(t).weight) == ordered


def test_a_shape_forgets_the_names() -> None:
    assert parse_template("/a/{x}").shape == parse_template("/a/{n:int}").shape == ("a", "{}")
    assert parse_template("/a/{x+}").shape == ("a", "{+}")
    assert parse_template("/a/{x+}").many
    assert parse_template("/a/{x}/{y+}").params == ("x", "y")
    assert parse_template("/a").match(Path(("a", "b"))) is None

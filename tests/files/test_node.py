"""Values of a file, and where the characters of its texts stand."""

import pytest

from goex_proxy.files.issue import At
from goex_proxy.files.node import Fields, Items, Scalar, Source, place
from goex_proxy.files.yamltext import parse


def scalar(text: str, name: str = "k") -> Scalar:
    node = parse(text, "f")
    assert isinstance(node, Fields)
    found = node.get(name)
    assert isinstance(found, Scalar)
    return found


def at(text: str, sought: str) -> tuple[int, int]:
    """Where the scalar says that a part of its value stands."""
    found = scalar(text)
    spot = found.inside(found.text.index(sought))
    return spot.line, spot.col


def test_a_file_is_plain_values_again() -> None:
    node = parse("a: [1, 1.5, true, null, text]\nb: {c: {d: []}}\n", "f")
    assert node.plain() == {"a": [1, 1.5, True, None, "text"], "b": {"c": {"d": []}}}


def test_a_map_is_asked_like_one_and_keeps_the_order_of_the_file() -> None:
    node = parse("z: 1\na: 2\n", "f")
    assert isinstance(node, Fields)
    assert list(node) == ["z", "a"]
    assert ("z" in node, "q" in node, node.get("q")) == (True, False, None)
    assert [(name, value.plain()) for name, value in node.items()] == [("z", 1), ("a", 2)]
    assert node.key("a") == At("f", 2, 1)


def test_a_list_is_walked_in_order() -> None:
    node = parse("- a\n- b\n", "f")
    assert isinstance(node, Items)
    assert [item.plain() for item in node] == ["a", "b"]
    assert [item.at.line for item in node] == [1, 2]


def test_the_text_of_a_value_is_kept_whatever_it_was_read_as() -> None:
    assert (scalar("k: 0o17").text, scalar("k: 403").text, scalar("k: true").text) == ("0o17", "403", "true")  # fmt: skip


@pytest.mark.parametrize(
    ("index", "line", "col"), [(0, 1, 1), (2, 1, 3), (3, 2, 1), (5, 2, 3), (6, 3, 1)]
)
def test_a_place_counts_lines_and_columns_from_one(index: int, line: int, col: int) -> None:
    assert place(Source("f", "ab\ncd\nx"), index) == At("f", line, col)


@pytest.mark.parametrize(
    ("text", "sought", "where"),
    [
        ("k: one two", "two", (1, 8)),
        ("k:    one two", "one", (1, 7)),
        ("k: 'it''s two'", "two", (1, 11)),
        ('k: "a\\tb\\u00fc two"', "two", (1, 16)),
        ('k: "\\x41\\U0001F600 two"', "two", (1, 20)),
        ('k: "a\\\n   b two"', "two", (2, 6)),
        ('k: "a\\\n   \\\n  b two"', "b", (3, 3)),
        ('k: "a \\\n   b two"', "b", (2, 4)),
        ("k: one\n   two", "two", (2, 4)),
        ("k: >-\n  one\n  two", "two", (3, 3)),
        ("k: >-\n  one\n\n  two", "two", (4, 3)),
        ("k: |\n  one\n  two", "two", (3, 3)),
        ("k: |2\n   one\n  two", "two", (3, 3)),
        ("x: 1\nk: |\n    one\n      two", "two", (4, 7)),
        ("k: 'one\n\n  two'", "two", (3, 3)),
    ],
)
def test_a_character_of_a_text_is_found_where_it_was_written(
    text: str, sought: str, where: tuple[int, int]
) -> None:
    assert at(text, sought) == where


def test_the_end_of_a_text_is_no_further_than_the_text() -> None:
    for text in ("k: ab\nx: 1", "k: 'ab'\nx: 1", "k: |\n  ab\nx: 1", "k: >-\n  ab\nx: 1"):
        found = scalar(text)
        assert found.at <= found.inside(1000) <= place(found.source, found.span[1])

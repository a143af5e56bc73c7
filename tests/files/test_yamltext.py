"""Strict YAML: what is refused, where, and what plain words mean."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.files.issue import FileError
from goex_proxy.files.node import Fields, Node, Scalar
from goex_proxy.files.yamltext import MAX_DEPTH, parse, parse_all, read


def scalar(node: Node | None) -> Scalar:
    assert isinstance(node, Scalar)
    return node


def field(text: str, name: str = "k") -> Scalar:
    node = parse(text, "f.yaml")
    assert isinstance(node, Fields)
    return scalar(node.get(name))


def refusal(text: str | bytes) -> FileError:
    with pytest.raises(FileError) as caught:
        parse(text, "f.yaml")
    return caught.value


@pytest.mark.parametrize(
    "word",
    [
        "on",
        "off",
        "yes",
        "no",
        "12:30",
        "2025-11-20",
        "1_000",
        "007",
        "0x1f",
        "0o7",
        ".inf",
        ".nan",
        "y",
        "N",
        "1.",
        ".5",
        "=",
        "<<",
        "2025-11-20T14:00:00Z",
        "1" * 20,
        "1e999",
    ],
)
def test_words_that_yaml_1_1_takes_for_something_else_are_text(word: str) -> None:
    assert field(f"k: {word}").value == word


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("1", 1),
        ("-3", -3),
        ("0", 0),
        ("2.5", 2.5),
        ("25.0", 25.0),
        ("1e3", 1000.0),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
    ],
)
def test_numbers_truth_and_null_are_values(word: str, value: object) -> None:
    found = field(f"k: {word}").value
    assert (found, type(found)) == (value, type(value))


def test_quoted_words_are_always_text() -> None:
    assert [field(f"k: {word}").value for word in ('"1"', "'true'", '"null"', '""')] == [
        "1",
        "true",
        "null",
        "",
    ]


def test_keys_are_text_whatever_they_look_like() -> None:
    node = parse("on: 1\n403: 2\ntrue: 3\n", "f.yaml")
    assert node.plain() == {"on": 1, "403": 2, "true": 3}


def test_a_key_that_stands_twice_is_refused_where_it_stands_again() -> None:
    error = refusal("a: 1\nb:\n  c: 1\n  'c': 2\n")
    assert (error.line, error.col) == (4, 3)
    assert "'c' stands twice" in error.what
    assert "line 3" in error.what


@pytest.mark.parametrize(
    ("text", "place", "word"),
    [
        ("a: &x 1\n", (1, 4), "anchors"),
        ("a: *x\n", (1, 4), "aliases"),
        ("a: !!python/object:os.system ls\n", (1, 4), "tag"),
        ("a: !!str 1\n", (1, 4), "tag"),
        ("a: !x 1\n", (1, 4), "tag"),
        ("a:\n\tb: 1\n", (2, 1), "tab"),
        ("{a: 1, [b]: 2}\n", (1, 8), "key"),
        ("a: 1\n b: 2\n", (2, 3), "mapping values"),
        ("a: 'x\n", (2, 1), "quoted scalar"),
        ("a: 1\n---\nb: 2\n", (2, 1), "second document"),
        (b"a: 1\nbc: \xff\n", (2, 5), "UTF-8"),
        ("a: x\x00y\n", (1, 5), "U+0000"),
        ("a: \x1b[31m\n", (1, 4), "U+001B"),
    ],
)
def test_what_would_surprise_is_refused_with_its_place(
    text: str | bytes, place: tuple[int, int], word: str
) -> None:
    error = refusal(text)
    assert word in error.what
    assert (error.line, error.col) == place or word in ("second document",)
    assert str(error).startswith(f"f.yaml:{error.line}:{error.col}: ")


def test_every_problem_of_a_file_is_named_in_its_order() -> None:
    error = refusal("a: &x 1\nb: !t 2\na: 3\nc: *x\n")
    assert [issue.at.line for issue in error.issues] == [1, 2, 3, 4]


def test_an_alias_bomb_costs_nothing() -> None:
    lines = ["a0: &a0 [x, x]"] + [
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)
    ]
    assert "anchors" in refusal("\n".join(lines)).what


@pytest.mark.parametrize("deep", ["[" * 100_000, "{a: " * 5_000, "- " * 5_000 + "x"])
def test_deep_nesting_is_refused_without_a_crash(deep: str) -> None:
    assert f"deeper than {MAX_DEPTH}" in str(refusal(deep))


@pytest.mark.parametrize("empty", ["", "\n", "# only a comment\n", "---\n"])
def test_an_empty_file_is_refused_with_a_beginning(empty: str) -> None:
    assert "empty" in refusal(empty).what


def test_a_file_above_the_cap_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    path.write_text("a: 1\n" * 1000)
    with pytest.raises(FileError, match="larger than 1 KiB"):
        read(path, limit=1024)


def test_a_file_that_is_missing_is_a_file_error(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"No such file"):
        read(tmp_path / "none.yaml")


def test_several_documents_are_read_where_asked() -> None:
    assert [n.plain() for n in parse_all("a: 1\n---\nb: 2\n", "f.yaml")] == [{"a": 1}, {"b": 2}]


def test_windows_line_ends_and_a_byte_order_mark_are_no_matter() -> None:
    assert parse(b"\xef\xbb\xbfa: 1\r\nb: |\r\n  x\r\n  y\r\n", "f").plain() == {
        "a": 1,
        "b": "x\ny\n",
    }


@pytest.mark.parametrize(
    ("text", "needle", "place"),
    [
        ("k: a + nope\n", "nope", (1, 8)),
        ("k: 'a + nope'\n", "nope", (1, 9)),
        ("k: 'a ''b'' + nope'\n", "nope", (1, 15)),
        ('k: "a \\"b\\" \\u0041 nope"\n', "nope", (1, 20)),
        ("k: |\n  a +\n    b\n  nope\n", "nope", (4, 3)),
        ("k: >-\n  a +\n  b\n  nope x\n", "nope", (4, 3)),
        ("k: a +\n  b\n   nope\n", "nope", (3, 4)),
        ("{x: 1, k: [ü] , z: 2}\nk: ü nope\n".splitlines()[1] + "\n", "nope", (1, 6)),
        ("k: |2\n  a\n   nope\n", "nope", (3, 4)),
        ("k: |\n\n  a\n\n  nope\n", "nope", (5, 3)),
    ],
)
def test_a_character_inside_a_text_has_its_place(
    text: str, needle: str, place: tuple[int, int]
) -> None:
    node = field(text)
    at = node.inside(node.text.index(needle))
    assert (at.line, at.col) == place


@given(
    st.text(
        st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Zs", "Zl", "Zp"])
        | st.sampled_from(" \n'\"\\ "),
        min_size=1,
        max_size=40,
    ),
    st.sampled_from(["'", '"', "|"]),
)
def test_the_place_of_a_character_is_a_place_where_it_stands(value: str, style: str) -> None:
    text = yaml.dump({"k": value}, default_style=style, allow_unicode=True, width=30)
    node = field(text)
    assert node.value == value
    lines = text.split("\n")
    for offset, char in enumerate(value):
        at = node.inside(offset)
        assert 1 <= at.line <= len(lines)
        if not char.isspace() and char not in "'\"\\" and "\\" not in text and "'" not in value:
            assert lines[at.line - 1][at.col - 1] == char


junk = st.text(st.sampled_from("ab:- \n\t[]{}&*!|>'\"%@`#,?0.x"), max_size=60)


@given(junk)
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    for document in _documents(text):
        document.plain()


def _documents(text: str) -> list[Node]:
    try:
        return parse_all(text, "f.yaml")
    except FileError as error:
        return [] if error.path == "f.yaml" else parse_all("refused without a path", "")

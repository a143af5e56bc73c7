"""Text with expressions: where each begins and ends, and what stays text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.files.issue import FileError, Typed
from goex_proxy.files.text_template import Part, parts


def cut(text: str) -> list[str | Part]:
    return parts(text, Typed("f"))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", []),
        ("plain $ { } $x", ["plain $ { } $x"]),
        ("${a}", [Part("a", 2)]),
        ("to ${let.repo}!", ["to ", Part("let.repo", 5), "!"]),
        ("${a}${b}", [Part("a", 2), Part("b", 6)]),
        ("$${a}", ["${a}"]),
        ("x$${a}${b}$${", ["x${a}", Part("b", 8), "${"]),
        ("${ {'k': {'l': 1}}.k }", [Part(" {'k': {'l': 1}}.k ", 2)]),
        ("${'}'}${\"}\"}", [Part("'}'", 2), Part('"}"', 8)]),
        ("${'it\\'s }'} b", [Part("'it\\'s }'", 2), " b"]),
        ("${'\"'}}", [Part("'\"'", 2), "}"]),
        ("${}", [Part("", 2)]),
        ("$", ["$"]),
    ],
)
def test_a_text_is_cut_where_its_expressions_begin_and_end(
    text: str, wanted: list[str | Part]
) -> None:
    assert cut(text) == wanted


@pytest.mark.parametrize(
    ("text", "col"), [("${", 1), ("a ${b", 3), ("${a} ${b", 6), ("${'}", 1), ("${{}", 1), ("${'\\", 1)]
)  # fmt: skip
def test_an_expression_without_its_end_is_refused_where_it_begins(text: str, col: int) -> None:
    with pytest.raises(FileError, match="without its }") as caught:
        cut(text)
    assert (caught.value.col, caught.value.hint) == (col, "write ${expression}")


@given(st.text("ab$ {", max_size=20))
def test_text_that_is_escaped_comes_back_as_it_was(text: str) -> None:
    plain = text.replace("$", "")  # a $ of its own before ${ would be the escape's
    found = cut(f"{plain}$${{{plain}")
    assert found == [f"{plain}${{{plain}"]


@given(st.text("a${}'\"\\", max_size=30))
def test_every_part_stands_where_it_says(text: str) -> None:
    try:
        found = cut(text)
    except FileError:
        return
    for part in found:
        if isinstance(part, Part):
            assert text[part.start - 2 : part.start] == "${"
            assert text[part.start : part.start + len(part.source) + 1] == part.source + "}"

"""Texts with expressions in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.core.step import render
from goex_proxy.files import yamltext
from goex_proxy.files.issue import Issues
from goex_proxy.files.reverser_language import LEFT, Tongue
from goex_proxy.files.reverser_text import pieces, template


def rendered(text: str, **values: object) -> object:
    tongue = Tongue([], [], Issues())
    made = template(yamltext.parse(text, "x"), tongue, LEFT)
    tongue.issues.refuse()
    return render(made, tongue.cel.scope(values))


def test_a_text_that_is_one_expression_keeps_its_type() -> None:
    assert rendered('"${args.n}"', args={"n": 7}) == 7
    assert rendered('"n=${args.n}"', args={"n": 7}) == "n=7"
    assert rendered('"${args}"', args={"n": [None]}) == {"n": [None]}


def test_literals_are_themselves() -> None:
    assert rendered("{a: true, b: 1, c: [null, x], d: '1'}") == {
        "a": True,
        "b": 1,
        "c": [None, "x"],
        "d": "1",
    }


def test_an_optional_key_is_dropped_when_there_is_nothing() -> None:
    assert rendered('{"a?": "${args.?x}", b: 1}', args={}) == {"b": 1}
    assert rendered('{"a?": "${args.?x}"}', args={"x": "y"}) == {"a": "y"}


def test_a_value_is_never_parsed_again() -> None:
    assert rendered('"<${args.a}>"', args={"a": "${args.b}"}) == "<${args.b}>"


def test_braces_and_quotes_inside_an_expression() -> None:
    assert rendered("""'${{"a": "}"}["a"]}'""") == "}"
    assert list(pieces("a${b}c")) == [(0, "a", False), (3, "b", True), (5, "c", False)]


def test_an_open_expression_is_refused() -> None:
    with pytest.raises(ValueError, match="not closed"):
        rendered('"${args.x"')


def test_a_mistake_is_shown_in_its_place() -> None:
    with pytest.raises(ValueError, match=r"x:1:11: .*undeclared"):
        rendered('a: "${ 1 +nope}"')


@given(st.text(alphabet="a${}'\"\\", max_size=30))
def test_pieces_cover_the_text_or_say_why_not(text: str) -> None:
    try:
        found = list(pieces(text))
    except ValueError:
        return
    whole = "".join(
        f"${{{piece}}}" if is_expression else piece for _, piece, is_expression in found
    )
    assert whole == text

"""Templates of values: rendered once, types kept, null and absent told apart."""

import pytest

from goex_proxy.core.expression import ExpressionError
from goex_proxy.core.step import Text, render, shown
from tests.core.world import PYTHON, Py, text

VALUE = {"a": [1, None]}
SCOPE = PYTHON.scope({"v": VALUE, "n": None, "t": True, "s": "${v}"})


def test_a_text_that_is_one_expression_keeps_the_type_of_its_value() -> None:
    assert render(text("v"), SCOPE) is VALUE
    assert render(text("n"), SCOPE) is None
    assert Text(("v",)).whole is None
    assert Text(()).whole is None
    assert Text((Py("v"), "")).whole is None


def test_a_text_with_more_in_it_is_text() -> None:
    assert render(Text(("a ", Py("t"), " b ", Py("n"), "c")), SCOPE) == "a true b c"
    assert render(Text(()), SCOPE) == ""


def test_what_a_value_says_is_not_read_again() -> None:
    assert render(text("s"), SCOPE) == "${v}"
    assert render(Text(("x", Py("s"))), SCOPE) == "x${v}"


def test_lists_and_maps_are_rendered_to_their_depth() -> None:
    template = [{"k": [text("t"), 1.5, "plain"]}, None, False]
    assert render(template, SCOPE) == [{"k": [True, 1.5, "plain"]}, None, False]  # type: ignore[arg-type]


def test_a_key_with_a_question_mark_is_dropped_only_if_its_value_is_null() -> None:
    template = {"a?": text("n"), "b": text("n"), "c?": text("t"), "d?": ""}
    assert render(template, SCOPE) == {"b": None, "c": True, "d": ""}  # type: ignore[arg-type]


def test_an_expression_that_fails_is_an_error_even_where_null_would_be_dropped() -> None:
    with pytest.raises(ExpressionError):
        render({"a?": text("missing")}, SCOPE)


@pytest.mark.parametrize(
    ("value", "text_"), [(True, "true"), (False, "false"), (None, ""), (1, "1"), ("x", "x")]
)
def test_a_value_inside_a_text_is_as_json_writes_it(value: object, text_: str) -> None:
    assert shown(value) == text_

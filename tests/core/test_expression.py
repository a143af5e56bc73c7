"""Expressions: an error names its source and why, for people, never for an agent."""

import pytest

from goex_proxy.core.expression import Expression, ExpressionError
from tests.core.world import PYTHON, Py


def test_an_error_says_what_failed_and_why() -> None:
    error = ExpressionError("args.x", "no such key")
    assert (error.source, error.why) == ("args.x", "no such key")
    assert str(error) == "args.x: no such key"


def test_what_cannot_be_evaluated_is_raised_and_never_a_value() -> None:
    expression: Expression = Py("args['x']")
    with pytest.raises(ExpressionError, match=r"args\['x'\]: KeyError"):
        expression.evaluate(PYTHON.scope({"args": {}}))


def test_only_what_an_expression_reads_is_looked_up() -> None:
    expression = Py("1 if a else b")
    assert expression.names == {"a", "b"}
    assert expression.evaluate(PYTHON.scope({"a": True})) == 1

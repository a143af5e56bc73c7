"""CEL with names and functions of both formats, for the tests of the adapter."""

from collections.abc import Mapping

import pytest

from goex_proxy.core.expression import ExpressionError
from goex_proxy.files.cel import Cel, CelType, Want
from goex_proxy.files.cel_functions import POLICY_FUNCTIONS, REVERSER_FUNCTIONS
from goex_proxy.files.issue import FileError

NAMES = {
    "args": CelType.MAP, "headers": CelType.TEXTS, "x": CelType.DYN, "y": CelType.DYN, "s": CelType.STRING, "n": CelType.INT, "d": CelType.DOUBLE,
    "b": CelType.BOOL, "now": CelType.TIME, "credential.name": CelType.STRING, "lists.channels": CelType.STRINGS,
    "scheme": CelType.STRING, "host": CelType.STRING, "port": CelType.INT,
}  # fmt: skip
FUNCTIONS = (*POLICY_FUNCTIONS, *REVERSER_FUNCTIONS)
PLAIN = Cel(NAMES, FUNCTIONS)
EXACT = Cel(NAMES, FUNCTIONS, exact=True)
HERE = {"origin": "https://dav.example"}


def run(
    source: str, values: Mapping[str, object] = {}, want: Want = "any", cel: Cel = PLAIN
) -> object:
    return cel.compile(source, want).evaluate(cel.scope(values))


def error(
    source: str, values: Mapping[str, object] = {}, want: Want = "any", cel: Cel = PLAIN
) -> str:
    expression = cel.compile(source, want)
    with pytest.raises(ExpressionError) as caught:
        expression.evaluate(cel.scope(values))
    return caught.value.why


def refusal(source: str, want: Want = "any", cel: Cel = PLAIN) -> FileError:
    with pytest.raises(FileError) as caught:
        cel.compile(source, want)
    return caught.value

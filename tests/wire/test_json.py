"""JSON that everybody reads alike; all else is invalid, and nothing raises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.core.decoded import BodyState
from goex_proxy.wire import json


def test_an_object_is_its_args() -> None:
    decoded = json.decode(b'{"text":"hi","n":9007199254740993}')
    assert decoded.state is BodyState.PARSED
    assert decoded.args == {"text": "hi", "n": 9007199254740993}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b'{"a":1,"a":2}', "duplicate key: 'a'"),
        (b'{"a":{"k":1,"\\u006b":1}}', "duplicate key: 'k'"),
        (b"[" * 65 + b"]" * 65, "nested deeper"),
        ("{}".encode("utf-16"), "not UTF-8"),
        ("{}".encode("utf-16-le"), "not JSON"),
        (b"NaN", "NaN"),
        (b'{"a":"\\ud83d"}', "surrogate"),
        (b"{}x", "not JSON"),
    ],
)
def test_what_two_readers_would_read_differently_is_invalid(data: bytes, why: str) -> None:
    decoded = json.decode(data)
    assert decoded.state is BodyState.INVALID
    assert why in decoded.why


def test_more_values_than_are_decoded_are_too_large_and_not_invalid() -> None:
    assert json.decode(b"[" + b"0," * (json.MAX_VALUES - 2) + b"0]").state is BodyState.PARSED
    decoded = json.decode(b"[" + b"0," * json.MAX_VALUES + b"0]")
    assert (decoded.state, decoded.why) == (
        BodyState.TOO_LARGE, f"JSON of more than {json.MAX_VALUES} values",
    )  # fmt: skip


def test_another_charset_is_invalid_whatever_the_bytes() -> None:
    assert json.decode(b"{}", "utf-7").state is BodyState.INVALID
    assert json.decode(b"{}", "UTF-8").state is BodyState.PARSED


def test_a_whole_surrogate_pair_is_a_character() -> None:
    assert json.decode(b'{"a":"\\ud83d\\ude00"}').args == {"a": "\U0001f600"}


@given(st.binary() | st.text().map(lambda t: ('{"' + t).encode("utf-8", "surrogatepass")))
def test_no_bytes_raise(data: bytes) -> None:
    assert json.decode(data).state in (BodyState.PARSED, BodyState.INVALID)

"""JSON that survives a round trip exactly."""

import copy
import json
import pickle
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.core.exact import (
    MAX_DEPTH,
    DuplicateKey,
    NotJson,
    Number,
    TooMany,
    dumps,
    loads,
)

number_texts = st.from_regex(
    r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?", fullmatch=True
)
texts = st.text(st.characters(codec=None), max_size=12)


def raw_json(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    lists = st.lists(children, max_size=4).map(lambda items: "[" + ",".join(items) + "]")
    maps = st.dictionaries(texts, children, max_size=4).map(
        lambda m: "{" + ",".join(f"{dumps(k).decode()}:{v}" for k, v in m.items()) + "}"
    )
    return lists | maps


documents = st.recursive(
    number_texts
    | st.sampled_from(["null", "true", "false"])
    | texts.map(lambda s: dumps(s).decode()),
    raw_json,
    max_leaves=12,
)


@given(documents)
def test_a_compact_document_comes_back_byte_for_byte(document: str) -> None:
    assert dumps(loads(document.encode())) == document.encode()


@given(documents)
def test_the_standard_library_reads_what_is_written_as_the_same_value(document: str) -> None:
    assert json.loads(dumps(loads(document))) == json.loads(document)


@pytest.mark.parametrize(
    "text", ["1.50", "1E5", "-0", "-0.0", "0.1", "1e400", "12345678901234567890", "1e-9"]
)
def test_a_number_keeps_its_text(text: str) -> None:
    assert dumps(loads(f"[{text}]".encode())) == f"[{text}]".encode()


def test_a_number_counts_as_its_value() -> None:
    value = loads(b"1.50")
    assert isinstance(value, Number)
    assert value == 1.5
    assert value.text == "1.50"
    assert [copy.deepcopy(value).text, pickle.loads(pickle.dumps(value)).text] == ["1.50", "1.50"]


@pytest.mark.parametrize("text", [b'{"a":1,"a":2}', b'[{"x":{"k":1,"\\u006b":1}}]'])
def test_a_key_that_stands_twice_is_refused_by_name(text: bytes) -> None:
    with pytest.raises(DuplicateKey) as caught:
        loads(text)
    assert caught.value.key in {"a", "k"}


@pytest.mark.parametrize(
    "text",
    [b"NaN", b"[Infinity]", b"-Infinity", b"\xff", b"", b"{", b'"a', b"1 2", b"'a'", b"[1,]"],
)
def test_what_is_not_json_is_refused(text: bytes) -> None:
    with pytest.raises(NotJson):
        loads(text)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [float("-inf")]])
def test_nan_and_infinity_are_never_written(value: object) -> None:
    with pytest.raises(ValueError, match="not JSON"):
        dumps(value)


@pytest.mark.parametrize("value", [object(), {1: 2}, b"bytes", {"a": {1}}])
def test_a_value_that_json_has_no_word_for_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        dumps(value)


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 5_000, 200_000])
def test_deep_nesting_is_refused_without_a_crash(depth: int) -> None:
    for opening, closing in ("[]", ('{"k":', "}")):
        with pytest.raises(NotJson, match="nested deeper"):
            loads(opening * depth + "1" + closing * depth)


def test_nesting_up_to_the_cap_is_read_and_written() -> None:
    text = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    assert dumps(loads(text)) == text


def test_brackets_inside_strings_are_not_nesting() -> None:
    text = dumps({"a": '\\"' + "[" * 500})
    assert dumps(loads(text)) == text


@pytest.mark.parametrize("text", ["[1,2,3]", "[[],[]]", '{"a":1,"b":[0]}', '["a,b[{","\\",[{"]'])
def test_values_are_counted_before_they_are_made(text: str) -> None:
    """31 MB of `[],[],` stood for gigabytes and stopped everybody for a minute. Strings do not
    count, whatever is in them."""
    assert loads(text, 5) == loads(text)
    with pytest.raises(TooMany, match="more than 2 values"):
        loads(text, 2)


@pytest.mark.parametrize("item", ["[],", '{"a":1},', "1.5,", '"a",', '"\\",', "[[[[", '"', '{"a":'])
def test_values_beyond_any_are_refused_at_once(item: str) -> None:
    began = time.monotonic()
    with pytest.raises(NotJson):
        loads("[" + item * (8_000_000 // len(item)), 1000)
    assert time.monotonic() - began < 1


def test_a_text_of_quotes_that_ends_in_a_backslash_is_looked_through_once() -> None:
    """Each of its quotes began another look to its end: an hour for a megabyte."""
    began = time.monotonic()
    with pytest.raises(NotJson):
        loads("[" + "[]," * 65 + '"' + '\\"' * 500_000 + "\\")
    assert time.monotonic() - began < 1


def test_a_number_of_a_million_digits_costs_nothing() -> None:
    began = time.monotonic()
    for text in (b"1" * 1_000_000, b"0." + b"1" * 1_000_000):
        with pytest.raises(NotJson, match="digits"):
            loads(text)
    assert time.monotonic() - began < 1


def test_a_byte_order_mark_is_passed_over() -> None:
    assert loads(b"\xef\xbb\xbf[1]") == [1]


def test_a_lone_surrogate_survives_as_the_escape_it_was() -> None:
    assert loads(dumps(loads(b'["\\ud800"]'))) == ["\ud800"]


def test_the_order_of_keys_is_kept() -> None:
    assert dumps(loads(b'{"z":1,"a":{"y":1,"b":2}}')) == b'{"z":1,"a":{"y":1,"b":2}}'

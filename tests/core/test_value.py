"""How JSON-like values compare: by value, exactly."""

import time
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.core.exact import loads
from goex_proxy.core.value import ABSENT, Absent, common, contains, dotted, minus, same, without

_TEXTS = st.sampled_from(
    [
        "1",
        "1.0",
        "1e0",
        "10e-1",
        "true",
        "-0",
        "0",
        "null",
        '"1"',
        "1e400",
        "1e99999999999999999999",
    ]
)
_VALUES = st.recursive(
    _TEXTS.map(loads),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=4,
)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("1", "1.0"),
        ("1.50", "1.5"),
        ("1e2", "100"),
        ('{"a":1,"b":2}', '{"b":2,"a":1}'),
        ("-0", "0"),
        ("1e400", "10e399"),
    ],
)
def test_what_means_the_same_is_the_same(left: str, right: str) -> None:
    assert same(loads(left), loads(right))
    assert same(loads(right), loads(left))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("1", "true"),
        ("0", "false"),
        ("null", "0"),
        ("1", '"1"'),
        ("1.5", '"1.5"'),
        ("[1,2]", "[2,1]"),
        ("[1]", "[1,1]"),
        ("{}", "[]"),
        ('{"a":null}', "{}"),
        ("1e400", "2e400"),
        ("9007199254740993", "9007199254740992.0"),
        ("0.1", "0.1000000000000000055"),
        ("1e99999999999999999999", "2e99999999999999999999"),
    ],
)
def test_what_differs_differs(left: str, right: str) -> None:
    assert not same(loads(left), loads(right))
    assert not same(loads(right), loads(left))


def test_there_is_one_absent_and_it_is_not_null() -> None:
    assert Absent() is ABSENT
    assert not ABSENT
    assert repr(ABSENT) == "absent"
    assert same(ABSENT, ABSENT)
    assert not same(ABSENT, None)


def test_volatile_fields_are_left_out_at_any_depth() -> None:
    value = {"a": 1, "at": 2, "in": [{"at": 3, "b": 4}]}
    assert without(value, frozenset({"at"})) == {"a": 1, "in": [{"b": 4}]}
    assert without(b"raw", frozenset({"at"})) == b"raw"


def test_a_dotted_name_leads_into_maps() -> None:
    value = {"a": {"b": [1]}}
    assert dotted(value, "a.b") == [1]
    assert dotted(value, "") == value
    assert dotted(value, "a.c") is ABSENT
    assert dotted(value, "a.b.c") is ABSENT


def test_sets_are_lists_without_order_or_doubles() -> None:
    assert minus([1, 2, 2, True], [1]) == [2, True]
    assert common([1, 2, 3], [3, 1]) == [1, 3]
    assert contains([{"a": 1}], {"a": 1})
    assert not contains([1], True)


@given(st.lists(_VALUES, max_size=6), st.lists(_VALUES, max_size=6))
def test_sets_go_by_what_is_the_same(left: list[object], right: list[object]) -> None:
    assert common(left, right) == [item for item in left if contains(right, item)]
    lost = minus(left, right)
    assert all(contains(left, item) and not contains(right, item) for item in lost)
    assert all(contains(right, item) or contains(lost, item) for item in left)
    assert not any(same(a, b) for a, b in combinations(lost, 2))


def test_sets_of_ten_thousand_are_compared_at_once() -> None:
    """By a loop in a loop it would take a minute, in which the gateway serves nobody."""
    many: list[object] = [f"U{number}" for number in range(10_000)]
    started = time.process_time()
    assert minus(many, many) == []
    assert common(many, many) == many
    assert time.process_time() - started < 2

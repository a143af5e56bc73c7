"""How JSON-like values compare: by value, exactly."""

import pytest

from goex_proxy.core.exact import loads
from goex_proxy.core.value import ABSENT, Absent, common, contains, dotted, minus, same, without


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

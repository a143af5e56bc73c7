"""Values on their way into CEL and back: nothing is changed unseen."""

import datetime
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.core.exact import MAX_DEPTH, dumps, loads
from goex_proxy.files.cel_values import Sealed, Unfit, plain
from tests.files.cel_world import EXACT, error, run

leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(codec=None), max_size=8)
    | st.text(st.sampled_from("a\0\ufdd0\ufdd10\ud800"), max_size=6)
)
texts = st.from_regex(
    r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,12})?([eE][+-]?[0-9]{1,2})?", fullmatch=True
).map(loads)
values = st.recursive(
    leaves | texts,
    lambda c: (
        st.lists(c, max_size=4)
        | st.dictionaries(st.text(st.characters(codec=None), max_size=5), c, max_size=4)
    ),
    max_leaves=15,
)


@given(values)
def test_an_image_value_comes_out_of_cel_byte_for_byte(value: object) -> None:
    for source in (
        "x",
        "{'k': [x]}.k[0]",
        "find([{'i': 1, 'v': x}], 'i', 1).v",
        "merge({'v': x}, {'w': 1}).v",
    ):
        assert dumps(run(source, {"x": value}, cel=EXACT)) == dumps(value)


@given(
    st.text(st.characters(codec=None), max_size=12), st.text(st.characters(codec=None), max_size=12)
)
def test_text_put_together_from_exact_values_is_exact(left: str, right: str) -> None:
    assert run("x + '-' + y", {"x": left, "y": right}, cel=EXACT) == f"{left}-{right}"
    assert run("x == y", {"x": left, "y": right}, "bool", EXACT) is (left == right)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("'n=' + string(x.n)", "n=1.50"),
        ("b64(x.z)", "YQBi"),
        ("split(x.z, '\\u0000')", ["a", "b"]),
        ("{'k': x}", {"k": {"n": 1.5, "z": "a\0b", "raw": b"\0\xff"}}),
        ("is_file(x.raw)", True),
        ("x.raw", b"\0\xff"),
        ("b64(x.raw)", "AP8="),
        ("b64d('AP8=')", b"\0\xff"),
        ("names([{'name': x.z}])", ["a\0b"]),
    ],
)
def test_functions_see_what_handles_stand_for(source: str, value: object) -> None:
    x = {**loads(b'{"n":1.50,"z":"a\\u0000b"}'), "raw": b"\0\xff"}  # type: ignore[dict-item]
    assert run(source, {"x": x}, cel=EXACT) == value


def test_a_handle_that_was_cut_apart_is_an_error() -> None:
    assert "cut apart" in error("x.substring(0, 2)", {"x": "a\0b"}, cel=EXACT)


def test_a_handle_that_data_brings_along_stands_for_itself() -> None:
    assert run("[x, y]", {"x": "\ufdd00\ufdd1", "y": "s\0"}, cel=EXACT) == ["\ufdd00\ufdd1", "s\0"]


def test_maps_keep_the_order_of_their_keys() -> None:
    text = b'{"z":1,"a":{"y":1,"b":[{"d":1,"c":2}]},"m":2}'
    assert dumps(run("x", {"x": loads(text)}, cel=EXACT)) == text


# --- the two ways in, by themselves ---------------------------------------------------------


class Mail(str):
    """A text of another type, as parsers make them."""

    __slots__ = ()

    def __str__(self) -> str:
        return "redacted"


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("a\0b", "a\ufffdb"),
        ("\ud83d\ude00", "\U0001f600"),  # a pair that was split is the character it was
        (Mail("a@b.co"), "a@b.co"),
        (b"\0a", b"\xef\xbf\xbda"),
        ((1, 2), [1, 2]),
        (2**64 - 1, 2**64 - 1),
        (2**64, 2.0**64),
        (-(2**63) - 1, -(2.0**63)),
        (10**400, float("inf")),
        (-(10**400), float("-inf")),
        (datetime.timedelta(hours=1), datetime.timedelta(hours=1)),
        ({"a\0": [True, None]}, {"a\ufffd": [True, None]}),
    ],
)
def test_what_cel_cannot_hold_becomes_what_comes_nearest(value: object, wanted: object) -> None:
    made = plain(value)
    assert made == wanted
    assert type(made) is type(wanted)


def test_a_number_written_as_one_is_a_plain_float() -> None:
    made = plain(loads(b"1.50"))
    assert (type(made), made) == (float, 1.5)


def test_a_time_is_given_in_utc() -> None:
    berlin = datetime.timezone(datetime.timedelta(hours=2))
    made = plain(datetime.datetime(2025, 7, 1, 12, tzinfo=berlin))
    assert str(made) == "2025-07-01 10:00:00+00:00"


@pytest.mark.parametrize("given", [plain, Sealed().seal])
@pytest.mark.parametrize(
    ("value", "word"),
    [
        (object(), "CEL has no object"),
        ({1: 2}, "a key is text, not int"),
        ([{None: 2}], "a key is text, not NoneType"),
        (datetime.datetime(2025, 1, 1), "without its zone"),  # noqa: DTZ001
        ({"a": {1, 2}}, "CEL has no set"),
    ],
)
def test_what_cel_cannot_be_given_is_unfit(
    given: Callable[[object], object], value: object, word: str
) -> None:
    with pytest.raises(Unfit, match=word):
        given(value)


@pytest.mark.parametrize("given", [plain, Sealed().seal])
def test_what_is_nested_too_deep_is_unfit_and_no_crash(given: Callable[[object], object]) -> None:
    deep: object = 1
    for _ in range(MAX_DEPTH):
        deep = [deep]
    given(deep)
    with pytest.raises(Unfit, match=f"nested deeper than {MAX_DEPTH}"):
        given({"k": deep})
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(Unfit, match="nested deeper"):
        given(deep)


def test_equal_leaves_are_equal_in_cel_and_others_are_not() -> None:
    sealed = Sealed()
    one, same, other = (sealed.seal(loads(text)) for text in (b"1.50", b"1.50", b"1.500"))
    assert one == same
    assert one != other
    assert sealed.seal(2**70) != sealed.seal(str(2**70) + "\0")
    assert sealed.seal("\0") != sealed.seal(b"\0")


def test_what_cel_gives_back_unchanged_travels_as_it_is() -> None:
    for value in ("text", "ü😀", 7, -(2**63), 1.5, True, None, {"k": ["v"]}):
        assert Sealed().seal(value) == value


@pytest.mark.parametrize(
    "text", ["\ufdd0", "\ufdd09\ufdd1", "\ufdd0x\ufdd1", "a\ufdd0", "\ufdd00", "\ufdd0²\ufdd1"]
)
def test_a_handle_that_was_cut_or_made_up_is_unfit(text: str) -> None:
    sealed = Sealed()
    sealed.seal("a\0b")
    with pytest.raises(Unfit, match="cut apart"):
        sealed.unseal({"k": [text]})


def test_bytes_do_not_become_part_of_a_text() -> None:
    sealed = Sealed()
    with pytest.raises(Unfit, match="bytes cannot stand inside a text"):
        sealed.unseal(f"x{sealed.seal(b'raw')}")
    assert "bytes cannot" in error("'x' + string(x)", {"x": b"\xff\0"}, cel=EXACT)


def test_a_key_that_cel_would_change_comes_back_as_it_was() -> None:
    sealed = Sealed()
    value = {"z\0": 1, "a": {"\ud800": 2}}
    made = sealed.seal(value)
    assert list(made) != list(value)  # type: ignore[call-overload]
    assert sealed.unseal(made) == value

"""Forms, read strictly and written back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.core.decoded import BodyState
from goex_proxy.wire import form

texts = st.text(st.characters(codec="utf-8"), max_size=20)
names = st.text(st.characters(codec="utf-8", exclude_characters="\0["), min_size=1, max_size=20)


def test_a_repeated_field_is_a_list() -> None:
    assert form.decode(b"a=1&b=x+y%26&a=2&c").args == {"a": ["1", "2"], "b": "x y&", "c": ""}


@pytest.mark.parametrize("data", [b"a=%zz", b"a=%4", b"a=%ff", b"%c3=1", b"a=\xff"])
def test_what_cannot_be_read_strictly_is_invalid(data: bytes) -> None:
    assert form.decode(data).state is BodyState.INVALID


@pytest.mark.parametrize(
    "data", [b"to=me&to%00=x", b"to=me&+to=x", b"to=me&%09to=x", b"to=me&to[]=x", b"to[a]=x&to=me"]
)
def test_a_name_that_php_reads_as_another_is_invalid(data: bytes) -> None:
    """Its reader has one `to`, of the value that no rule here has seen."""
    assert form.decode(data).state is BodyState.INVALID
    assert form.decode(b"to[]=a&to[]=b&%5Bx=1").args == {"to[]": ["a", "b"], "[x": "1"}


def test_a_semicolon_separates_nothing() -> None:
    assert form.decode(b"a=1;b=2").args == {"a": "1;b=2"}


def test_more_fields_than_anybody_sends_are_too_large() -> None:
    assert form.decode(b"a=1&" * 5000).state is BodyState.TOO_LARGE


@given(st.binary())
def test_no_bytes_raise(data: bytes) -> None:
    assert form.decode(data).state in (BodyState.PARSED, BodyState.INVALID)


@given(
    st.dictionaries(
        names.filter(lambda name: not name[0].isspace()),
        texts | st.lists(texts, min_size=2, max_size=4),
    )
)
def test_what_is_encoded_is_decoded_to_the_same(args: dict[str, object]) -> None:
    assert form.decode(form.encode(args)).args == args


def test_a_value_that_a_form_cannot_hold_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'a' cannot hold dict"):
        form.encode({"a": {}})
    assert form.encode({"a": True, "n": 2}) == b"a=true&n=2"

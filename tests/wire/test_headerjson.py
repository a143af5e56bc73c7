"""JSON in a header field."""

from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.core.decoded import BodyState
from goex_proxy.core.exchange import headers
from goex_proxy.wire import headerjson

NAME = "Dropbox-API-Arg"


def test_the_field_is_the_args() -> None:
    decoded = headerjson.decode(headers([(NAME, '{"path": "/\\u00fc.txt"}')]))
    assert decoded.args == {"path": "/ü.txt"}


def test_a_field_that_is_not_there_is_absent() -> None:
    assert headerjson.decode(headers()).state is BodyState.ABSENT


def test_a_field_that_stands_twice_is_invalid() -> None:
    twice = headers([(NAME, '{"path":"/a"}'), (NAME.lower(), '{"path":"/b"}')])
    assert headerjson.decode(twice).state is BodyState.INVALID


@given(
    st.dictionaries(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8")))
)
def test_what_is_encoded_is_ascii_and_decodes_to_the_same(args: dict[str, object]) -> None:
    text = headerjson.encode(args)
    assert text.isascii()
    assert "\n" not in text
    assert headerjson.decode(headers([("x-arg", text)]), "x-arg").args == args


@given(st.text(st.characters(codec="latin-1")))
def test_no_text_raises(text: str) -> None:
    assert headerjson.decode(headers([(NAME, text)])).state is not BodyState.ABSENT

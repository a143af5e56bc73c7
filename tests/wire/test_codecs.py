"""The codecs that reverser files may name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.core.exchange import headers
from goex_proxy.wire.codecs import CODECS, codec


@pytest.mark.parametrize("name", sorted(CODECS))
@given(data=st.binary())
def test_no_codec_raises(name: str, data: bytes) -> None:
    CODECS[name].decode(data, headers())


@pytest.mark.parametrize("name", ["json", "form"])
def test_what_is_encoded_is_decoded_to_the_same(name: str) -> None:
    encode = CODECS[name].encode
    assert encode is not None
    assert CODECS[name].decode(encode({"a": "b"}), headers()).args == {"a": "b"}


def test_a_header_is_named_behind_a_colon() -> None:
    found = codec("header-json:X-Arg")
    assert found is not None
    assert found.decode(b"", headers([("x-arg", '{"a":1}')])).args == {"a": 1}


def test_an_unknown_name_is_none() -> None:
    assert [codec(name) for name in ("", "yaml", "json:x", "header-json:")] == [None] * 4

"""The codecs that reverser files may name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.core.exchange import headers
from goex_proxy.wire.codecs import CODECS, codec, encode


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


def test_what_the_core_encodes_has_its_content_type() -> None:
    assert encode("json", {"a": 1}) == (b'{"a":1}', "application/json")
    args = {"updates": [{"ref": "r"}], "capabilities": ["report-status"]}
    body, kind = encode("git-report", {"args": args, "reason": "held"})
    assert (b"ng r held\n" in body, kind) == (True, "application/x-git-receive-pack-result")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("git-refs", {}),
        ("yaml", {}),
        ("json", []),
        ("json", {"a": b""}),
        ("git-report", {"args": {}}),
    ],
)
def test_what_cannot_be_written_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name):
        encode(name, value)

"""Content codings: undone within a limit, and never guessed."""

import gzip
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.upstream.decoding import TooMuchError, decode


@given(st.binary(max_size=2000), st.sampled_from(["gzip", "deflate", "GZIP", "gzip, deflate"]))
def test_what_was_encoded_comes_back(body: bytes, coding: str) -> None:
    encoded = body
    for name in coding.lower().split(", "):
        encoded = gzip.compress(encoded) if name == "gzip" else zlib.compress(encoded)
    assert decode(encoded, coding, 4000) == body


def test_the_limit_is_exact() -> None:
    body = gzip.compress(b"x" * 100)
    assert len(decode(body, "gzip", 100)) == 100
    with pytest.raises(TooMuchError):
        decode(body, "gzip", 99)
    with pytest.raises(TooMuchError):
        decode(gzip.compress(b"x" * 60) * 2, "gzip", 100)


@given(st.binary(min_size=1, max_size=200), st.sampled_from(["gzip", "deflate", "br", "x"]))
def test_strange_bytes_are_an_error_or_bounded(body: bytes, coding: str) -> None:
    with suppress(ValueError):
        assert len(decode(body, coding, 1000)) <= 1000


def test_very_many_members_are_refused() -> None:
    with pytest.raises(ValueError, match="parts"):
        decode(gzip.compress(b"") * 1001, "gzip", 10)

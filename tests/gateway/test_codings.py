"""Content codings undone, in any pieces, and never without bound."""

import gzip
import zlib
from collections.abc import Callable

import brotli  # type: ignore[import-untyped]
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.gateway.codings import Undecodable, acceptable, unpackers


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": lambda data: brotli.compress(data, quality=1),
    "zstd": zstandard.ZstdCompressor().compress,
}


def unpack(coding: str, pieces: list[bytes]) -> bytes:
    chain = unpackers(coding)
    out = b""
    for piece in pieces:
        for each in chain:
            piece = each.feed(piece)
        out += piece
    for each in chain:
        each.finish()
    return out


@given(data=st.binary(max_size=2000), step=st.integers(1, 500), coding=st.sampled_from(list(PACK)))
def test_what_was_packed_comes_back_in_any_pieces(data: bytes, step: int, coding: str) -> None:
    packed = PACK[coding](data)
    pieces = [packed[n : n + step] for n in range(0, len(packed), step)]
    assert unpack(coding, pieces) == data


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_several_members_are_one_body(coding: str) -> None:
    packed = PACK[coding](b"one") + PACK[coding](b"two")
    assert unpack(coding, [packed[:5], packed[5:]]) == b"onetwo"


def test_deflate_without_its_wrapper_is_understood() -> None:
    assert unpack("deflate", [raw_deflate(b"abc" * 100)]) == b"abc" * 100


@pytest.mark.parametrize("coding", list(PACK))
def test_a_body_that_ends_early_is_undecodable(coding: str) -> None:
    packed = PACK[coding](b"abc" * 100)
    with pytest.raises(Undecodable):
        unpack(coding, [packed[:-3]])


@pytest.mark.parametrize("coding", list(PACK))
def test_garbage_is_undecodable(coding: str) -> None:
    with pytest.raises(Undecodable):
        unpack(coding, [b"\xff\xfe\x00garbage" * 20])


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "deflate"])
def test_a_bomb_is_undecodable(coding: str) -> None:
    with pytest.raises(Undecodable, match="more than is allowed"):
        unpack(coding, [PACK[coding](bytes(40 << 20))])


@pytest.mark.parametrize("coding", ["compress", "gzip, snappy", "gzip, gzip, gzip"])
def test_an_unknown_coding_is_undecodable(coding: str) -> None:
    with pytest.raises(Undecodable):
        unpackers(coding)


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ("gzip, deflate, br, zstd", "gzip, deflate, br, zstd"),
        ("gzip;q=1.0, compress", "gzip;q=1.0"),
        ("compress", "identity"),
        ("*", "gzip, deflate, br, zstd"),
        ("*;q=0", "identity"),
        ("identity", "identity"),
        ("", "identity"),
    ],
)
def test_only_what_can_be_undone_is_asked_for(asked: str, kept: str) -> None:
    assert acceptable(asked) == kept

"""Content codings are undone up to a size, in bounded memory."""

import gzip
import time
import tracemalloc
import zlib
from collections.abc import Callable

import brotli  # type: ignore[import-untyped]
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.core.decoded import BodyState, Decoded
from goex_proxy.wire.coding import unpack

PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": lambda data: gzip.compress(data[:3]) + gzip.compress(data[3:]),
    "deflate": zlib.compress,
    "Deflate": lambda data: zlib.compress(data)[2:-4],
    "br": brotli.compress,
    "zstd": zstandard.compress,
    "ZSTD": lambda data: zstandard.compress(data[:3]) + zstandard.compress(data[3:]),
}


@pytest.mark.parametrize("name", PACK)
@pytest.mark.parametrize("data", [b"", b"a", b"hello, world" * 5000])
def test_a_body_comes_back(name: str, data: bytes) -> None:
    assert unpack(PACK[name](data), name, 1 << 20) == data


@pytest.mark.parametrize("name", PACK)
def test_a_bomb_is_too_large_and_takes_no_memory(name: str) -> None:
    bomb = PACK[name](bytes(50_000_000))
    tracemalloc.start()
    found = unpack(bomb, name, 1 << 16)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(found, Decoded)
    assert found.state is BodyState.TOO_LARGE
    assert peak < 24 << 20


@pytest.mark.parametrize("name", PACK)
def test_a_body_that_ends_early_is_invalid(name: str) -> None:
    found = unpack(PACK[name](b"hello, world" * 5000)[:-6], name, 1 << 20)
    assert isinstance(found, Decoded)
    assert found.state is BodyState.INVALID


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_a_megabyte_of_empty_members_is_given_up_at_once(name: str) -> None:
    """Each member copied all that came after it: seconds in which nobody was served."""
    empty = gzip.compress(b"") if name == "gzip" else zstandard.compress(b"")
    started = time.process_time()
    found = unpack(empty * ((1 << 20) // len(empty)), name, 1 << 20)
    assert isinstance(found, Decoded)
    assert found.state is BodyState.UNSUPPORTED
    assert time.process_time() - started < 1
    assert unpack(empty * 900, name, 1 << 20) == b""


def test_codings_are_undone_from_the_last_to_the_first() -> None:
    assert unpack(brotli.compress(gzip.compress(b"x")), "gzip, identity, br", 100) == b"x"


@pytest.mark.parametrize("name", ["compress", "gzip, gzip, gzip"])
def test_an_unknown_coding_is_unsupported(name: str) -> None:
    found = unpack(b"x", name, 100)
    assert isinstance(found, Decoded)
    assert found.state is BodyState.UNSUPPORTED


@given(st.sampled_from(sorted(PACK)), st.binary())
def test_no_bytes_raise(name: str, data: bytes) -> None:
    found = unpack(data, name, 4096)
    assert isinstance(found, Decoded) or len(found) <= 4096

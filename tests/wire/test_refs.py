"""git's ref advertisement."""

from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.core.decoded import BodyState
from goex_proxy.wire import refs
from goex_proxy.wire.pktline import FLUSH, line

A, B = "a" * 40, "b" * 40
HEAD = line(b"# service=git-receive-pack\n") + FLUSH
ADVERTISED = (
    HEAD
    + line(f"{A} refs/heads/main\0report-status atomic agent=git/2\n".encode())
    + line(f"{B} refs/tags/v1\n".encode())
    + line(f"{A} refs/tags/v1^{{}}\n".encode())
    + line(f"{A} .have\n".encode())
    + FLUSH
)


def test_refs_are_oids_by_name() -> None:
    assert refs.decode(ADVERTISED).value == {"refs/heads/main": A, "refs/tags/v1": B}
    assert "atomic" in refs.capabilities(ADVERTISED)


def test_an_empty_repository_has_no_refs() -> None:
    empty = HEAD + line(b"0" * 40 + b" capabilities^{}\0report-status\n") + FLUSH
    assert refs.decode(empty).value == {}


def test_an_advertisement_that_ends_early_is_invalid() -> None:
    for size in range(len(ADVERTISED)):
        whole = size == len(HEAD)  # the announcement and a flush: an answer without refs
        assert (refs.decode(ADVERTISED[:size]).state is BodyState.INVALID) is not whole


def test_version_2_is_unsupported() -> None:
    assert refs.decode(HEAD + line(b"version 2\n") + FLUSH).state is BodyState.UNSUPPORTED


@given(st.binary() | st.lists(st.binary(max_size=60).map(line)).map(b"".join))
def test_no_bytes_raise(data: bytes) -> None:
    refs.decode(data)
    refs.decode(HEAD + data + FLUSH)
    refs.capabilities(data)

"""pkt-lines, framed and unframed."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.wire import pktline
from goex_proxy.wire.pktline import Broken, Line


@given(st.lists(st.none() | st.binary(max_size=40)))
def test_what_is_framed_is_unframed_to_the_same(items: list[bytes | None]) -> None:
    data = b"".join(pktline.FLUSH if item is None else pktline.line(item) for item in items)
    found = list(pktline.lines(data))
    assert [line.data for line in found if isinstance(line, Line)] == items
    assert not found or (isinstance(found[-1], Line) and found[-1].end == len(data))


@pytest.mark.parametrize(
    ("data", "broken"),
    [
        (b"00", Broken(0, cut=True)),
        (b"0006a", Broken(0, cut=True)),
        (b"0005a0003", Broken(5, cut=False)),
        (b"-001", Broken(0, cut=False)),
        (b"0x10", Broken(0, cut=False)),
        (b"ffff", Broken(0, cut=False)),
    ],
)
def test_bytes_that_are_no_line_end_the_lines(data: bytes, broken: Broken) -> None:
    assert list(pktline.lines(data))[-1] == broken


@given(st.binary())
def test_no_bytes_raise_and_every_step_advances(data: bytes) -> None:
    ends = [line.end for line in pktline.lines(data) if isinstance(line, Line)]
    assert all(left < right for left, right in pairwise(ends))


def test_a_band_splits_what_does_not_fit_into_a_line() -> None:
    found = list(pktline.lines(pktline.band(1, b"x" * 70_000)))
    assert [len(line.data or b"") for line in found if isinstance(line, Line)] == [65516, 4486]


def test_a_line_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        pktline.line(bytes(65517))

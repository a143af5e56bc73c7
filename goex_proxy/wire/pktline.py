"""git's pkt-lines (gitprotocol-common): four hex digits of length, then the data.

Framing only; `receive_pack` and `refs` say what the lines mean. Not dulwich's reader: that one
raises, logs, and reads from a stream without a bound.
"""

from collections.abc import Iterator
from dataclasses import dataclass

MAX_LINE = 65520
"""Bytes of a line with its length (LARGE_PACKET_MAX)."""
FLUSH = b"0000"

_HEX = frozenset(b"0123456789abcdefABCDEF")


@dataclass(frozen=True, slots=True)
class Line:
    """One pkt-line: its data, or None for a flush-pkt, and where it ends."""

    data: bytes | None
    end: int


@dataclass(frozen=True, slots=True)
class Broken:
    """The bytes stop being pkt-lines here; `cut` if more bytes could have mended it."""

    at: int
    cut: bool


def lines(data: bytes, start: int = 0) -> Iterator[Line | Broken]:
    """Lines up to the end of the data, or to the first thing that is none."""
    while start < len(data):
        size = _size(data[start : start + 4])
        if size is None or 0 < size < 4 or size > MAX_LINE:
            yield Broken(start, cut=len(data) - start < 4)
            return
        if start + size > len(data):
            yield Broken(start, cut=True)
            return
        end = start + max(size, 4)
        yield Line(data[start + 4 : end] if size else None, end)
        start = end


class Section:
    """Pkt-lines up to a flush; `end` is None if there is no flush."""

    def __init__(self, data: bytes, start: int) -> None:
        self.rows: list[bytes] = []
        self.end: int | None = None
        self.cut = True
        for item in lines(data, start):
            if isinstance(item, Broken):
                self.cut = item.cut
                return
            if item.data is None:
                self.end = item.end
                return
            self.rows.append(item.data)


def line(data: bytes) -> bytes:
    """Raises ValueError for more than one line can hold."""
    if len(data) + 4 > MAX_LINE:
        raise ValueError(f"{len(data)} bytes do not fit into one pkt-line")
    return f"{len(data) + 4:04x}".encode() + data


def band(number: int, data: bytes) -> bytes:
    """Data on a band of side-band-64k (gitprotocol-capabilities), in as many lines as it takes."""
    step = MAX_LINE - 5
    pieces = (data[i : i + step] for i in range(0, len(data), step))
    return b"".join(line(bytes([number]) + piece) for piece in pieces)


def _size(digits: bytes) -> int | None:
    return int(digits, 16) if len(digits) == 4 and _HEX.issuperset(digits) else None

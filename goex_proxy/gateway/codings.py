"""Undoing content codings (RFC 9110, 8.4), so that a scrubber sees what the client would see.

Used only where there is something to scrub. What goes on to the client is not coded again.
"""

import zlib

import brotli  # type: ignore[import-untyped]
import zstandard

RATIO = 200
"""A decoder may give this many bytes for one (JSON reaches 20; a bomb, 1000 and more)."""
SLACK = 1 << 20
"""Bytes that are allowed whatever the ratio."""

_KNOWN = ("gzip", "deflate", "br", "zstd")


class Undecodable(Exception):
    """The body is not what its Content-Encoding says, or unpacks beyond the allowed ratio."""


class _Zlib:
    """gzip (several members, RFC 1952) or deflate (zlib, and the raw form some servers send)."""

    def __init__(self, wbits: int) -> None:
        self._wbits = wbits
        self._inner = zlib.decompressobj(wbits)
        self._started = False

    def feed(self, data: bytes, room: int) -> bytes:
        out = bytearray()
        while data:
            if self._inner.eof:
                self._inner = zlib.decompressobj(self._wbits)
            out += self._decompress(data, max(1, room - len(out)))
            if self._inner.unconsumed_tail:
                raise Undecodable("the body unpacks to more than is allowed")
            data = self._inner.unused_data
        return bytes(out)

    def _decompress(self, data: bytes, room: int) -> bytes:
        try:
            found = self._inner.decompress(data, room)
        except zlib.error:
            if self._wbits != zlib.MAX_WBITS or self._started:
                raise
            self._inner = zlib.decompressobj(-zlib.MAX_WBITS)
            found = self._inner.decompress(data, room)
        self._started = True
        return found

    @property
    def complete(self) -> bool:
        return self._inner.eof or not self._started


class _Brotli:
    def __init__(self) -> None:
        self._inner = brotli.Decompressor()
        self._started = False

    def feed(self, data: bytes, room: int) -> bytes:
        self._started = True
        out = bytearray(self._inner.process(data, output_buffer_limit=room))
        while not self._inner.can_accept_more_data():
            if len(out) >= room:
                raise Undecodable("the body unpacks to more than is allowed")
            out += self._inner.process(b"", output_buffer_limit=room - len(out))
        return bytes(out)

    @property
    def complete(self) -> bool:
        return bool(self._inner.is_finished()) or not self._started


class _Zstd:
    """One frame or several (RFC 8878). Input goes in small pieces so that a bomb is seen early."""

    PIECE = 4096

    def __init__(self) -> None:
        self._factory = zstandard.ZstdDecompressor(max_window_size=1 << 23)
        self._inner = self._factory.decompressobj()
        self._started = False

    def feed(self, data: bytes, room: int) -> bytes:
        out = bytearray()
        for start in range(0, len(data), self.PIECE):
            self._piece(data[start : start + self.PIECE], out)
            if len(out) > room:
                raise Undecodable("the body unpacks to more than is allowed")
        return bytes(out)

    def _piece(self, data: bytes, out: bytearray) -> None:
        while data:
            if self._inner.eof:
                self._inner = self._factory.decompressobj()
            self._started = True
            out += self._inner.decompress(data)
            data = self._inner.unused_data

    @property
    def complete(self) -> bool:
        return bool(self._inner.eof) or not self._started


class Unpacker:
    """One content coding undone, with the ratio of what came out to what went in bounded."""

    def __init__(self, coding: str) -> None:
        """Raises Undecodable for a coding that is not one of gzip, deflate, br, zstd."""
        self._inner: _Zlib | _Brotli | _Zstd
        if coding in ("gzip", "x-gzip"):
            self._inner = _Zlib(zlib.MAX_WBITS | 16)
        elif coding == "deflate":
            self._inner = _Zlib(zlib.MAX_WBITS)
        elif coding == "br":
            self._inner = _Brotli()
        elif coding == "zstd":
            self._inner = _Zstd()
        else:
            raise Undecodable("the answer has a content coding that cannot be undone")
        self._room = SLACK

    def feed(self, data: bytes) -> bytes:
        """Raises Undecodable."""
        self._room += len(data) * RATIO
        try:
            found = self._inner.feed(data, self._room)
        except (zlib.error, brotli.error, zstandard.ZstdError):
            raise Undecodable("the body is not what its content coding says") from None
        self._room -= len(found)
        return found

    def finish(self) -> None:
        """Raises Undecodable if the body ended early."""
        if not self._inner.complete:
            raise Undecodable("the body ended before its content coding did")


def unpackers(content_encoding: str) -> list[Unpacker]:
    """In the order in which to apply them; [] for identity. Raises Undecodable."""
    names = [name.strip().lower() for name in content_encoding.split(",")]
    wanted = [name for name in names if name not in ("", "identity")]
    if len(wanted) > 2:
        raise Undecodable("the answer has more than two content codings")
    return [Unpacker(name) for name in reversed(wanted)]


def acceptable(accept_encoding: str) -> str:
    """What the client accepts, without what we could not undo; never empty."""
    kept = []
    for item in accept_encoding.split(","):
        name, _, rest = item.strip().partition(";")
        name = name.strip().lower()
        if name == "*":
            return ", ".join(_KNOWN) if _weight(rest) else "identity"
        if name in _KNOWN or name == "identity":
            kept.append(item.strip())
    return ", ".join(kept) or "identity"


def _weight(parameters: str) -> bool:
    return parameters.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")

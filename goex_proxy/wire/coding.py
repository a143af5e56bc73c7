"""Content codings of whole bodies (RFC 9110, 8.4), undone up to a size.

For decoding what was buffered. A stream that is scrubbed on its way is the gateway's business.
"""

import zlib
from collections.abc import Iterator

import brotli  # type: ignore[import-untyped]
import zstandard

from goex_proxy.core.decoded import Decoded
from goex_proxy.wire.outcome import invalid, too_large, unsupported

MAX_CODINGS = 2
MAX_MEMBERS = 1024
"""Of gzip, or frames of zstd, in one body: each costs a copy of what is left of its piece."""


class _TooLarge(Exception):
    """The output passes the limit."""


class _TooMany(Exception):
    """More than MAX_MEMBERS: a megabyte of empty ones is a second's work each."""


def unpack(data: bytes, content_encoding: str, limit: int) -> bytes | Decoded:
    """The body without its codings, at most `limit` bytes; else what is wrong with it."""
    names = [name.strip().lower() for name in content_encoding.split(",")]
    names = [name for name in names if name not in ("", "identity")]
    if len(names) > MAX_CODINGS:
        return unsupported(f"more than {MAX_CODINGS} content codings")
    for name in reversed(names):
        unpacked = _undo(name, data, limit)
        if isinstance(unpacked, Decoded):
            return unpacked
        data = unpacked
    return data


def _undo(name: str, data: bytes, limit: int) -> bytes | Decoded:
    try:
        match name:
            case "gzip" | "x-gzip":
                return _inflate(data, zlib.MAX_WBITS | 16, limit)
            case "deflate":
                return _deflate(data, limit)
            case "br":
                return _brotli(data, limit)
            case "zstd":
                return _zstd(data, limit)
            case _:
                return unsupported(f"the content coding {name[:40]!r} is not known")
    except _TooMany:
        return unsupported(f"{name} of more than {MAX_MEMBERS} members")
    except _TooLarge:
        return too_large(f"the body unpacks to more than {limit} bytes")
    except (zlib.error, brotli.error, zstandard.ZstdError, EOFError):
        return invalid(f"the body is not whole {name}")


def _inflate(data: bytes, wbits: int, limit: int) -> bytes:
    """All members, one after the other (RFC 1952, 2.2)."""
    out, inner, members = bytearray(), zlib.decompressobj(wbits), 1
    for rest in _pieces(data):
        piece = rest
        while piece:
            if inner.eof:
                inner, members = zlib.decompressobj(wbits), members + 1
            if members > MAX_MEMBERS:
                raise _TooMany
            out += inner.decompress(piece, limit + 1 - len(out))
            if len(out) > limit:
                raise _TooLarge
            piece = inner.unused_data
    if not inner.eof:
        raise EOFError
    return bytes(out)


def _pieces(data: bytes) -> Iterator[bytes]:
    return (data[start : start + _PIECE] for start in range(0, len(data), _PIECE))


def _deflate(data: bytes, limit: int) -> bytes:
    """zlib's format, or the bare stream that some clients send under the same name."""
    try:
        return _inflate(data, zlib.MAX_WBITS, limit)
    except zlib.error:
        return _inflate(data, -zlib.MAX_WBITS, limit)


def _brotli(data: bytes, limit: int) -> bytes:
    inner = brotli.Decompressor()
    out = bytearray(inner.process(data, output_buffer_limit=limit + 1))
    while len(out) <= limit and not inner.can_accept_more_data():
        out += inner.process(b"", output_buffer_limit=limit + 1 - len(out))
    if len(out) > limit:
        raise _TooLarge
    if not inner.is_finished():
        raise EOFError
    return bytes(out)


def _zstd(data: bytes, limit: int) -> bytes:
    """All frames (RFC 8878), with a window of at most 8 MiB as RFC 9659 demands of the coding.

    Twice: the reader bounds what comes out, but only the other interface tells whether the
    last frame is whole, and that one gives 32 MB for each KiB of a bomb.
    """
    factory = zstandard.ZstdDecompressor(max_window_size=1 << 23)
    size = 0
    with factory.stream_reader(data, read_across_frames=True) as reader:
        while piece := reader.read(_PIECE):
            size += len(piece)
            if size > limit:
                raise _TooLarge
    out, inner, members = bytearray(), factory.decompressobj(), 1
    for rest in _pieces(data):
        piece = rest
        while piece:
            if inner.eof:
                inner, members = factory.decompressobj(), members + 1
            if members > MAX_MEMBERS:
                raise _TooMany
            out += inner.decompress(piece)
            piece = inner.unused_data
    if not inner.eof:
        raise EOFError
    return bytes(out)


_PIECE = 64 * 1024

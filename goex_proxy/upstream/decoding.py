"""Content codings of answers (RFC 9110, 8.4): gzip and deflate, which are all that we ask for."""

import zlib

OFFERED = "gzip, deflate"
_GZIP = 16 + zlib.MAX_WBITS
_MOST_MEMBERS = 1000


class TooMuchError(ValueError):
    """The decoded body would be larger than the limit."""


def decode(body: bytes, coding: str, limit: int) -> bytes:
    """The body without its content codings, at most `limit` bytes.

    Raises TooMuchError; ValueError if it is damaged, cut short, or of an unknown coding.
    """
    for name in reversed([part.strip().lower() for part in coding.split(",") if part.strip()]):
        if name == "identity":
            continue
        if name in ("gzip", "x-gzip"):
            body = _members(body, limit)
        elif name == "deflate":
            body = _deflate(body, limit)
        else:
            raise ValueError(f"the answer has the content coding {name[:40]!r}, not asked for")
    return body


def _members(body: bytes, limit: int) -> bytes:
    """All members of a gzip body (RFC 1952, 2.2), if they are not absurdly many."""
    pieces: list[bytes] = []
    room = limit
    for _ in range(_MOST_MEMBERS):
        if not body:
            return b"".join(pieces)
        piece, body = _inflate(body, _GZIP, room)
        room -= len(piece)
        pieces.append(piece)
    raise ValueError(f"the compressed answer has more than {_MOST_MEMBERS} parts")


def _deflate(body: bytes, limit: int) -> bytes:
    if not body:
        return body
    raw = body[0] & 0x0F != 8  # not a zlib head (RFC 1950): many servers send raw deflate
    return _inflate(body, -zlib.MAX_WBITS if raw else zlib.MAX_WBITS, limit)[0]


def _inflate(body: bytes, window: int, limit: int) -> tuple[bytes, bytes]:
    decoder = zlib.decompressobj(window)
    try:
        piece = decoder.decompress(body, limit + 1)
    except zlib.error:
        raise ValueError("the compressed answer is damaged") from None
    if len(piece) > limit:
        raise TooMuchError(f"the decompressed answer is larger than {limit} bytes")
    if not decoder.eof:
        raise ValueError("the compressed answer is cut short")
    return piece, decoder.unused_data

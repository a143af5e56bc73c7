"""A service that gives back, in many shapes, the credential it was sent."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import zlib
from collections.abc import Callable
from urllib.parse import quote

import brotli  # type: ignore[import-untyped]
import zstandard

_GIVEN = b"authorization: "


def credential(head: bytes) -> bytes:
    """What stood in Authorization, without its scheme; Basic decoded."""
    at = head.lower().find(_GIVEN)
    if at < 0:
        return b"nothing"
    scheme, _, value = head[at + len(_GIVEN) :].partition(b"\r\n")[0].partition(b" ")
    return base64.b64decode(value).partition(b":")[2] if scheme.lower() == b"basic" else value


def reply(body: bytes, *fields: bytes, status: bytes = b"200 OK") -> bytes:
    head = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *fields]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def _chunked(pieces: list[bytes], *trailers: bytes) -> bytes:
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces if piece)
    end = b"0\r\n" + b"".join(line + b"\r\n" for line in trailers) + b"\r\n"
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + end


def _coded(coding: bytes, code: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    return lambda s: reply(code(b"before %s after" % s), b"Content-Encoding: " + coding)


def _object(secret: bytes) -> dict[str, object]:
    """An issue, and much else, with the credential in its text."""
    text = secret.decode()
    return {"number": 1, "title": "t", "body": text, "state": "open", "id": 7, "labels": [], "user": {"login": text}, "locked": False}  # fmt: skip


SHAPES: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda s: reply(b"before %s after" % s),
    "gzip": _coded(b"gzip", gzip.compress),
    "deflate": _coded(b"deflate", zlib.compress),
    "br": _coded(b"br", brotli.compress),
    "zstd": _coded(b"zstd", zstandard.compress),
    "twice": _coded(b"gzip, br", lambda b: brotli.compress(gzip.compress(b))),
    "base64": lambda s: reply(base64.b64encode(s)),
    "base64-within": lambda s: reply(base64.b64encode(b"user:%s:more" % s)),
    "base64-url": lambda s: reply(base64.urlsafe_b64encode(b"a" + s)),
    "url": lambda s: reply(quote(s, safe="").encode()),
    "url-lower": lambda s: reply(quote(s).lower().encode() if s.islower() else quote(s).encode()),
    "hex": lambda s: reply(s.hex().encode()),
    "HEX": lambda s: reply(s.hex().upper().encode()),
    "json": lambda s: reply(json.dumps({"k": s.decode()}).encode()),
    "json-slashes": lambda s: reply(json.dumps(s.decode()).replace("/", "\\/").encode()),
    "html": lambda s: reply(s.replace(b"&", b"&amp;").replace(b'"', b"&quot;").replace(b"<", b"&lt;").replace(b">", b"&gt;")),
    "bytewise": lambda s: _chunked([bytes([c]) for c in b"x" + s + b"y"]),
    "halves": lambda s: _chunked([s[: len(s) // 2], s[len(s) // 2 :]]),
    "gzip-chunks": lambda s: _chunked([gzip.compress(s)]).replace(b"\r\nT", b"\r\nContent-Encoding: gzip\r\nT", 1),
    "headers": lambda s: reply(b"", b"X-Token: " + s, b"X-" + s[:10].hex().encode() + b": " + base64.b64encode(s)),
    "cookie": lambda s: reply(b"", b"Set-Cookie: session=%s; Path=/" % quote(s, safe="").encode()),
    "challenge": lambda s: reply(b"", b'WWW-Authenticate: Bearer error="%s"' % s.replace(b'"', b'\\"'), b"ETag: " + s, status=b"401 No"),
    "redirect": lambda s: reply(b"", b"Location: https://elsewhere.example/?t=" + quote(s, safe="").encode(), status=b"302 Found"),
    "trailers": lambda s: _chunked([b"body"], b"X-Token: " + s),
    "reason": lambda s: reply(b"", status=b"403 no " + s),
    "early": lambda s: b"HTTP/1.1 103 Early Hints\r\nLink: <%s>\r\n\r\n" % s + reply(b"ok"),
    "failed": lambda s: reply(json.dumps({"message": s.decode()}).encode(), b"Content-Type: application/json", status=b"422 No"),
    "broken": lambda s: reply(s, status=b"500 No"),
    "garbage": lambda s: b"%s this is no HTTP %s\r\n\r\n" % (s, s),
    "bad-header": lambda s: b"HTTP/1.1 200 OK\r\n%s\r\n\r\n" % s,
    "bad-chunk": lambda s: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%s\r\n%s" % (s, s),
    "bad-gzip": lambda s: reply(s * 3, b"Content-Encoding: gzip"),
    "unknown-coding": lambda s: reply(s, b"Content-Encoding: goex-made-up"),
    "short": lambda s: b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n%s" % s,
    "object": lambda s: reply(json.dumps(_object(s)).encode(), b"Content-Type: application/json"),
    "created": lambda s: reply(json.dumps(_object(s)).encode(), b"Content-Type: application/json", status=b"201 Created"),
}  # fmt: skip
CUT = frozenset({"short", "bad-chunk", "garbage", "bad-header"})


async def echo(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
    """Answer in the shape that the query (`?as=`) or the field `X-As` names."""
    wanted = head.partition(b"as=")[2].split(b" ")[0].split(b"&")[0].decode() or "object"
    if head.startswith(b"GET /repos/a/garbage"):
        wanted = "garbage"
    writer.write(SHAPES[wanted](credential(head)))
    if wanted in CUT:
        raise ConnectionResetError

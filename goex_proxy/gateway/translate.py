"""Requests and responses between mitmproxy's form and the core's.

Host, framing and the fields that concern one hop only never reach the core: the origin says the
host, and the gateway frames each hop itself (RFC 9110, 7.6.1; RFC 9112, 6).
"""

import re
import time
from base64 import b64decode
from binascii import Error as NotBase64
from functools import lru_cache

from mitmproxy import http
from mitmproxy.net.http import status_codes
from mitmproxy.net.http.validate import validate_headers

from goex_proxy.core.exchange import Headers, Origin, Request, Response
from goex_proxy.gateway.codings import acceptable
from goex_proxy.gateway.destination import Misread
from goex_proxy.gateway.mediator import Fault

Fields = tuple[tuple[bytes, bytes], ...]

_HOP = frozenset(
    {
        b"connection",
        b"proxy-connection",
        b"proxy-authorization",
        b"proxy-authenticate",
        b"keep-alive",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"http2-settings",
    }
)
_REQUEST_ONLY = frozenset((b"host", b"expect"))
_ANSWER_ONLY = frozenset((b"alt-svc",))
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-zA-Z]+")
_LENGTH = re.compile(rb"0|[1-9][0-9]{0,18}")
_BAD_VALUE = re.compile(rb"[\x00\r\n]")
_BAD_TEXT = re.compile(r"[\x00\r\n]")
_TARGET = re.compile(r"[\x21-\x7e]+")


def field_values(message: http.Message, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in message.headers.fields if key.lower() == name]


def check_request(incoming: http.Request) -> None:
    """Refuse what two parties could frame or read differently. Raises Misread (400)."""
    if not _TOKEN.fullmatch(incoming.data.method):  # h2 takes `DELETE /x` for one
        raise Misread(Fault.BAD_REQUEST, "the method is not a token")
    lengths = 0
    coded = False
    for name, value in incoming.headers.fields:
        if not _TOKEN.fullmatch(name) or _BAD_VALUE.search(value):
            raise Misread(Fault.BAD_REQUEST, "a header field with characters that do not belong")
        lower = name.lower()
        if lower == b"content-length":
            lengths += 1
            if lengths > 1 or not _LENGTH.fullmatch(value):
                raise Misread(Fault.BAD_REQUEST, "Content-Length is not one number")
        elif lower == b"transfer-encoding":
            coded = True
            if value.strip().lower() != b"chunked":
                raise Misread(Fault.BAD_REQUEST, "a transfer coding other than chunked")
    if coded:
        try:
            validate_headers(incoming)
        except ValueError:
            raise Misread(
                Fault.BAD_REQUEST,
                "Transfer-Encoding together with Content-Length, or not chunked",
            ) from None


def is_websocket(message: http.Message) -> bool:
    return any(value.strip().lower() == "websocket" for value in field_values(message, b"upgrade"))


def _without_hops(fields: Fields, also: frozenset[bytes]) -> list[tuple[bytes, bytes]]:
    drop = _HOP | also
    for name, value in fields:
        if name.lower() == b"connection":
            drop |= {token.strip().lower() for token in value.split(b",")}
    return [pair for pair in fields if pair[0].lower() not in drop]


def _text(fields: list[tuple[bytes, bytes]]) -> Headers:
    return Headers(
        tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in fields)
    )


def core_request(incoming: http.Request, origin: Origin, target: str, has_body: bool) -> Request:
    """The request as the agent wrote it, for the mediator. `check_request` came before."""
    fields = _without_hops(incoming.headers.fields, _REQUEST_ONLY)
    if is_websocket(incoming):
        fields.append((b"Upgrade", b"websocket"))
    elif b"trailers" in [value for name, value in incoming.headers.fields if name.lower() == b"te"]:
        fields.append((b"TE", b"trailers"))
    return Request(
        method=incoming.data.method.decode("latin-1"),
        origin=origin,
        target=target,
        headers=_text(fields),
        body=None if has_body else b"",
    )


def for_the_wire(request: Request) -> Request:
    """Without our own fields, and asking only for content codings that we can undo."""
    changed = False
    fields = []
    ranged = request.headers.has("range")
    for name, value in request.headers.fields:
        lower = name.lower()
        if lower.startswith("x-goex-"):
            changed = True
            continue
        if lower == "accept-encoding":
            kept = "identity" if ranged else _acceptable(value)
            changed = changed or kept != value
            fields.append((name, kept))
        else:
            fields.append((name, value))
    if not changed:
        return request
    return Request(
        method=request.method,
        origin=request.origin,
        target=request.target,
        headers=Headers(tuple(fields)),
        body=request.body,
    )


_acceptable = lru_cache(256)(acceptable)


def wire_request(wire: Request, *, h2: bool, sized: bool) -> http.Request:
    """What is written to the service. `sized`: the body is complete and its length known.

    Raises ValueError for a target or a field that could split the request.
    """
    if not _TARGET.fullmatch(wire.target) or _BAD_TEXT.search(wire.method):
        raise ValueError("the target has a character that must not stand in a request line")
    authority = wire.origin.authority.encode("ascii")
    fields: list[tuple[bytes, bytes]] = [] if h2 else [(b"Host", authority)]
    length = None
    for name, value in wire.headers.fields:
        if _BAD_TEXT.search(value) or _BAD_TEXT.search(name):
            raise ValueError("a header field has a line break or NUL in it")
        lower = name.lower()
        if lower == "content-length":
            length = value
        elif lower == "upgrade":
            fields += [(b"Connection", b"Upgrade"), (b"Upgrade", value.encode("latin-1"))]
        else:
            fields.append(((lower if h2 else name).encode("latin-1"), value.encode("latin-1")))
    fields += _framing(wire, length, h2=h2, sized=sized)
    return http.Request(
        host=wire.origin.host,
        port=wire.origin.port,
        method=wire.method.encode("latin-1"),
        scheme=wire.origin.scheme.encode(),
        authority=authority if h2 else b"",
        path=wire.target.encode("ascii"),
        http_version=b"HTTP/2.0" if h2 else b"HTTP/1.1",
        headers=http.Headers(fields),
        content=None,
        trailers=None,
        timestamp_start=0.0,
        timestamp_end=None,
    )


def _framing(
    wire: Request, length: str | None, *, h2: bool, sized: bool
) -> list[tuple[bytes, bytes]]:
    name = b"content-length" if h2 else b"Content-Length"
    if sized:
        size = len(wire.body or b"")
        return [(name, b"%d" % size)] if size or length is not None else []
    if length is not None:
        return [(name, length.encode("ascii"))]
    return [] if h2 else [(b"Transfer-Encoding", b"chunked")]


def check_answer(head: http.Response) -> None:
    """Raises ValueError for an answer that two parties could frame differently.

    A transfer coding other than chunked (gzip) would pass a scrubber unread, so it is refused.
    """
    validate_headers(head)
    for value in field_values(head, b"transfer-encoding"):
        if value.strip().lower() not in ("chunked", "identity"):
            raise ValueError("transfer coding")


def answer_fields(head: http.Response) -> list[tuple[bytes, bytes]]:
    """The fields of a service's answer that concern the client; folded lines are unfolded."""
    fields = _without_hops(head.headers.fields, _ANSWER_ONLY)
    if any(b"\n" in value or b"\r" in value or b"\0" in value for _, value in fields):
        fields = [(name, _BAD_VALUE.sub(b" ", value)) for name, value in fields]
    return fields


def core_response(status: int, reason: str, fields: Fields, body: bytes | None) -> Response:
    return Response(status=status, headers=_text(list(fields)), body=body, reason=reason)


def client_response(
    status: int, reason: bytes, fields: list[tuple[bytes, bytes]], *, h2: bool
) -> http.Response:
    """A head in the client's version of HTTP."""
    if h2:
        fields = [(name.lower(), value) for name, value in fields]
    return http.Response(
        http_version=b"HTTP/2.0" if h2 else b"HTTP/1.1",
        status_code=status,
        reason=b"" if h2 else reason or phrase(status),
        headers=http.Headers(fields),
        content=None,
        trailers=None,
        timestamp_start=time.time(),
        timestamp_end=None,
    )


def response_bytes(response: Response) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """Reason and fields of a response of ours, with its framing; line breaks become spaces."""
    fields = [
        (name.encode("latin-1", "replace"), _one_line(value))
        for name, value in response.headers.without("content-length", "transfer-encoding").fields
    ]
    return _one_line(response.reason), fields


def _one_line(text: str) -> bytes:
    return _BAD_TEXT.sub(" ", text).encode("latin-1", "replace")


def phrase(status: int) -> bytes:
    return status_codes.RESPONSES.get(status, "").encode()


def basic(value: str) -> tuple[str, str]:
    """User and password of a Basic credential; two empty texts for anything else."""
    scheme, _, rest = value.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        user, _, password = b64decode(rest.strip(), validate=True).decode().partition(":")
    except (NotBase64, UnicodeDecodeError):
        return "", ""
    return user, password

"""What a request asks for: its query and its body as one map of arguments.

The body is read by its Content-Type, or by the codec that a reverser file names. Nothing is
guessed: JSON that is sent as text/plain is read only where a file says `decode: json`.

Of a field that stands several times, `args` holds the list of its values, `query` the last. A
field of the body wins over one of the query; `clash` names those that differ, for services that
read both as one. A query that cannot be read strictly makes the whole invalid.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from goex_proxy.core.decoded import BodyState, Decoded
from goex_proxy.core.exchange import Headers, Request, Response
from goex_proxy.core.value import same
from goex_proxy.wire import coding, form, json, multipart, xml
from goex_proxy.wire.codecs import Codec, codec
from goex_proxy.wire.outcome import ambiguous, invalid, too_large, unsupported

LIMIT = 1 << 20
"""Bytes of a body, unpacked, that are decoded."""
ANSWER_LIMIT = 32 << 20
"""The same of an answer, which may be an image."""
REQUEST_VALUES = 20_000
"""Values of a JSON body that are decoded; of an answer `json.MAX_VALUES`. A policy is given all of
them, on the gateway's one loop."""


_NOTHING = Decoded()


def decode(request: Request, name: str | None = None, *, limit: int = LIMIT) -> Decoded:
    """Never raises. `name`: the codec that the reverser file declares, if it does."""
    if name is None and request.body == b"" and "?" not in request.target:
        return _NOTHING
    body = _body(_known(request, name), request.headers, name, limit)
    try:
        fields = form.pairs(request.query.encode("utf-8", "replace"))
        if len(fields) > form.MAX_FIELDS:
            return too_large(f"a query of more than {form.MAX_FIELDS} fields")
        query = form.fields(fields)
    except ValueError as error:
        return invalid(f"the query: {error}")
    clash = tuple(k for k, v in query.items() if k in body.args and not same(v, body.args[k]))
    return replace(body, args=query | dict(body.args), query=dict(fields), clash=clash)


def _known(request: Request, name: str | None) -> bytes | None:
    """The body; of one that is streamed past its beginning, where the codec needs no more."""
    chosen = codec(name) if name else None
    if request.body is None and chosen is not None and chosen.prefix:
        return request.prefix
    return request.body


def decode_answer(
    response: Response, name: str | None = None, *, limit: int = ANSWER_LIMIT
) -> Decoded:
    """The body of an answer, by its Content-Type or a codec. Never raises."""
    return _body(response.body, response.headers, name, limit)


def _body(body: bytes | None, headers: Headers, name: str | None, limit: int) -> Decoded:
    chosen = codec(name) if name else None
    if name and chosen is None:
        return unsupported(f"there is no codec {name[:40]!r}")
    if chosen is not None and not chosen.in_body:
        return chosen.decode(b"", headers)
    if body is None:
        return too_large("the body is too large to be kept, so it is not known")
    if not body:
        return Decoded()
    if len(body) > limit and not (chosen and chosen.prefix):
        return too_large(f"the body is larger than {limit} bytes")
    most = json.MAX_VALUES if limit > LIMIT else REQUEST_VALUES
    return _by_type(body, headers, chosen, limit, most)


def _by_type(body: bytes, headers: Headers, chosen: Codec | None, limit: int, most: int) -> Decoded:
    packed = headers.get("content-encoding")
    if packed:
        unpacked = coding.unpack(body, packed, limit)
        if isinstance(unpacked, Decoded):
            return unpacked
        body = unpacked
    if chosen is not None:
        return chosen.decode(body, headers)
    if len(headers.all("content-type")) > 1:
        return ambiguous("two Content-Type fields")
    said = headers.get("content-type")
    kind, parameters = media_type(said)
    if not body:
        return Decoded()
    made = _read(body, kind, parameters, most)
    doubt = "" if made.state is BodyState.UNSUPPORTED else _two_readings(said, kind)
    return ambiguous(doubt) if doubt else made


def _two_readings(said: str, kind: str) -> str:
    """Of a repeated parameter some readers take the first, some the last, some that of RFC 2231
    (`boundary*=`); PHP takes what follows the first `boundary`, wherever it stands."""
    rest = said.partition(";")[2]
    found: dict[str, str] = {}
    for piece in filter(None, (text.strip().lower() for text in rest.split(";"))):
        name, _, value = piece.partition("=")
        if "*" in name or found.setdefault(name.strip(), value) != value:
            return "a Content-Type with a parameter twice, or an extended one"
    if kind.startswith("multipart/") and not _PARAMETERS.fullmatch(rest):
        return "a Content-Type whose parameters are not written as RFC 9110, 5.6.6 says"
    if kind.startswith("multipart/") and said.lower().count("boundary") > 1:
        return "a Content-Type with more than one boundary"
    return ""


_ONE = r"[!#$%&'+.^_`|~0-9A-Za-z-]+=(?:[^\s;,\"]+|\"[^\"\\;]*\")"
_PARAMETERS = re.compile(rf"[ \t]*(?:{_ONE})?[ \t]*(?:;[ \t]*(?:{_ONE})?[ \t]*)*")
"""No semicolon in a quoted string: not everybody reads over it."""


def _read(body: bytes, kind: str, parameters: Mapping[str, str], most: int) -> Decoded:
    charset = parameters.get("charset", "")
    main, _, sub = kind.partition("/")
    if kind in ("application/json", "text/json") or sub.endswith("+json"):
        return json.decode(body, charset, most)
    if kind == "application/x-www-form-urlencoded":
        return form.decode(body) if _utf8(charset) else invalid("a form that is not in UTF-8")
    if main == "multipart":
        return multipart.decode(body, sub, parameters.get("boundary", ""))
    if kind in ("application/xml", "text/xml") or sub.endswith("+xml"):
        return xml.decode(body, charset)
    return unsupported(f"the content type {kind[:80]!r}" if kind else "no content type")


def _utf8(charset: str) -> bool:
    return charset.lower() in ("", "utf-8", "utf8", "us-ascii")


def media_type(value: str) -> tuple[str, dict[str, str]]:
    """Type in lower case, and parameters by name in lower case (RFC 9110, 8.3.1); the first
    of a repeated one."""
    kind, _, rest = value.partition(";")
    parameters: dict[str, str] = {}
    for piece in rest.split(";")[:20]:
        name, _, text = piece.strip().partition("=")
        parameters.setdefault(name.strip().lower(), text.strip().strip('"'))
    return kind.strip().lower(), parameters


def opaque(decoded: Decoded) -> bool:
    """Whether there is a body that nobody here has understood."""
    return decoded.state not in (BodyState.ABSENT, BodyState.PARSED)

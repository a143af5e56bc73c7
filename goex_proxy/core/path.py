"""One path: what is decided is what is sent.

The raw path is split on `/` and each segment is decoded once (RFC 3986, 2.4). An encoded
slash inside a segment stays `%2F`. What two parties could read differently (dot segments,
empty segments, double encoding, backslash, NUL, bytes that are not UTF-8) is refused.
The bytes that go out are written anew from the segments.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

_PCHAR = "!$&'()*+,;=:@-._~"
_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\]")
_PLAIN = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+/?")
"""A path in which nothing is encoded and nothing could be read in two ways: most of them."""
_RAW_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\#]|[^\x00-\x7f]")


@dataclass(frozen=True, slots=True)
class Path:
    """Decoded segments; `slash` says that the path ended in one (`/a/` is not `/a`)."""

    segments: tuple[str, ...]
    slash: bool = False

    def __str__(self) -> str:
        """As it is sent."""
        body = "/" + "/".join(encode_segment(segment) for segment in self.segments)
        return body + "/" if self.slash and self.segments else body

    @property
    def shown(self) -> str:
        """Decoded, as policies and people see it (an encoded slash stays `%2F`)."""
        body = "/" + "/".join(self.segments)
        return body + "/" if self.slash and self.segments else body


def parse(raw: str) -> Path:
    """Read a raw path (no query). Raises ValueError(what is wrong with it)."""
    if _PLAIN.fullmatch(raw):
        slash = raw.endswith("/")
        return Path(tuple(raw[1 : -1 if slash else None].split("/")), slash)
    if not raw.startswith("/"):
        raise ValueError("the path does not begin with a slash")
    if _RAW_FORBIDDEN.search(raw):
        raise ValueError("the path has a raw character that must not stand in a URL")
    parts = raw[1:].split("/")
    slash = parts[-1] == ""
    if slash:
        parts.pop()
    return Path(tuple(_decode(part) for part in parts), slash and bool(parts))


def canonical(target: str) -> str:
    """The target (path and query) written anew from what was decided on."""
    raw, mark, query = target.partition("?")
    if re.search(r"[\x00-\x20\x7f#]|[^\x00-\x7f]", query):
        raise ValueError("the query has a raw character that must not stand in a URL")
    return (raw if _PLAIN.fullmatch(raw) else str(parse(raw))) + mark + query


def encode_segment(text: str) -> str:
    """One segment, percent-encoded; `%2F` in it is an encoded slash and stays one."""
    return "%2F".join(quote(part, safe=_PCHAR) for part in text.split("%2F"))


def is_dot(text: str) -> bool:
    """Whether somebody could read `.` or `..`; servers in Java drop what follows a `;`."""
    return text.partition(";")[0] in {".", ".."}


def twice_encoded(text: str) -> bool:
    """Whether a decoded text could be decoded once more."""
    return _ENCODED.search(text) is not None


def _decode(raw: str) -> str:
    if not raw:
        raise ValueError("the path has an empty segment (//)")
    if _PERCENT.search(raw):
        raise ValueError("the path has a % that encodes nothing")
    try:
        pieces = [unquote_to_bytes(p).decode("utf-8") for p in re.split("%2[Ff]", raw)]
    except UnicodeDecodeError:
        raise ValueError("the path is not UTF-8") from None
    if any(twice_encoded(piece) for piece in pieces):
        raise ValueError("the path is percent-encoded twice")
    text = "%2F".join(pieces)
    if any(is_dot(piece) for piece in pieces):
        raise ValueError("the path has a dot segment")
    if _FORBIDDEN.search(text):
        raise ValueError("the path has a backslash or a control character")
    return text

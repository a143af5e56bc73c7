"""Where in a request a credential may stand: `bearer`, `basic`, `header:NAME`.

A slot is where a service looks for a credential. Everywhere else a placeholder is inert
text: `chat.postMessage{text: PLACEHOLDER}` must never publish a token.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass

BEARER = "bearer"
BASIC = "basic"
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LATER = ("query:", "body:", "path:", "ws:", "aws-sigv4")
_BEARER_SCHEMES = frozenset({"bearer", "token"})
_NO_PASSWORD = frozenset({"", "x", "x-oauth-basic"})


def parse(text: str) -> str:
    """The normal form of a slot. Raises ValueError(what is wrong, what to write instead)."""
    slot = text.strip()
    if slot in (BEARER, BASIC):
        return slot
    kind, _, name = slot.partition(":")
    if kind == "header" and _TOKEN.fullmatch(name):
        lower = name.lower()
        if lower in {"host", "cookie", "content-length", "transfer-encoding", "connection"}:
            raise ValueError(f"slot {text!r}: a credential cannot stand in {name}")
        return f"header:{lower}"
    if slot.startswith(_LATER):
        raise ValueError(f"slot {text!r} comes in a later version: use bearer, basic, header:NAME")
    raise ValueError(f"slot {text!r} is not known: write bearer, basic or header:NAME")


@dataclass(frozen=True, slots=True)
class Find:
    """A value that stands in a slot of a request: at `index` of its header fields."""

    index: int
    slot: str
    value: str


def in_authorization(index: int, value: str) -> list[Find]:
    """What an Authorization field holds: `Bearer x`, `token x` (GitHub), Basic, or raw."""
    scheme, _, rest = value.strip().partition(" ")
    rest = rest.strip()
    lower = scheme.lower()
    if lower in _BEARER_SCHEMES:
        return [Find(index, BEARER, rest)]
    if lower == BASIC:
        user, password = decode_basic(rest)
        return [Find(index, BASIC, user), Find(index, BASIC, password)]
    return [Find(index, "header:authorization", rest or scheme)]


def put(value: str, slot: str, old: str, new: str) -> str:
    """The field's value with `old` replaced by `new` in this slot; latin-1 text, as on the wire.

    Raises ValueError if the new value cannot stand there.
    """
    if slot != BASIC:
        head, found, tail = value.rpartition(old)
        if not found:
            raise ValueError("the field does not hold the placeholder")
        return head + new + tail
    scheme, _, rest = value.strip().partition(" ")
    user, password = decode_basic(rest.strip())
    if user == old and ":" in new:
        raise ValueError("a user name of Basic cannot hold a colon (RFC 7617)")
    pair = f"{new if user == old else user}:{new if password == old else password}"
    return f"{scheme} {b64encode(pair.encode('latin-1')).decode()}"


def decode_basic(encoded: str) -> tuple[str, str]:
    """User and password (RFC 7617); two empty texts if it is not well-formed."""
    try:
        pair = b64decode(encoded, validate=True).decode("latin-1")
    except (Base64Error, ValueError):
        return "", ""
    user, _, password = pair.partition(":")
    return user, password


def is_filler(value: str) -> bool:
    """What clients write into the other half of Basic when a token is the user name."""
    return value in _NO_PASSWORD


def field_for(slot: str, placeholder: str) -> tuple[str, str]:
    """A header field that holds a placeholder in this slot."""
    if slot == BEARER:
        return "Authorization", f"Bearer {placeholder}"
    if slot == BASIC:
        pair = b64encode(f"x-access-token:{placeholder}".encode()).decode()
        return "Authorization", f"Basic {pair}"
    return slot.removeprefix("header:").title(), placeholder

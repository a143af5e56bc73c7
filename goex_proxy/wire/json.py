"""JSON bodies (RFC 8259) as everybody reads them alike: UTF-8, no key twice, no NaN, 64 deep."""

import json
import re

from goex_proxy.core import exact
from goex_proxy.core.decoded import Decoded
from goex_proxy.wire.outcome import ambiguous, invalid, parsed, too_large

_CHARSETS = frozenset({"", "utf-8", "utf8", "us-ascii"})
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


MAX_VALUES = 100_000
"""Lists, maps and what stands in them: 100 ms to decode and to keep."""


def decode(data: bytes, charset: str = "", most: int = MAX_VALUES) -> Decoded:
    """At most `most` values. Numbers are exact (`core.exact`). Invalid in any charset but UTF-8,
    whatever the bytes."""
    if charset.lower() not in _CHARSETS:
        return invalid(f"JSON in {charset[:40]!r}, not in UTF-8")
    try:
        value = exact.loads(data, most)
    except exact.DuplicateKey as error:
        return ambiguous(f"duplicate key: {error.key[:80]!r}")
    except exact.TooMany as error:
        return too_large(f"JSON of {error}")
    except exact.NotJson as error:
        return invalid(f"not JSON: {error}")
    if _SURROGATE.search(data) and not _is_text(value):
        return invalid("not JSON: half a surrogate pair, which is no character")
    return parsed(value)


def _is_text(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True

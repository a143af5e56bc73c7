"""The forms in which a service may echo a secret back.

The list is closed and said aloud (design section 8): as it is, base64 at its three alignments
(both alphabets), percent-encoded, JSON-escaped, HTML-escaped, hex, and with every byte written
as an escape of JSON or HTML. Not covered: a secret that is split, reversed, compressed,
encrypted, wrapped at column 76, or encoded twice.
"""

import html
import json
from base64 import b64encode
from urllib.parse import quote, quote_plus

SHORTEST = 8
"""Bytes. Shorter secrets would be found all over innocent text: they are not scrubbed."""


def forms(secret: bytes) -> frozenset[bytes]:
    """Every form of a secret that is looked for; none if it is too short to be looked for."""
    if len(secret) < SHORTEST:
        return frozenset()
    found = {secret, *_base64(secret), *_percent(secret), *_json(secret), *_hex(secret)}
    found.add(html.escape(secret.decode("latin-1")).encode("latin-1"))
    found |= _every(secret)
    return frozenset(form for form in found if len(form) >= SHORTEST)


def _base64(secret: bytes) -> set[bytes]:
    """The characters of a base64 text that depend on the secret alone, wherever it starts."""
    found = set()
    for before in range(3):
        encoded = b64encode(b"\0" * before + secret)
        certain = encoded[-(-8 * before // 6) : 8 * (before + len(secret)) // 6]
        found |= {certain, certain.translate(bytes.maketrans(b"+/", b"-_"))}
    return found


def _percent(secret: bytes) -> set[bytes]:
    every = "".join(f"%{byte:02X}" for byte in secret)
    texts = {quote(secret, safe=""), quote(secret), quote_plus(secret), every}
    lower = {_lower_escapes(text) for text in texts}
    return {text.encode() for text in texts | lower}


def _lower_escapes(text: str) -> str:
    head, *parts = text.split("%")
    return "%".join([head, *(part[:2].lower() + part[2:] for part in parts)])


def _json(secret: bytes) -> set[bytes]:
    try:
        text = secret.decode()
    except UnicodeDecodeError:
        text = secret.decode("latin-1")
    plain, ascii_only = json.dumps(text, ensure_ascii=False)[1:-1], json.dumps(text)[1:-1]
    texts = {plain, ascii_only, plain.replace("/", "\\/"), ascii_only.replace("/", "\\/")}
    for careful in ("&<>", "&<>='", "&<>='+"):  # Go; Gson; ASP.NET: made safe for HTML
        safe = ascii_only
        for character in careful:
            safe = safe.replace(character, f"\\u{ord(character):04x}")
        texts |= {safe, _upper_escapes(safe)}
    return {form.encode() for form in texts}


def _upper_escapes(text: str) -> str:
    head, *parts = text.split("\\u")
    return "\\u".join([head, *(part[:4].upper() + part[4:] for part in parts)])


def _every(secret: bytes) -> set[bytes]:
    """Each byte written as an escape of JSON or HTML, as some careful encoders do."""
    patterns = ("\\u{:04x}", "\\u{:04X}", "&#{};", "&#x{:x};", "&#x{:X};")
    return {"".join(map(pattern.format, secret)).encode() for pattern in patterns}


def _hex(secret: bytes) -> set[bytes]:
    return {secret.hex().encode(), secret.hex().upper().encode()}

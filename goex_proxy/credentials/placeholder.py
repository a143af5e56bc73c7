"""Placeholders: what an agent holds instead of a secret. Unguessable, and in its shape.

Clients look at tokens (`ghp_` means a personal token to gh, Slack's SDKs ask for `xoxb-`, a JWT
is decoded for its expiry), so a placeholder looks like the real thing and is worth nothing.
"""

import json
import re
import secrets
import string
from base64 import urlsafe_b64encode
from collections.abc import Collection

_ALPHABET = string.ascii_letters + string.digits
_RANDOM_CHARACTERS = 24
"""Base 62: 142 bits. A shorter secret gets a longer placeholder."""
_PREFIX = re.compile(
    r"github_pat_|gh[a-z]_|xox[a-z]-|xapp-|sk-[a-z]+-|sk-|[sr]k_(?:live|test)_|glpat-|ya29\.|sl\."
)
_JWT = re.compile(rb"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]*")
_SHAPE = re.compile(r"[A-Za-z0-9._-]{0,24}")
_FAR = 4102444800  # 2100-01-01: no client refreshes a placeholder


def shape_of(secret: bytes) -> str:
    """The shape of a value: `jwt`, a prefix that is known to be public, or `` (generic)."""
    if _JWT.fullmatch(secret):
        return "jwt"
    found = _PREFIX.match(secret.decode("latin-1"))
    return found.group() if found else ""


def mint(secret: bytes, taken: Collection[str], shape: str | None = None) -> str:
    """A new placeholder. Neither it nor the secret nor any of `taken` is part of another.

    `shape`: `jwt`, or a prefix such as `ghp_`; None: as the secret looks. Raises ValueError.
    """
    wanted = shape_of(secret) if shape is None else shape
    if wanted != "jwt" and not _SHAPE.fullmatch(wanted):
        raise ValueError(f"shape {wanted!r}: write jwt, or a prefix such as ghp_")
    value = secret.decode("latin-1")
    for _ in range(100):
        made = _jwt(len(value)) if wanted == "jwt" else _prefixed(wanted, len(value))
        if not any(made in other or other in made for other in (*taken, value) if other):
            return made
    raise ValueError("no placeholder can be made: the secret is too short, use a longer one")


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _prefixed(prefix: str, length: int) -> str:
    if prefix.startswith("xox") and length >= len(prefix) + 26 + _RANDOM_CHARACTERS:
        team = f"{secrets.randbelow(10**12):012}-{secrets.randbelow(10**12):012}"
        prefix = f"{prefix}{team}-"
    return prefix + _random(max(_RANDOM_CHARACTERS, length - len(prefix)))


def _jwt(length: int) -> str:
    head = _part({"alg": "HS256", "typ": "JWT"})
    body = _part({"sub": "goex", "exp": _FAR, "jti": _random(16)})
    return f"{head}.{body}.{_random(max(43, length - len(head) - len(body) - 2))}"


def _part(fields: dict[str, str | int]) -> str:
    text = json.dumps(fields, separators=(",", ":")).encode()
    return urlsafe_b64encode(text).decode().rstrip("=")

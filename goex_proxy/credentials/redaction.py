"""Which parts of a request are credentials by their place, and how they are kept out of sight.

A list of names can never be complete: a secret in a field that nobody would take for one is
only found if it is one of ours (scrub.py).
"""

from base64 import b64encode
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import unquote_plus

from goex_proxy.credentials import slot

MARK = "[redacted-by-goex]"

_FIELDS = frozenset(
    [
        "authorization",
        "proxy-authorization",
        "cookie",
        "cookie2",
        "set-cookie",
        "set-cookie2",
        "api-key",
        "apikey",
        "x-api-key",
        "x-apikey",
        "x-goog-api-key",
        "x-goog-iam-authorization-token",
        "x-auth-token",
        "x-auth-key",
        "x-access-token",
        "x-amz-security-token",
        "x-vault-token",
        "x-gitlab-token",
        "private-token",
        "job-token",
        "deploy-token",
        "x-shopify-access-token",
        "x-figma-token",
        "x-api-token",
        "x-auth-email-token",
        "dd-api-key",
        "dd-application-key",
        "x-goog-authenticated-user-jwt",
        "x-forwarded-access-token",
        "x-session-token",
        "x-dropbox-api-token",
        "x-authorization",
        "x-functions-key",
        "ocp-apim-subscription-key",
    ]
)
_ENDINGS = ("-api-key", "-apikey", "-auth-token", "-access-token", "-secret", "-session-token")
_SIGNED = frozenset(
    [
        "x-amz-signature",
        "x-amz-credential",
        "x-amz-security-token",
        "x-goog-signature",
        "x-goog-credential",
        "signature",
        "sig",
        "access_token",
        "api_key",
        "apikey",
    ]
)
_PARAMETERS = _SIGNED | frozenset(
    [
        "token",
        "refresh_token",
        "id_token",
        "client_secret",
        "password",
        "secret",
        "auth_token",
        "oauth_token",
        "oauth_signature",
        "x-goog-api-key",
        "private_token",
        "job_token",
        "assertion",
        "client_assertion",
        "awsaccesskeyid",
    ]
)

_AMBIGUOUS = frozenset(["key", "code"])
"""API keys and OAuth codes by their length alone: short ones name projects, languages, flags."""
_LONG = 20


@lru_cache(maxsize=1024)
def is_secret_field(lower: str) -> bool:
    """Does a header of this name (lower case) carry a credential?"""
    return lower in _FIELDS or lower.endswith(_ENDINGS)


def signed(query: str) -> list[str]:
    """The values of the query parameters that authorise a request by themselves."""
    return [value for name, value in _pairs(query) if _known(name) in _SIGNED and value]


def query(text: str, keep: Callable[[str], bool]) -> str:
    """A query whose secret parameters are marked, but for values to `keep`."""
    parts = []
    for part in text.split("&"):
        name, equals, value = part.partition("=")
        hide = value and _authorises(_known(name), value) and not keep(value)
        parts.append(f"{name}={MARK}" if hide else name + equals + value)
    return "&".join(parts)


def _authorises(name: str, value: str) -> bool:
    return name in _PARAMETERS or (name in _AMBIGUOUS and len(value) >= _LONG)


def target(text: str, keep: Callable[[str], bool]) -> str:
    path, mark, rest = text.partition("?")
    return f"{path}?{query(rest, keep)}" if mark else text


def field(lower: str, value: str, keep: Callable[[str], bool]) -> str:
    """A header value as it may be journaled: marked, unless it is one to `keep`."""
    if not is_secret_field(lower) or keep(value):
        return value
    if not lower.endswith("authorization"):
        return MARK
    scheme, space, rest = value.strip().partition(" ")
    if not space:
        return MARK
    if scheme.lower() == slot.BASIC:
        return f"{scheme} {_basic(rest.strip(), keep)}"
    return value if keep(rest.strip()) else f"{scheme} {MARK}"


def _basic(encoded: str, keep: Callable[[str], bool]) -> str:
    user, password = slot.decode_basic(encoded)
    if keep(password) or (keep(user) and slot.is_filler(password)):
        return encoded
    if not keep(user):
        return MARK
    return b64encode(f"{user}:{MARK}".encode("latin-1")).decode()


def _known(name: str) -> str:
    """A parameter's name as the service will read it."""
    return (unquote_plus(name) if "%" in name or "+" in name else name).lower()


def _pairs(text: str) -> list[tuple[str, str]]:
    split = (part.partition("=") for part in text.split("&"))
    return [(name, value) for name, _, value in split]

"""The same call, made again: what a retry has in common with its first try.

SHA-256 over session, method, URL, credential and body, without the fields that the rule
declares to differ between retries. It tells retries apart from new calls; it proves nothing.
A call whose body was not read has none: two uploads to one place are two calls.
"""

from hashlib import sha256

from goex_proxy.core import exact
from goex_proxy.core.call import Call
from goex_proxy.core.catalog import Classified


def fingerprint(call: Call, seen: Classified) -> str:
    """Hexadecimal, 32 digits; empty if there is none."""
    request = call.request
    if request.body is None:
        return ""
    body = request.body
    nonce = seen.operation.nonce if seen.operation else ()
    if nonce and isinstance(seen.decoded.value, dict):
        body = _without(seen.decoded.value, nonce) or body
    parts = (
        call.caller.session.encode(),
        call.caller.agent.encode(),
        request.method.encode(),
        request.url.encode(),
        call.auth.encode() + call.credential.encode(),
        request.headers.get("content-type").encode(),
        body,
    )
    digest = sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()[:32]


def _without(value: dict[str, object], nonce: tuple[str, ...]) -> bytes:
    try:
        return exact.dumps({k: v for k, v in value.items() if k not in nonce})
    except TypeError:  # bytes in it (a file of a form): then the whole body speaks
        return b""

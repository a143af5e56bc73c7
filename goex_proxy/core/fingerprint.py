"""The same call, made again: what a retry has in common with its first try.

SHA-256 over session, method, URL, credential, body and header fields, without the fields that
the rule declares to differ between retries, and without those that say nothing of what is asked
(traces, dates, what the client is, in which tongue it wants to be told). Any other field may be
the call itself, as the Destination of a MOVE is, or choose what it means, as Accept does where
it names a version. It tells retries apart from new calls; it proves nothing.
A call whose body was not read has none: two uploads to one place are two calls.
"""

from hashlib import sha256

from goex_proxy.core import exact
from goex_proxy.core.call import Call
from goex_proxy.core.catalog import Classified
from goex_proxy.core.exchange import Request

_NOISE = frozenset(
    (
        *("accept-charset", "accept-encoding", "accept-language", "user-agent"),
        *("authorization", "cookie", "content-length", "date", "x-amz-date", "x-ms-date"),
        *("cache-control", "pragma", "referer", "dnt", "priority", "te"),
        *("traceparent", "tracestate", "baggage", "sentry-trace", "newrelic", "uber-trace-id"),
        *("elastic-apm-traceparent", "x-amzn-trace-id", "x-cloud-trace-context", "x-trace-id"),
        *("b3", "request-id", "client-request-id", "x-request-id", "x-client-request-id"),
        *("x-correlation-id", "x-ms-client-request-id", "x-github-request-id", "x-goog-api-client"),
        *("amz-sdk-invocation-id", "amz-sdk-request", "x-retry-count", "x-retry-attempt"),
    )
)
_NOISY = ("x-b3-", "x-datadog-", "x-stainless-", "x-goex-", "sec-")


def fingerprint(call: Call, seen: Classified, foreign: str = "") -> str:
    """Hexadecimal, 32 digits; empty if there is none.

    `foreign`: a keyed hash of credentials and cookies that are not ours. The call as it is
    recorded has none of them, and an approval for one must be no pass for another.
    """
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
        foreign.encode(),
        _meaning(request),
        body,
    )
    digest = sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()[:32]


def _meaning(request: Request) -> bytes:
    """The header fields that a service may act on, in an order of their own."""
    fields = ((name.lower(), value) for name, value in request.headers)
    told = sorted(pair for pair in fields if pair[0] not in _NOISE and not _is_noisy(pair[0]))
    return "\n".join(f"{name}:{value}" for name, value in told).encode()


def _is_noisy(name: str) -> bool:
    return name.startswith(_NOISY)


def _without(value: dict[str, object], nonce: tuple[str, ...]) -> bytes:
    try:
        return exact.dumps({k: v for k, v in value.items() if k not in nonce})
    except TypeError:  # bytes in it (a file of a form): then the whole body speaks
        return b""

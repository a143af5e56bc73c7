"""What went wrong, in words of ours: aiohttp's own texts may quote what was on the wire."""

import aiohttp

from goex_proxy.upstream.errors import LostError, NotSentError, UpstreamError
from goex_proxy.upstream.resolver import NetworkRefusedError
from goex_proxy.upstream.wire_request import Call


def failed(call: Call, reason: str) -> UpstreamError:
    """`LostError` if bytes may have left, else `NotSentError`."""
    return LostError(reason) if call.sent else NotSentError(reason)


def reason_of(error: Exception) -> str:
    """What happened, without a header, a body or a URL."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        detail = getattr(error.certificate_error, "verify_message", "") or "not valid"
        return f"the certificate of {error.host} was refused: {detail}"
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return f"no TLS connection to {error.host}"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        if isinstance(error.os_error, NetworkRefusedError):
            return str(error.os_error)
        return f"the name {error.host} is not known"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"no connection to {error.host}:{error.port}: {error.os_error.strerror}"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the service closed the connection without an answer"
    return f"the exchange broke off ({type(error).__name__})"

"""How a request to a service can fail. The texts hold no header, no body, no secret."""

from goex_proxy.core.exchange import Response


class UpstreamError(Exception):
    """Something went wrong on the way to a service."""


class NotSentError(UpstreamError):
    """Not one byte of the request left: name, network, TLS, a refused swap. Safe to repeat."""


class LostError(UpstreamError):
    """The request left, at least in part, and its answer is not known: in doubt."""


class UnreadableError(UpstreamError):
    """The service answered, but its body cannot be had. `response` is the head, body None."""

    def __init__(self, reason: str, response: Response) -> None:
        super().__init__(reason)
        self.response = response


class TooLargeError(UnreadableError):
    """The body is larger than the limit, on the wire or decompressed."""

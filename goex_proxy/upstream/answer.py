"""Reading an answer: bounded, decoded, scrubbed."""

from dataclasses import replace

import aiohttp

from goex_proxy.core.exchange import Headers, Request, Response
from goex_proxy.credentials.scrub import Scrubs
from goex_proxy.upstream.decoding import TooMuchError, decode
from goex_proxy.upstream.errors import TooLargeError, UnreadableError


async def read_answer(
    request: Request, response: aiohttp.ClientResponse, limit: int, scrubs: Scrubs
) -> Response:
    """The answer, decoded and scrubbed. Raises TooLargeError, UnreadableError."""
    pairs = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in response.raw_headers]
    head = Response(
        status=response.status,
        headers=Headers(tuple(pairs)).without("Transfer-Encoding", "Connection", "Keep-Alive"),
        reason=response.reason or "",
        body=None,
    )
    head = scrubs.response(head)[0]
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > limit:
            response.close()
            raise TooLargeError(f"the answer is larger than {limit} bytes", head)
    return _decoded(request, head, bytes(body), limit, scrubs)


def _decoded(request: Request, head: Response, body: bytes, limit: int, scrubs: Scrubs) -> Response:
    coding = head.headers.get("content-encoding")
    if request.method == "HEAD":
        return replace(head, body=b"")
    failure: UnreadableError
    try:
        plain = decode(body, coding, limit) if body and coding else body
    except TooMuchError as error:
        failure = TooLargeError(str(error), head)
    except ValueError as error:
        failure = UnreadableError(str(error), head)
    else:
        bare = head.headers.without("Content-Encoding", "Content-Length")
        clean = scrubs.data(plain)
        fields = bare.set("Content-Length", str(len(clean)))
        return replace(head, headers=fields if clean or coding else head.headers, body=clean)
    raise failure

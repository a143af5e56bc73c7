"""The requests of a plan in words, for whoever is asked whether they may go."""

from goex_proxy.core import exact
from goex_proxy.core.exchange import Request
from goex_proxy.core.inverse import Inverse
from goex_proxy.wire import form
from goex_proxy.wire.decode import media_type


def request_lines(inverse: Inverse) -> tuple[str, ...]:
    """The requests of an inverse, a line each: what would be sent, its body cut short."""
    return tuple(
        f"{s.request.method} {s.request.url}{body_in_words(s.request)}" for s in inverse.steps
    )


def body_in_words(request: Request) -> str:
    """Two spaces and the body as the service reads it, or its size; '' for none."""
    body = request.body
    if not body:
        return ""
    kind, _ = media_type(request.headers.get("content-type"))
    try:
        is_form = kind == "application/x-www-form-urlencoded"
        value = form.merged(form.pairs(body)) if is_form else exact.loads(body)
        text = exact.dumps(value).decode()
    except ValueError:
        return f"  ({len(body)} bytes)"
    return f"  {text[:200]}{'…' if len(text) > 200 else ''}"

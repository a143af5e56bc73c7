"""Guards: the preconditions that make a write of an undo atomic with the check before it."""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote

from goex_proxy.core import exact
from goex_proxy.core.exchange import Request
from goex_proxy.core.expression import ExpressionError
from goex_proxy.core.footprint import Seen
from goex_proxy.core.image import Image
from goex_proxy.core.path import parse


class GuardError(ValueError):
    """A precondition that cannot be put into its request."""


def guard_for(request: Request, seen: Mapping[str, Seen]) -> str | None:
    """The image whose guard a write carries: that of the resource which it goes to."""
    guarded = {name: images for name, images in seen.items() if images.resource.guard}
    for name, images in guarded.items():
        known, at = images.left or images.before, images.resource.at
        found = at.match(parse(request.path)) if at is not None else None
        if known is not None and found is not None:
            given = known.instance.params
            if all(given.get(key) == value for key, value in found.items()):
                return name
    # Without a path of its own it cannot be told apart from others: only where there are none.
    loose = [name for name, images in guarded.items() if images.resource.at is None]
    return loose[0] if loose and len(seen) == 1 else None


def binds(images: Seen, image: Image | None) -> bool:
    """Whether the service gave what a precondition needs: not all of them send an ETag."""
    if image is None:
        return False
    if not image.present:
        return True  # what is made anew must not be there, and that too can be asked for
    try:
        return any(value is not None for _, _, value in _values(images, image))
    except ExpressionError:
        return False


def guarded(request: Request, images: Seen | None) -> Request:
    """The request, on condition that nobody writes between our check and it.

    Raises `ExpressionError`, `GuardError`.
    """
    now = images.now if images is not None else None
    if images is None or now is None:
        return request
    if not now.present:
        return _anew(request, images)
    for place, name, value in _values(images, now):
        if value is not None:
            request = _placed(request, place, name, value)
    return request


def _anew(request: Request, images: Seen) -> Request:
    """On condition that nothing is there; a body or query says so by naming no version."""
    if any(place == "header" for place, _, _ in images.resource.guard):
        return _placed(request, "header", "If-None-Match", "*")
    return request


def _values(images: Seen, image: Image) -> list[tuple[str, str, object]]:
    etag = image.tags.get("etag")
    # If-Match compares strongly (RFC 9110, 13.1.1): a weak tag would never match.
    strong = None if etag is None or etag.startswith("W/") else etag
    scope = images.language.scope({**image.tags, "etag": strong, "it": image.value})
    return [(place, name, e.evaluate(scope)) for place, name, e in images.resource.guard]


def _placed(request: Request, place: str, name: str, value: object) -> Request:
    text = str(value)
    if place == "header":
        if any(not " " <= c <= "~" for c in text):
            raise GuardError(f"the value of {name} cannot stand in a header")
        return replace(request, headers=request.headers.set(name, text))
    if place == "query":
        mark = "&" if "?" in request.target else "?"
        pair = f"{quote(name, safe='')}={quote(text, safe='')}"
        return replace(request, target=f"{request.target}{mark}{pair}")
    try:
        body = exact.loads(request.body) if request.body else {}
    except ValueError as error:
        raise GuardError(f"{name} belongs into a JSON body: {error}") from None
    if not isinstance(body, dict):
        raise GuardError(f"{name} belongs into a JSON object")
    return request.with_body(exact.dumps({**body, name: value}), "application/json")

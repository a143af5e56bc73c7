"""Taking images: the reads that show what a call is about to change, or has changed."""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, quote, urlencode

from goex_proxy.core import exact
from goex_proxy.core.book import Book
from goex_proxy.core.command import Asking, Fetch, FetchFailed
from goex_proxy.core.decoded import BodyState
from goex_proxy.core.exchange import Request, Response
from goex_proxy.core.expression import Expression, ExpressionError
from goex_proxy.core.image import Image
from goex_proxy.core.rendering import RenderError, requests
from goex_proxy.core.resource import Form, Instance, Resource, Use
from goex_proxy.core.service import Service
from goex_proxy.core.subject import Subject
from goex_proxy.core.value import ABSENT, dotted

MAX_MARKS = 200_000
"""Commas and opening brackets in all pages of a read, which tell how many values it has: one page
is bounded by its decoder, and twenty of them together stopped everybody else for seconds."""
_TAGS = ("etag", "last-modified", "content-type")


class ImageFailed(Exception):
    """An image that could not be taken, and why."""


def look(
    subject: Subject, uses: Iterable[Use], names: Mapping[str, object]
) -> Asking[tuple[Image, ...]]:
    """An image of each resource that applies. Raises `ImageFailed`."""
    taken: list[Image] = []
    budget = _Budget(subject.book.limits.image_requests)
    for use in uses:
        known = {**names, **before_name(taken)}
        try:
            instance = locate(subject.service, use, known)
        except (ExpressionError, RenderError) as error:
            raise ImageFailed(f"{use.resource.name}: {error}") from None
        if instance is not None:
            taken.append((yield from take(subject, use.resource, instance, budget)))
    return tuple(taken)


def look_again(subject: Subject, images: Iterable[Image]) -> Asking[tuple[Image, ...]]:
    """The same things once more. Raises `ImageFailed`."""
    resources = {use.name: use.resource for use in subject.operation.images}
    budget = _Budget(subject.book.limits.image_requests)
    taken = []
    for image in images:
        resource = resources[image.instance.use]
        taken.append((yield from take(subject, resource, image.instance, budget)))
    return tuple(taken)


def before_name(images: Iterable[Image]) -> dict[str, object]:
    """`before` as expressions see it: the image itself, or a map of the named ones."""
    values = {i.instance.use: None if i.value is ABSENT else i.value for i in images}
    return {"before": values.get("", values)}


def locate(service: Service, use: Use, names: Mapping[str, object]) -> Instance | None:
    """Which one a use means; None where its `if` is false.

    Raises `ExpressionError`, `RenderError`.
    """
    scope = service.language.scope(names)
    if use.when is not None and use.when.evaluate(scope) is not True:
        return None
    params: dict[str, str] = {}
    for key in use.resource.keys:
        bound = use.params.get(key)
        value = names.get(key) if bound is None else bound.evaluate(scope)
        if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
            raise RenderError(f"{key} of {use.resource.name} is not known")
        params[key] = str(value)
    return Instance(use=use.name, resource=use.resource.name, params=params)


class _Budget:
    """How many reads are left for the images of one call, and what its pages hold so far."""

    def __init__(self, most: int) -> None:
        self._left = most
        self._marks = 0

    def spend(self) -> None:
        if self._left == 0:
            raise ImageFailed("its images take more reads than limits.image_requests allows")
        self._left -= 1

    def weigh(self, page: Response) -> None:
        body = page.body or b""
        self._marks += sum(map(body.count, (b",", b"[", b"{")))
        if self._marks > MAX_MARKS:
            raise ImageFailed("its pages hold more than is read of one thing")


def take(
    subject: Subject, resource: Resource, instance: Instance, budget: _Budget | None = None
) -> Asking[Image]:
    """One image. Raises `ImageFailed`."""
    budget = budget or _Budget(subject.book.limits.image_requests)
    names = {**subject.names, **instance.params}
    service, book = subject.service, subject.book
    try:
        [rendered] = requests(
            resource.read, names, service.language, subject.call.request.origin, book.encode
        )
    except (ExpressionError, RenderError, ValueError) as error:
        raise ImageFailed(f"{resource.name}: {error}") from None
    response = yield from _fetch(subject, rendered.request, budget)
    if absent(resource, service, response, book):
        return Image(instance=instance, form=resource.form, present=False)
    _check_done(resource, service, response, book)
    if resource.form is Form.BYTES:
        body = response.body or b""
        return _image(instance, resource, body, response)
    value, scrubbed = yield from _value(subject, resource, rendered.request, response, budget)
    if resource.pick is not None:
        value = _pick(resource, service, names, value, response)
        if value is None and resource.form is Form.SET:
            value = []
        if value is None or (value == [] and resource.form is not Form.SET):
            return Image(instance=instance, form=resource.form, present=False)
        if isinstance(value, list) and resource.form is Form.JSON and len(value) == 1:
            value = value[0]
    if resource.form is Form.SET:
        value = _members(resource, service, value)
    try:
        image = _image(instance, resource, exact.dumps(value), response)
    except (TypeError, ValueError) as error:
        raise ImageFailed(f"{resource.name}: {error}") from None
    return image if not scrubbed else _scrubbed(image)


def _fetch(subject: Subject, request: Request, budget: _Budget) -> Asking[Response]:
    budget.spend()
    try:
        signed = subject.call.signed(request)
        response = yield from Fetch(request=signed, credential=subject.call.credential)
    except FetchFailed as error:
        raise ImageFailed(f"{request.method} {request.path}: {error}") from None
    if response.body is None:
        raise ImageFailed(f"{request.method} {request.path}: the answer is too large")
    return response


def _image(instance: Instance, resource: Resource, body: bytes, response: Response) -> Image:
    tags = {name: response.headers.get(name) for name in _TAGS if response.headers.has(name)}
    return Image(
        instance=instance, form=resource.form, body=body, tags=tags, scrubbed=response.scrubbed
    )


def _scrubbed(image: Image) -> Image:
    return Image(
        instance=image.instance, form=image.form, body=image.body, tags=image.tags, scrubbed=True
    )


def absent(resource: Resource, service: Service, response: Response, book: Book) -> bool:
    """Whether the answer says that there is no such thing."""
    if resource.absent is None:
        return response.status in {404, 410}
    return _true(resource.absent, service, answer_names(response, book, resource.decode))


def _check_done(resource: Resource, service: Service, response: Response, book: Book) -> None:
    if service.done is None:
        good = response.ok
    else:
        good = _true(service.done, service, answer_names(response, book, resource.decode))
    if not good:
        raise ImageFailed(f"{resource.name}: the service answered {response.status}")


def _true(expression: Expression, service: Service, names: Mapping[str, object]) -> bool:
    try:
        return expression.evaluate(service.language.scope(names)) is True
    except ExpressionError:
        return False


def answer_names(response: Response, book: Book, codec: str | None = None) -> dict[str, object]:
    """What expressions can read of an answer: `res`, `status`, `reply_headers`."""
    return {
        "res": book.read(response, codec).value,
        "status": response.status,
        "reply_headers": response.headers.as_map(),
    }


def _value(
    subject: Subject, resource: Resource, request: Request, response: Response, budget: _Budget
) -> Asking[tuple[object, bool]]:
    """The answer's value, all pages of it; and whether a secret was replaced in it."""
    value = _parsed(resource, response, subject.book)
    pages = resource.pages
    if pages is None:
        return value, response.scrubbed
    scrubbed = response.scrubbed
    items = _list(resource, value, pages.collect)
    budget.weigh(response)
    for _ in range(pages.most):
        onward = _next(request, response, value, pages.cursor, pages.param)
        if onward is None:
            return items, scrubbed
        response = yield from _fetch(subject, onward, budget)
        budget.weigh(response)
        _check_done(resource, subject.service, response, subject.book)
        value = _parsed(resource, response, subject.book)
        items += _list(resource, value, pages.collect)
        scrubbed = scrubbed or response.scrubbed
    raise ImageFailed(f"{resource.name}: more than {pages.most} pages")


def _parsed(resource: Resource, response: Response, book: Book) -> object:
    decoded = book.read(response, resource.decode)
    if decoded.state is not BodyState.PARSED:
        why = decoded.why or decoded.state.value
        raise ImageFailed(f"{resource.name}: the answer cannot be read ({why})")
    return decoded.value


def _list(resource: Resource, value: object, name: str) -> list[object]:
    found = dotted(value, name)
    if not isinstance(found, list):
        raise ImageFailed(f"{resource.name}: the answer has no list {name or '(the page)'}")
    return list(found)


def _next(
    request: Request, response: Response, value: object, cursor: str, param: str
) -> Request | None:
    """The request for the next page. Its host and path stay those of the first (design 9)."""
    if not cursor:
        target = next_link(response.headers.get("link"), request)
        return None if target is None else _with_target(request, target)
    found = dotted(value, cursor)
    if not isinstance(found, str) or not found:
        return None
    if not request.body:
        return _with_target(request, f"{request.path}?{_onward(request.query, param, found)}")
    if "json" in request.headers.get("content-type"):
        fields = exact.loads(request.body)
        if not isinstance(fields, dict):
            raise ImageFailed(f"{request.path}: a cursor needs a JSON object to stand in")
        return request.with_body(exact.dumps({**fields, param: found}))
    return request.with_body(_onward(request.body.decode(), param, found).encode())


def _onward(fields: str, param: str, cursor: str) -> str:
    pairs = [(k, v) for k, v in parse_qsl(fields, keep_blank_values=True) if k != param]
    return urlencode([*pairs, (param, cursor)])


def _with_target(request: Request, target: str) -> Request:
    return Request(
        method=request.method, origin=request.origin, target=target, headers=request.headers
    )


def next_link(header: str, request: Request) -> str | None:
    """The query of the `next` link (RFC 8288), on the path that was asked for.

    Raises `ImageFailed` if it goes on elsewhere: a set that is cut short must not pass for all.
    """
    for link in _LINK.finditer(header):
        rel = _REL.search(link[2])
        if rel is None or "next" not in (rel[1] or rel[2]).lower().split():
            continue
        query = link[1].partition("#")[0].partition("?")[2]
        if not query:
            raise ImageFailed(f"{request.path}: the next page has no query of its own")
        return f"{request.path}?{quote(query, safe='=&%+,:;@/-._~')}"
    return None


_LINK = re.compile(r"<([^>]*)>([^<]*)")
_REL = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]+))', re.IGNORECASE)


def _pick(
    resource: Resource,
    service: Service,
    names: Mapping[str, object],
    value: object,
    response: Response,
) -> object:
    scope = service.language.scope({**names, "res": value, "status": response.status})
    assert resource.pick is not None  # noqa: S101 - the caller asked
    try:
        return resource.pick.evaluate(scope)
    except ExpressionError as error:
        raise ImageFailed(f"{resource.name}: {error}") from None


def _members(resource: Resource, service: Service, value: object) -> list[object]:
    if not isinstance(value, list):
        raise ImageFailed(f"{resource.name}: the answer is not a list")
    if resource.member is None:
        return value
    try:
        return [resource.member.evaluate(service.language.scope({"it": item})) for item in value]
    except ExpressionError as error:
        raise ImageFailed(f"{resource.name}: {error}") from None

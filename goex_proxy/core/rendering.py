"""From a step of a reverser file to the requests that it stands for."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from goex_proxy.core import exact
from goex_proxy.core.book import Encoder
from goex_proxy.core.exchange import Headers, Origin, Request
from goex_proxy.core.expression import Expression, Language, Scope
from goex_proxy.core.step import StepTemplate, Template, render, shown
from goex_proxy.core.value import ABSENT


class RenderError(ValueError):
    """A step that cannot become a request with the values there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    request: Request
    item: object = ABSENT
    """The item of `for` that it is for."""
    json: object = None
    """Its JSON body as a value, to see which fields it writes."""


def requests(
    step: StepTemplate,
    names: Mapping[str, object],
    language: Language,
    origin: Origin,
    encode: Encoder,
) -> Iterator[Rendered]:
    """Each request of a step; none if its `if` is false.

    Raises `ExpressionError`, `RenderError`.
    """
    scope = language.scope(names)
    if step.when is not None and step.when.evaluate(scope) is not True:
        return
    if step.each is None:
        yield _one(step, names, scope, origin, encode)
        return
    for item in _items(step.each, scope):
        inner = language.scope({**names, "it": item})
        one = _one(step, {**names, "it": item}, inner, origin, encode)
        yield Rendered(request=one.request, item=item, json=one.json)


def _items(each: Expression, scope: Scope) -> list[object]:
    items = each.evaluate(scope)
    if not isinstance(items, list):
        raise RenderError(f"for: {each.source} is not a list")
    return items


def _one(
    step: StepTemplate,
    names: Mapping[str, object],
    scope: Scope,
    origin: Origin,
    encode: Encoder,
) -> Rendered:
    given = {name: text.render(scope) for name, text in step.path_texts.items()}
    try:
        path = step.path.fill({**names, **given})
    except ValueError as error:
        raise RenderError(str(error)) from None
    query = _fields(step.query, scope)
    target = f"{path}?{urlencode(query, quote_via=quote)}" if query else path
    headers = [_header(name, value) for name, value in _fields(step.headers, scope, ascii=True)]
    body, content_type, value = _body(step, scope, encode)
    if content_type:
        headers.append(("Content-Type", content_type))
    request = Request(
        method=step.method,
        origin=origin,
        target=target,
        headers=Headers(tuple(headers)),
        body=body,
    )
    return Rendered(request=request, json=value)


def _header(name: str, value: str) -> tuple[str, str]:
    """What a header cannot carry is refused when its request is made, not when it is sent.

    RFC 9110, 5.5: no line break, no NUL; and ASCII, but for UTF-8 that is copied as its bytes
    (text in latin-1, as `Headers` hold it).
    """
    if any(c in value for c in "\r\n\0"):
        raise RenderError(f"the header {name} of the step has a line break or a NUL")
    try:
        value.encode("latin-1").decode()
    except UnicodeError:
        raise RenderError(f"the header {name} of the step has text that is not ASCII") from None
    return name, value


def _body(step: StepTemplate, scope: Scope, encode: Encoder) -> tuple[bytes, str, object]:
    if step.encode is not None:
        return *encode(step.encode, render(step.args, scope)), None
    if step.form:
        pairs = _fields(step.form, scope)
        return urlencode(pairs).encode(), "application/x-www-form-urlencoded", dict(pairs)
    if step.body is not None:
        value = step.body.render(scope)
        if not isinstance(value, bytes | str):
            raise RenderError("the body of the step is neither bytes nor text")
        return (value if isinstance(value, bytes) else value.encode()), "", None
    if step.json is None:
        return b"", "", None
    value = render(step.json, scope)
    try:
        return exact.dumps(value), "application/json", value
    except TypeError as error:
        raise RenderError(f"the JSON of the step: {error}") from None


def _fields(
    fields: Mapping[str, Template], scope: Scope, *, ascii: bool = False
) -> list[tuple[str, str]]:
    """Query, form or header fields: null and absent ones dropped, maps and lists as JSON."""
    out = []
    for name, template in fields.items():
        value = render(template, scope)
        if value is None:
            continue
        text = _json(value, ascii=ascii) if isinstance(value, dict | list) else shown(value)
        out.append((name.removesuffix("?"), text))
    return out


def _json(value: object, *, ascii: bool) -> str:
    """JSON; for a header with every other character escaped, as services want it there."""
    text = exact.dumps(value).decode()
    return _OTHER.sub(lambda c: json.dumps(c[0])[1:-1], text) if ascii else text


_OTHER = re.compile(r"[^\x00-\x7f]")

"""Requests that a reverser file writes down: reads of resources, steps of an inverse.

A template renders once and what came from outside is never parsed again (design, section
9): a path value fills one segment, a value of a body stays a value.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from goex_proxy.core.expression import Expression, Scope
from goex_proxy.core.template import PathTemplate
from goex_proxy.core.value import Json

type Value = Json | bytes
"""A value of a rendered body; bytes only where the whole body is one image."""


@dataclass(frozen=True, slots=True)
class Text:
    """Text with `${...}` in it. A template that is one expression keeps its value's type."""

    parts: tuple[str | Expression, ...]

    @property
    def whole(self) -> Expression | None:
        first = self.parts[0] if len(self.parts) == 1 else None
        return None if first is None or isinstance(first, str) else first

    def render(self, scope: Scope) -> object:
        if (only := self.whole) is not None:
            return only.evaluate(scope)
        return "".join(p if isinstance(p, str) else shown(p.evaluate(scope)) for p in self.parts)


type Template = Text | str | int | float | bool | list["Template"] | dict[str, "Template"] | None
"""A JSON value whose texts may hold `${...}`; `"key?"` drops a key that is null or absent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTemplate:
    """One request of a reverser file, before its values are known."""

    method: str
    path: PathTemplate
    path_texts: Mapping[str, Text] = field(default_factory=dict)
    """Parameters of the path that were written as `${...}` in place."""
    query: Mapping[str, Template] = field(default_factory=dict)
    headers: Mapping[str, Template] = field(default_factory=dict)
    json: Template = None
    form: Mapping[str, Template] = field(default_factory=dict)
    body: Text | None = None
    encode: str | None = None
    args: Template = None
    when: Expression | None = None
    each: Expression | None = None
    """`for:` one request for each item."""
    ok: Expression | None = None
    """Success of this request, where it is not the service's `done`."""
    remakes: tuple[str, Mapping[str, Expression]] | None = None
    """The image it makes anew, and the parameters that its answer gives it."""


def render(template: Template, scope: Scope) -> object:
    """The value of a template. Raises `ExpressionError`."""
    match template:
        case Text():
            return template.render(scope)
        case list():
            return [render(item, scope) for item in template]
        case dict():
            return _map(template, scope)
        case _:
            return template


def _map(template: dict[str, Template], scope: Scope) -> dict[str, object]:
    out: dict[str, object] = {}
    for key, item in template.items():
        value = render(item, scope)
        if value is not None or not key.endswith("?"):
            out[key.removesuffix("?")] = value
    return out


def shown(value: object) -> str:
    """A value inside a text: as JSON would write it, null as nothing."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)

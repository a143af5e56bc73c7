"""Which requests are an operation: `"PATCH {issue}"`, `"POST /markdown"`, `/api/x`, or a map."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from goex_proxy.core.expression import Expression
from goex_proxy.core.operation import Match
from goex_proxy.core.resource import Resource
from goex_proxy.core.template import PathTemplate
from goex_proxy.files.node import Fields, Node, Scalar
from goex_proxy.files.reverser_language import ASKED, Tongue
from goex_proxy.files.reverser_schema import MATCH
from goex_proxy.files.reverser_section import Section
from goex_proxy.files.reverser_text import path_template

_LINE = re.compile(r"(?:([A-Z][A-Z-]*(?:\|[A-Z][A-Z-]*)*|\*) +)?([/{]\S*)")
_NAMED = re.compile(r"\{([a-z][a-z0-9_]*)\}(?=/|\Z)", re.IGNORECASE)
_METHOD = re.compile(r"[A-Z][A-Z-]*")


@dataclass(frozen=True, slots=True)
class Matched:
    match: Match
    resource: str = ""
    """The resource that it names, whose parameters the path binds."""


def match(node: Node, resources: Mapping[str, Resource], tongue: Tongue) -> Matched:
    """A match; what is wrong with it is noted."""
    if isinstance(node, Scalar):
        found = _LINE.fullmatch(node.text)
        if found is None:
            hint = 'like "PATCH {issue}", "POST /repos/{owner}", or /api/x for any method'
            tongue.issues.add(node.at, f"not a method and a path: {node.text!r}", hint)
            return Matched(Match(template=path_template("/", node, tongue)))
        methods = frozenset((found[1] or "*").split("|")) - {"*"}
        return _matched(found[2], node, methods, None, resources, tongue)
    section = Section(node, MATCH, tongue)
    scalar = section.scalar("path") if isinstance(node, Fields) else None
    if scalar is None:
        return Matched(Match(template=PathTemplate((), "/")))
    methods = frozenset(section.texts("method")) - {"*", "any"}
    for name in sorted(methods):
        if not _METHOD.fullmatch(name):
            section.wrong(section.where("method"), f"not a method: {name!r}", "in capitals")
    text = scalar.text
    made = _matched(text, scalar, methods, None, resources, tongue)
    when = section.expression("if", ASKED | _params(made), "bool")
    return Matched(Match(template=made.match.template, methods=methods, when=when), made.resource)


def _params(made: Matched) -> frozenset[str]:
    return frozenset(made.match.template.params)


def _matched(
    text: str,
    scalar: Scalar,
    methods: frozenset[str],
    when: Expression | None,
    resources: Mapping[str, Resource],
    tongue: Tongue,
) -> Matched:
    named = _NAMED.match(text)
    name = named[1] if named else ""
    if named is not None:
        resource = resources.get(name)
        if resource is None or resource.at is None:
            what = f"there is no resource {name} with a path of its own"
            tongue.issues.add(scalar.at, what, "declare it under resources: with at:")
            return Matched(Match(template=PathTemplate((), "/")))
        text = resource.at.text + text[named.end() :]
    template = path_template(text, scalar, tongue)
    return Matched(Match(template=template, methods=methods, when=when), name)

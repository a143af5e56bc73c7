"""Texts with `${...}` in them, and the JSON-like templates that such texts stand in.

What is rendered is never parsed again: the expressions are cut out of the text when the file is
loaded, and their values are put in place of them, nothing more.
"""

import re
from collections.abc import Iterator

from goex_proxy.core.expression import Expression
from goex_proxy.core.step import Template, Text
from goex_proxy.core.template import PathTemplate, parse_template
from goex_proxy.files.node import Fields, Items, Node, Scalar
from goex_proxy.files.reverser_language import RESERVED, Tongue

_PARAM = re.compile(r"\{([a-z_][a-z0-9_]*)\}", re.IGNORECASE)
_STRING = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'", re.DOTALL)


def pieces(text: str) -> Iterator[tuple[int, str, bool]]:
    """Each part of a text: where it begins, what it is, whether it is an expression.

    Raises ValueError (what is wrong) if a `${` is not closed.
    """
    at = 0
    while (start := text.find("${", at)) >= 0:
        if start > at:
            yield at, text[at:start], False
        end = _closing(text, start + 2)
        yield start + 2, text[start + 2 : end], True
        at = end + 1
    if at < len(text):
        yield at, text[at:], False


def _closing(text: str, at: int) -> int:
    """Where the brace closes; braces in quoted text do not count."""
    depth = 0
    while at < len(text):
        if (quoted := _STRING.match(text, at)) is not None:
            at = quoted.end()
            continue
        if text[at] == "{":
            depth += 1
        elif text[at] == "}":
            if depth == 0:
                return at
            depth -= 1
        at += 1
    raise ValueError("a ${ is not closed")


def text_template(
    scalar: Scalar,
    tongue: Tongue,
    allowed: frozenset[str],
    params: frozenset[str] = frozenset(),
) -> Text | str:
    """A text; with `{x}` for the parameters of a resource, where these are given."""
    parts: list[str | Expression] = []
    try:
        found = list(pieces(scalar.text))
    except ValueError as error:
        tongue.issues.add(scalar.at, str(error), "close it: ${args.name}")
        return scalar.text
    for start, piece, is_expression in found:
        if is_expression:
            parts.append(tongue.inside(scalar, start, piece, allowed))
        else:
            parts += _with_params(scalar, start, piece, tongue, params)
    if all(isinstance(part, str) for part in parts):
        return scalar.text
    return Text(tuple(parts))


def _with_params(
    scalar: Scalar, start: int, piece: str, tongue: Tongue, params: frozenset[str]
) -> list[str | Expression]:
    out: list[str | Expression] = []
    at = 0
    for found in _PARAM.finditer(piece):
        if found[1] not in params:
            continue
        if found.start() > at:
            out.append(piece[at : found.start()])
        out.append(tongue.inside(scalar, start + found.start(1), found[1], params))
        at = found.end()
    return [*out, piece[at:]] if at < len(piece) else out


def template(
    node: Node,
    tongue: Tongue,
    allowed: frozenset[str],
    params: frozenset[str] = frozenset(),
) -> Template:
    """A JSON-like value with texts in it."""
    match node:
        case Scalar():
            if not isinstance(node.value, str):
                return node.value
            return text_template(node, tongue, allowed, params)
        case Items():
            return [template(item, tongue, allowed, params) for item in node]
        case Fields():
            return {key: template(item, tongue, allowed, params) for key, item in node.items()}


def path_template(text: str, scalar: Scalar, tongue: Tongue) -> PathTemplate:
    """A path template; what is wrong with it is noted in its place."""
    if "?" in text:
        what, hint = "a query in a path", "write it under query:"
        tongue.issues.add(scalar.inside(max(scalar.text.find("?"), 0)), what, hint)
        text = text.partition("?")[0]
    try:
        made = parse_template(text)
    except ValueError as error:
        tongue.issues.add(scalar.at, str(error), "like /repos/{owner}/{n:int}/files/{path+}")
        return parse_template("/")
    for name in sorted(RESERVED.intersection(made.params)):
        tongue.issues.add(scalar.at, f"a parameter must not be called {name}", "rename it")
    return made

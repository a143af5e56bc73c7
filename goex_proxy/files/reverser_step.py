"""Requests of a reverser file: a step of an inverse, and the read of a resource."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from goex_proxy.core.expression import Expression
from goex_proxy.core.step import StepTemplate, Template, Text
from goex_proxy.core.template import PathTemplate
from goex_proxy.files.node import Node, Scalar
from goex_proxy.files.reverser_language import ANSWER, CALLED, Tongue
from goex_proxy.files.reverser_schema import METHODS, READ, STEP, Keys
from goex_proxy.files.reverser_section import Section, expressions
from goex_proxy.files.reverser_text import path_template, pieces, template, text_template

_NAMED = re.compile(r"\{([a-z][a-z0-9_]*)\}(?=/|\Z)", re.IGNORECASE)
_REQUEST = re.compile(r"([A-Z][A-Z-]*) (\S.*)")


@dataclass(frozen=True, slots=True)
class Place:
    """What `{name}` at the start of a path stands for."""

    at: PathTemplate
    params: Mapping[str, Expression]
    """Parameters that the use of the resource binds; the others come from the call."""


type Places = Callable[[str], Place | None]


@dataclass(frozen=True, slots=True)
class Setting:
    """What the requests of one operation (or resource) may refer to."""

    tongue: Tongue
    allowed: frozenset[str]
    params: frozenset[str]
    """Names that fill a `{x}` of a path without being bound there."""
    places: Places
    in_texts: frozenset[str] = frozenset()
    """Parameters that may stand as `{x}` in texts of the body: those of a resource's read."""
    uses: Callable[[str], str | None] = lambda name: None
    """The name of the image that `remakes` means."""


def step(node: Node, setting: Setting) -> StepTemplate | None:
    """One step of an `undo`; None if it cannot be made out (it is noted)."""
    section = Section(node, STEP, setting.tongue)
    outer = setting
    if "for" in section:
        setting = replace(setting, allowed=setting.allowed | {"it"})
    made = _request(section, STEP, setting)
    if made is None:
        return None
    return replace(
        made,
        body=_body(section, setting),
        encode=section.word("encode") or None,
        args=_json(section, "args", setting),
        when=section.expression("if", outer.allowed, "bool"),
        each=section.expression("for", outer.allowed, "list"),
        ok=section.expression("ok", ANSWER, "bool"),
        remakes=_remakes(section, setting),
    )


def read(node: Node, setting: Setting) -> StepTemplate | None:
    """The read of a resource."""
    section = Section(node, READ, setting.tongue)
    made = _request(section, READ, setting)
    return replace(made, body=_body(section, setting)) if made is not None else None


def _request(section: Section, keys: Keys, setting: Setting) -> StepTemplate | None:
    verbs = [name for name in (*METHODS, "request") if name in section and name in keys.known]
    if len(verbs) != 1:
        what = f"{keys.what} names one request" + (", not several" if verbs else "")
        section.wrong(section.at, what, 'like post: /path, or request: "MOVE /path"')
        return None
    scalar = section.scalar(verbs[0])
    if scalar is None:
        return None
    method, text = verbs[0].upper(), scalar.text
    if verbs[0] == "request":
        found = _REQUEST.fullmatch(scalar.text)
        if found is None:
            section.wrong(scalar.at, "not a method and a path", 'like "MOVE /{path+}"')
            return None
        method, text = found[1], found[2]
    path, texts = step_path(text, scalar, setting)
    return StepTemplate(
        method=method,
        path=path,
        path_texts=texts,
        query=_fields(section, "query", setting),
        headers=_fields(section, "headers", setting),
        form=_fields(section, "form", setting) if "form" in section else {},
        json=_json(section, "json", setting),
    )


def step_path(
    text: str, scalar: Scalar, setting: Setting
) -> tuple[PathTemplate, Mapping[str, Text]]:
    """A path with `{name}` of a resource at its start, and `${...}` as whole segments."""
    tongue, texts = setting.tongue, dict[str, Text]()
    if (named := _NAMED.match(text)) is not None:
        place = setting.places(named[1])
        if place is None:
            what = f"there is no resource {named[1]} with a path of its own"
            tongue.issues.add(scalar.at, what, "declare it under resources: with at:")
            return path_template("/", scalar, tongue), {}
        texts |= {name: Text((value,)) for name, value in place.params.items()}
        text = place.at.text + text[named.end() :]
    text = _with_places_for(text, scalar, setting, texts)
    path = path_template(text, scalar, tongue)
    for name in path.params:
        if name not in texts and name not in setting.params:
            what = f"there is no value for {{{name}}} of the path"
            hint = "bind it where the resource is used, or write ${...}"
            tongue.issues.add(scalar.at, what, hint)
    return path, texts


def _with_places_for(text: str, scalar: Scalar, setting: Setting, texts: dict[str, Text]) -> str:
    """The path with a parameter in place of each `${...}`."""
    offset = scalar.text.find("${")
    if offset < 0 or "${" not in text:
        return text
    shift = offset - text.find("${")
    out = ""
    try:
        for start, piece, is_expression in pieces(text):
            if not is_expression:
                out += piece
                continue
            name = f"_{len(texts) + 1}"
            made = setting.tongue.inside(scalar, start + shift, piece, setting.allowed)
            texts[name] = Text((made,))
            out += f"{{{name}}}"
    except ValueError as error:
        setting.tongue.issues.add(scalar.at, str(error), "close it: ${args.name}")
    return out


def _fields(section: Section, name: str, setting: Setting) -> dict[str, Template]:
    return {
        key: template(node, setting.tongue, setting.allowed, setting.in_texts)
        for key, node in section.fields(name)
    }


def _json(section: Section, name: str, setting: Setting) -> Template:
    node = section.node(name)
    if node is None:
        return None
    return template(node, setting.tongue, setting.allowed, setting.in_texts)


def _body(section: Section, setting: Setting) -> Text | None:
    scalar = section.scalar("body")
    if scalar is None:
        return None
    made = text_template(scalar, setting.tongue, setting.allowed, setting.in_texts)
    return made if isinstance(made, Text) else Text((made,))


def _remakes(section: Section, setting: Setting) -> tuple[str, Mapping[str, Expression]] | None:
    fields = section.fields("remakes")
    if not fields:
        return None
    name, node = fields[0]
    if len(fields) > 1:
        section.wrong(node.at, "a step makes one thing anew", "name the image, or its resource")
    use = setting.uses(name)
    if use is None:
        section.wrong(section.where("remakes"), f"this operation has no image {name!r}")
        return None
    allowed = CALLED | ANSWER | setting.params
    return use, expressions(node, "remakes", allowed, setting.tongue)

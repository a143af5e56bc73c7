"""The resources of a reverser file, and the uses that operations make of them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from goex_proxy.core.expression import Expression
from goex_proxy.core.resource import Form, Pages, Resource, Use
from goex_proxy.core.step import StepTemplate
from goex_proxy.core.template import PathTemplate
from goex_proxy.files.node import Fields, Items, Node, Scalar
from goex_proxy.files.reverser_language import ANSWER, CALLED, Tongue
from goex_proxy.files.reverser_schema import PAGES, RESOURCE, USE
from goex_proxy.files.reverser_section import Section, expressions
from goex_proxy.files.reverser_step import Setting, read
from goex_proxy.files.reverser_text import path_template, template

_PARAM = re.compile(r"(?<!\$)\{([a-z_][a-z0-9_]*)(?::int|\+)?\}", re.IGNORECASE)
_QUOTED = re.compile(r"(['\"])\{([a-z_][a-z0-9_]*)\}\1", re.IGNORECASE)


def resource(name: str, node: Node, tongue: Tongue, volatile: Iterable[str]) -> Resource | None:
    """One resource; None if its read cannot be made out (it is noted)."""
    section = Section(node, RESOURCE, tongue)
    at = _at(section)
    keys = _keys(section, at)
    setting = Setting(
        tongue=tongue,
        allowed=CALLED,
        params=frozenset(keys),
        places=lambda _: None,
        in_texts=frozenset(keys),
    )
    how = _read(section, at, setting)
    if how is None:
        return None
    return Resource(
        name=name,
        read=how,
        at=at,
        keys=keys,
        form=_form(section),
        decode=section.word("decode") or None,
        pick=_with_keys(section, "pick", CALLED | {"res", "status"} | setting.params),
        absent=section.expression("absent", ANSWER, "bool"),
        member=section.expression("set", frozenset({"it"})),
        volatile=frozenset((*volatile, *section.texts("volatile"))),
        write_as=section.expressions("write_as", frozenset({"it"})),
        guard=tuple(_guard(section)),
        pages=_pages(section),
    )


def _at(section: Section) -> PathTemplate | None:
    scalar = section.scalar("at")
    return None if scalar is None else path_template(scalar.text, scalar, section.tongue)


def _keys(section: Section, at: PathTemplate | None) -> tuple[str, ...]:
    """The parameters that say which one: of its path, else all `{x}` of its read."""
    if at is not None:
        return at.params
    node = section.node("read")
    found = [name for text in _texts(node) for name in _PARAM.findall(text)] if node else []
    return tuple(dict.fromkeys(found))


def _texts(node: Node) -> Iterable[str]:
    match node:
        case Scalar():
            yield node.text
        case Items():
            for item in node:
                yield from _texts(item)
        case Fields():
            for _, item in node.items():
                yield from _texts(item)


def _read(section: Section, at: PathTemplate | None, setting: Setting) -> StepTemplate | None:
    extra = {
        name: {
            key: template(node, section.tongue, setting.allowed, setting.in_texts)
            for key, node in section.fields(name)
        }
        for name in ("query", "headers")
    }
    node = section.node("read")
    if node is not None:
        made = read(node, setting)
    elif at is not None:
        made = StepTemplate(method="GET", path=at)
    else:
        hint = "write at: /path/{id}, or read: {get: /path, query: {id: '{id}'}}"
        section.wrong(section.at, "a resource that cannot be read", hint)
        return None
    if made is None:
        return None
    return replace(
        made,
        query={**made.query, **extra["query"]},
        headers={**made.headers, **extra["headers"]},
    )


def _form(section: Section) -> Form:
    if "set" in section:
        if "kind" in section:
            section.wrong(section.where("kind"), "a set is always of JSON", "leave kind: out")
        return Form.SET
    return Form(section.word("kind") or "json")


def _with_keys(section: Section, name: str, allowed: frozenset[str]) -> Expression | None:
    """An expression in which `'{ts}'` is the parameter, never text put in its place."""
    scalar = section.scalar(name)
    if scalar is None:
        return None
    # The places of what follows stay what they are in the file.
    source = _QUOTED.sub(lambda m: f"{m[2]:<{len(m[0])}}", scalar.text)
    return section.tongue.compile(source, scalar, allowed)


def _guard(section: Section) -> Iterable[tuple[str, str, Expression]]:
    """`{json: {sha: it.sha}}`, `{if-match: etag}`: any other key is a header."""
    names = frozenset({"it", "etag"})
    for name, node in section.fields("guard"):
        if name in {"json", "query"}:
            for key, value in expressions(node, name, names, section.tongue).items():
                yield name, key, value
        elif isinstance(node, Scalar):
            title = "-".join(word.capitalize() for word in name.split("-"))
            yield "header", title, section.tongue.expression(node, names)
        else:
            section.wrong(node.at, f"{name}: is one expression", "like if-match: etag")


def _pages(section: Section) -> Pages | None:
    inner = section.node("read")
    nested = inner.get("pages") if isinstance(inner, Fields) else None
    node = section.node("pages") or nested
    if node is None:
        return None
    if isinstance(node, Scalar):
        if node.text != "link":
            section.wrong(node.at, f"pages: is not {node.text!r}", "write link, or a map")
        return Pages(collect="")
    made = Section(node, PAGES, section.tongue)
    return Pages(
        collect=made.text("collect"),
        cursor=made.text("cursor"),
        param=made.text("param", "cursor"),
        most=made.whole("most", 20),
    )


def use(name: str, node: Node, resources: Mapping[str, Resource], setting: Setting) -> Use | None:
    """`{file: {path: dest}, if: ...}`, or the name of a resource alone."""
    tongue = setting.tongue
    if isinstance(node, Scalar):
        found = find(node.text, node, resources, tongue)
        return None if found is None else bound(name, found, {}, node, setting)
    section = Section(node, USE, tongue, open_keys=True)
    named = [key for key in section.names() if key != "if"]
    if len(named) != 1:
        section.wrong(node.at, "an image names one resource", "like {file: {path: dest}}")
        return None
    inner = section.node(named[0])
    found = find(named[0], node, resources, tongue)
    if found is None or inner is None:
        return None
    params = expressions(inner, named[0], setting.allowed, tongue)
    when = section.expression("if", setting.allowed, "bool")
    made = bound(name, found, params, node, setting)
    return replace(made, when=when)


def find(
    name: str, node: Node, resources: Mapping[str, Resource], tongue: Tongue
) -> Resource | None:
    found = resources.get(name)
    if found is None:
        hint = "there are: " + (", ".join(sorted(resources)) or "none yet, under resources:")
        tongue.issues.add(node.at, f"there is no resource {name!r}", hint)
    return found


def bound(
    name: str,
    found: Resource,
    params: Mapping[str, Expression],
    node: Node,
    setting: Setting,
) -> Use:
    """A use whose every parameter has a value; what is missing or foreign is noted."""
    issues = setting.tongue.issues
    for key in sorted(set(params) - set(found.keys)):
        issues.add(node.at, f"{found.name} has no parameter {key!r}", _known(found))
    for key in found.keys:
        if key not in params and key not in setting.params:
            issues.add(
                node.at, f"{key} of {found.name} has no value here", f"bind it: {{{key}: ...}}"
            )
    return Use(name=name, resource=found, params=params)


def _known(found: Resource) -> str:
    return "it has: " + (", ".join(found.keys) or "none")

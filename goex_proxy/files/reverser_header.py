"""The head of a service in a reverser file: hosts, credential, dialect, named reads."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from goex_proxy.core.resource import Resource
from goex_proxy.core.service import CredentialShape, Dialect, NamedRead
from goex_proxy.files.node import Items, Scalar
from goex_proxy.files.reverser_language import ASKED, REFUSAL
from goex_proxy.files.reverser_match import match
from goex_proxy.files.reverser_schema import CREDENTIAL, ERRORS, NAMED_READ
from goex_proxy.files.reverser_section import Section
from goex_proxy.files.reverser_text import template

_PORT = r"(?::[0-9]{1,5})?"
_NAME = r"(?:\*\.)?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?"
_HOST = re.compile(rf"{_NAME}{_PORT}|\[[0-9a-f:]+\]{_PORT}")


def hosts(section: Section) -> tuple[str, ...]:
    node = section.node("hosts")
    if isinstance(node, Items) and not node.items:
        return ()
    out: list[str] = []
    for text in section.texts("hosts"):
        if not _HOST.fullmatch(text):
            hint = "api.example.com, *.example.com, or files.example.com:8443; in lower case"
            section.wrong(section.where("hosts"), f"not a host: {text!r}", hint)
            continue
        out.append(text)
    return tuple(out)


def credential(section: Section) -> CredentialShape | None:
    node = section.node("credential")
    if node is None:
        return None
    made = Section(node, CREDENTIAL, section.tongue)
    check = made.text("check")
    method, _, path = check.partition(" ")
    if check and (not method.isupper() or not path.startswith("/")):
        made.wrong(made.where("check"), "check: is a method and a path", "like GET /user")
    return CredentialShape(
        slots=made.texts("slots") or ("bearer",),
        variables=made.texts("as"),
        prefix=made.text("shape"),
        hosts=made.texts("hosts"),
        check=(method, path) if check else None,
        principal=made.text("principal"),
    )


def dialect(section: Section) -> Dialect:
    node = section.node("errors")
    if node is None:
        return Dialect()
    made = Section(node, ERRORS, section.tongue)
    json = made.node("json")
    return Dialect(
        status=made.whole("status", 403) if "status" in made else None,
        json=template(json, section.tongue, REFUSAL) if json is not None else None,
        codec=made.word("codec") or None,
    )


def reads(section: Section, resources: Mapping[str, Resource]) -> Iterable[NamedRead]:
    for name, node in section.fields("reads"):
        for item in node if isinstance(node, Items) else (node,):
            if isinstance(item, Scalar):
                yield NamedRead(name=name, match=match(item, resources, section.tongue).match)
                continue
            made = Section(item, NAMED_READ, section.tongue)
            where = made.node("match")
            if where is None:
                continue
            found = match(where, resources, section.tongue).match
            params = frozenset(found.template.params)
            when = made.expression("if", ASKED | params, "bool")
            if when is not None:
                found = replace(found, when=when)
            yield NamedRead(name=name, match=found, inference=made.flag("inference"))

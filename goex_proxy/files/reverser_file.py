"""A reverser file: one or several services, who they are and how their operations are undone.

`load` reads a whole file and says everything that is wrong with it. `text` of each operation is
a document that holds it alone, which `load` reads too: the journal keeps it (reverser_recall).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

from goex_proxy.core.operation import Operation
from goex_proxy.core.resource import Resource
from goex_proxy.core.service import Service, Trust
from goex_proxy.files import reverser_header as header
from goex_proxy.files import yamltext
from goex_proxy.files.issue import At, FileError, Issue, Issues
from goex_proxy.files.node import Fields, Items, Node, Scalar
from goex_proxy.files.reverser_language import ANSWER, RESERVED, Tongue
from goex_proxy.files.reverser_operation import operation
from goex_proxy.files.reverser_resource import resource
from goex_proxy.files.reverser_rule import rule_text
from goex_proxy.files.reverser_schema import DOCUMENT
from goex_proxy.files.reverser_section import Section

_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_OPERATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
_PARAM = re.compile(r"(?<!\$)\{([a-z_][a-z0-9_]*)(?::int|\+)?\}", re.IGNORECASE)


def load(
    text: str | bytes,
    source: str,
    hosts: Mapping[str, Sequence[str]] | None = None,
    trust: Trust = Trust.REVIEWED,
) -> tuple[Service, ...]:
    """The services of a file. Raises `FileError` with everything that is wrong.

    `hosts` are those that goex.yaml adds to a service, by its name.
    """
    issues = Issues()
    made: list[Service] = []
    for node in yamltext.parse_all(text, source):
        try:
            service = _service(node, issues, hosts or {}, trust)
        except FileError as error:
            issues.extend(error.issues)
            continue
        if any(other.name == service.name for other in made):
            issues.add(node.at, f"the service {service.name} stands twice in this file", "")
        made.append(service)
    issues.refuse()
    if not made:
        raise FileError(Issue(At(source), "the file is empty", "begin with: version: 1"))
    return tuple(made)


def _service(
    node: Node, issues: Issues, added: Mapping[str, Sequence[str]], trust: Trust
) -> Service:
    tongue = Tongue(_params(node), _binds(node), issues)
    section = Section(node, DOCUMENT, tongue)
    name = _header(section)
    resources = _resources(section, tongue)
    own = header.hosts(section)
    every = tuple(dict.fromkeys((*own, *added.get(name, ()))))
    operations = tuple(_operations(section, node, every, resources))
    reads = tuple(header.reads(section, resources))
    _refuse_shadowed(section, operations)
    return Service(
        name=name,
        hosts=every,
        language=tongue.cel,
        credential=header.credential(section),
        dialect=header.dialect(section),
        done=section.expression("done", ANSWER, "bool"),
        verbs=section.word("verbs") != "meaningless",
        protocol=section.word("protocol") or "http",
        trust=trust,
        reads=reads,
        resources=resources,
        operations=operations,
        source=node.at.path,
    )


def _header(section: Section) -> str:
    version = section.scalar("version")
    if version is not None and version.value != 1:
        section.wrong(version.at, f"version {version.text} is not known", "write version: 1")
    name = section.text("service")
    if "service" in section and not _NAME.fullmatch(name):
        section.wrong(section.where("service"), f"not a name: {name!r}", "like github")
    return name


def _params(node: Node) -> set[str]:
    """Every name in braces: the parameters of paths and of reads."""
    return {name for text in _texts(node) for name in _PARAM.findall(text)} - RESERVED


def _binds(node: Node) -> set[str]:
    operations = node.get("operations") if isinstance(node, Fields) else None
    out: set[str] = set()
    for _, item in operations.items() if isinstance(operations, Fields) else ():
        bind = item.get("bind") if isinstance(item, Fields) else None
        out |= set(bind) if isinstance(bind, Fields) else set()
    return out - RESERVED


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


def _resources(section: Section, tongue: Tongue) -> dict[str, Resource]:
    volatile = section.texts("volatile")
    made = (
        (name, resource(name, node, tongue, volatile)) for name, node in section.fields("resources")
    )
    return {name: found for name, found in made if found is not None}


def _operations(
    section: Section, node: Node, hosts: tuple[str, ...], resources: Mapping[str, Resource]
) -> Iterable[Operation]:
    volatile = section.texts("volatile")
    decode = section.word("decode") or None
    plain = node.plain()
    for name, item in section.fields("operations"):
        if not _OPERATION.fullmatch(name):
            section.wrong(item.at, f"not an operation's name: {name!r}", "like issues/update")
        found = operation(name, item, section.tongue, resources)
        if found is None or not isinstance(plain, dict):
            continue
        made, used = found
        text = rule_text(plain, name, hosts, volatile, used)
        digest = sha256(text.encode()).hexdigest()
        origin = {"file": item.at.path, "line": item.at.line}
        codec = made.decode or decode
        yield replace(made, decode=codec, text=text, digest=digest, origin=origin)


def _refuse_shadowed(section: Section, operations: Sequence[Operation]) -> None:
    """Two operations that the same requests match: the second would never be found."""
    seen: dict[tuple[object, ...], str] = {}
    for made in operations:
        if made.match.when is not None:
            continue
        for method in made.match.methods or {"*"}:
            key = (method, made.match.template.shape)
            if key in seen:
                what = f"{made.name} matches what {seen[key]} matches already"
                section.wrong(section.where("operations"), what, "add an if: to one of them")
            seen[key] = made.name

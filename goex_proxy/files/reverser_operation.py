"""The operations of a reverser file."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from goex_proxy.core.expression import Expression
from goex_proxy.core.operation import (
    Evidence,
    Fidelity,
    Kind,
    Operation,
    Proof,
    Undo,
    worst,
)
from goex_proxy.core.resource import Form, Resource, Use
from goex_proxy.core.step import StepTemplate
from goex_proxy.files.node import Items, Node, Scalar
from goex_proxy.files.reverser_language import (
    ANSWER,
    ASKED,
    LEFT,
    PROVING,
    RESERVED,
    SEEN,
    Broken,
    Tongue,
)
from goex_proxy.files.reverser_match import Matched, match
from goex_proxy.files.reverser_resource import bound, find, use
from goex_proxy.files.reverser_schema import EVIDENCE, FIDELITIES, OPERATION
from goex_proxy.files.reverser_section import Section, expressions
from goex_proxy.files.reverser_step import Place, Setting, step

_LITERAL = re.compile(r"(['\"])(exact|equivalent|compensating|none)\1")
_SIZE = re.compile(r"([1-9][0-9]*) ?(KiB|MiB)")
_UNITS = {"KiB": 1 << 10, "MiB": 1 << 20}


@dataclass(slots=True)
class Draft:
    """An operation while it is read: what it refers to so far."""

    section: Section
    tongue: Tongue
    resources: Mapping[str, Resource]
    matched: Matched
    params: frozenset[str]
    """Parameters of the path, and binds."""
    uses: list[Use] = field(default_factory=list)
    creates: Use | None = None
    used: set[str] = field(default_factory=set)
    """Every resource that it names: what its text in the journal must hold."""

    def setting(self, allowed: frozenset[str]) -> Setting:
        return Setting(
            tongue=self.tongue,
            allowed=allowed | self.params,
            params=self.params,
            places=self.place,
            uses=self.use_name,
        )

    def place(self, name: str) -> Place | None:
        """A resource by the name of its use, or by its own."""
        every = [*self.uses, *([self.creates] if self.creates else [])]
        chosen = next((u for u in every if u.name == name), None)
        if chosen is None:
            chosen = next((u for u in every if u.resource.name == name), None)
        found = chosen.resource if chosen else self.resources.get(name)
        if found is None or found.at is None:
            return None
        self.used.add(found.name)
        return Place(found.at, dict(chosen.params) if chosen else {})

    def use_name(self, name: str) -> str | None:
        for made in [*self.uses, *([self.creates] if self.creates else [])]:
            if name in {made.name, made.resource.name}:
                return made.name
        return None


def operation(
    name: str, node: Node, tongue: Tongue, resources: Mapping[str, Resource]
) -> tuple[Operation, frozenset[str]] | None:
    """An operation without its text, and the resources it names; None if it matches nothing."""
    section = Section(node, OPERATION, tongue)
    where = section.node("match")
    if where is None:
        return None
    matched = match(where, resources, tongue)
    params = frozenset(matched.match.template.params)
    draft = Draft(section, tongue, resources, matched, params)
    if matched.resource:
        draft.used.add(matched.resource)
    binds = _binds(draft)
    asked = ASKED | params
    draft.params |= {key for key, _ in binds}
    _images(draft)
    fidelity, promise = _fidelity(draft)
    made = Operation(
        name=name,
        match=matched.match,
        kind=_kind(draft),
        fidelity=fidelity,
        promise=promise,
        residue=section.texts("residue"),
        outside=section.expression("outside", asked, "bool"),
        decode=section.word("decode") or None,
        prefix=_size(section),
        binds=binds,
        images=tuple(draft.uses),
        creates=draft.creates,
        recipients=section.expression("recipients", asked, "list"),
        forced=section.expression("forced", asked, "string"),
        nonce=section.texts("nonce"),
        undoes_with=section.texts("undoes_with"),
        proved=Proof(section.word("proved") or "none"),
        after_is_response=bool(section.word("after")),
    )
    made = _with_effects(draft, made)
    _refuse_contradictions(draft, made)
    return made, frozenset(draft.used)


def _with_effects(draft: Draft, made: Operation) -> Operation:
    """What it does, and how that is taken back."""
    section, own = draft.section, draft.params
    return replace(
        made,
        created=section.expression("created", LEFT | own, "bool"),
        noop=section.expression("noop", SEEN | ANSWER | own, "bool"),
        writes=_writes(draft),
        adds=section.expression("adds", SEEN | {"res", "after"} | own, "list"),
        removes=section.expression("removes", SEEN | {"res", "after"} | own, "list"),
        undo=_undo(draft),
        leaves=tuple(section.expressions("leaves", LEFT | own).items()),
        evidence=_evidence(draft),
    )


def _binds(draft: Draft) -> tuple[tuple[str, Expression], ...]:
    out = draft.section.expressions("bind", ASKED | draft.params)
    for name in sorted(RESERVED.intersection(out) | draft.params.intersection(out)):
        draft.section.wrong(draft.section.where("bind"), f"{name} has a meaning already", "rename")
    return tuple(out.items())


def _kind(draft: Draft) -> Kind:
    word = draft.section.word("kind")
    if word:
        return Kind(word)
    return Kind.DELETE if draft.matched.match.methods == {"DELETE"} else Kind.WRITE


def _size(section: Section) -> int | None:
    """`64KiB`, or bytes."""
    scalar = section.scalar("prefix")
    if scalar is None:
        return None
    if isinstance(scalar.value, int) and not isinstance(scalar.value, bool) and scalar.value > 0:
        return scalar.value
    found = _SIZE.fullmatch(scalar.text)
    if found is None:
        section.wrong(scalar.at, f"not a size: {scalar.text!r}", "like 64KiB")
        return None
    return int(found[1]) * _UNITS[found[2]]


def _images(draft: Draft) -> None:
    section = draft.section
    given = [key for key in ("image", "on", "images") if key in section]
    if len(given) > 1:
        section.wrong(section.where(given[1]), f"{given[0]}: and {given[1]}: both name the image")
    setting = draft.setting(SEEN)
    if "images" in section:
        for name, node in section.fields("images"):
            _add(draft, use(name, node, draft.resources, setting))
    elif "on" in section:
        _on(draft, setting)
    elif "image" in section:
        named = section.scalar("image")
        if named is not None:
            _add(draft, use("", named, draft.resources, setting))
    elif draft.matched.resource and "creates" not in section and _looks(section):
        found = draft.resources[draft.matched.resource]
        _add(draft, Use(name="", resource=found))
    if "creates" in section:
        _creates(draft)


def _looks(section: Section) -> bool:
    """Whether anything is done with what is read."""
    return "undo" in section or "evidence" in section


def _add(draft: Draft, made: Use | None) -> None:
    if made is not None:
        draft.uses.append(made)
        draft.used.add(made.resource.name)


def _on(draft: Draft, setting: Setting) -> None:
    """`on: {message: {c: args.channel}}`: one image with its parameters."""
    for name, node in draft.section.fields("on")[:1]:
        found = find(name, node, draft.resources, draft.tongue)
        if found is not None:
            params = expressions(node, name, setting.allowed, draft.tongue)
            _add(draft, bound("", found, params, node, setting))
    if len(draft.section.fields("on")) > 1:
        draft.section.wrong(draft.section.where("on"), "on: names one resource", "use images:")


def _creates(draft: Draft) -> None:
    fields = draft.section.fields("creates")
    if len(fields) != 1:
        where = draft.section.where("creates")
        draft.section.wrong(where, "creates: names one resource", "like {issue: {n: res.number}}")
        return
    name, node = fields[0]
    found = find(name, node, draft.resources, draft.tongue)
    if found is None:
        return
    setting = draft.setting(SEEN | ANSWER)
    params = expressions(node, name, setting.allowed, draft.tongue)
    use_name = name if draft.uses else ""
    draft.creates = bound(use_name, found, params, node, setting)
    draft.used.add(name)


def _fidelity(draft: Draft) -> tuple[Fidelity | Expression, Fidelity]:
    scalar = draft.section.scalar("fidelity")
    if scalar is None:
        return Fidelity.NONE, Fidelity.NONE
    if scalar.text in FIDELITIES:
        return Fidelity(scalar.text), Fidelity(scalar.text)
    named = tuple(Fidelity(found[2]) for found in _LITERAL.finditer(scalar.text))
    if not named:
        hint = "one of exact, equivalent, compensating, none, or CEL that chooses among them"
        draft.section.wrong(scalar.at, "a fidelity that names none of them", hint)
        return Fidelity.NONE, Fidelity.NONE
    made = draft.tongue.expression(scalar, LEFT | draft.params, "string")
    return made, worst(named)


def _writes(draft: Draft) -> tuple[str, ...] | Expression | None:
    node = draft.section.node("writes")
    if isinstance(node, Scalar):
        return draft.tongue.expression(node, SEEN | draft.params, "list")
    return draft.section.texts("writes") if node is not None else None


def _undo(draft: Draft) -> Undo | tuple[StepTemplate, ...] | None:
    node = draft.section.node("undo")
    if node is None:
        return None
    if isinstance(node, Items):
        setting = draft.setting(LEFT)
        return tuple(s for s in (step(item, setting) for item in node) if s is not None)
    if isinstance(node, Scalar) and node.text in set(Undo):
        return Undo(node.text)
    draft.section.wrong(node.at, "undo: is restore, delete, or a list of steps", "begin with - ")
    return None


def _evidence(draft: Draft) -> Evidence | None:
    """What settles a doubt: `applied`, `not_applied`, and what more is read for them."""
    node = draft.section.node("evidence")
    if node is None:
        return None
    if isinstance(node, Scalar):
        if node.text != "person":
            hint = "write `applied:` and `not_applied:`, or person"
            draft.section.wrong(node.at, "evidence: is a map, or person", hint)
        return Evidence()
    section = Section(node, EVIDENCE, draft.tongue)
    allowed = PROVING | draft.params
    setting = draft.setting(SEEN)
    reads = [use(name, n, draft.resources, setting) for name, n in section.fields("reads")]
    draft.used |= {made.resource.name for made in reads if made is not None}
    made = Evidence(
        applied=section.expression("applied", allowed, "bool"),
        not_applied=section.expression("not_applied", allowed, "bool"),
        reads=tuple(made for made in reads if made is not None),
    )
    for what, hint in _bad_evidence(draft, made):
        section.wrong(section.at, what, hint)
    return made


def _bad_evidence(draft: Draft, made: Evidence) -> Iterator[tuple[str, str]]:
    if not draft.uses:
        yield "evidence of what was not read before", "name an image: on:, image:, images:"
    if made.applied is None and made.not_applied is None:
        yield "evidence that proves nothing", "add applied: or not_applied:, or write person"
    for one in (made.applied, made.not_applied):
        if one is not None and not isinstance(one, Broken) and "now" not in one.names:
            yield "evidence that does not look at now", "compare now with before, or with args"
    names = {u.name for u in draft.uses}
    if made.reads and "" in names:
        yield "reads: beside an image without a name", "name the image: images: {it: ...}"
    for name in sorted(names.intersection(u.name for u in made.reads)):
        yield f"two images have the name {name}", "give one another"


def _refuse_contradictions(draft: Draft, made: Operation) -> None:
    for key, what, hint in _contradictions(draft, made):
        draft.section.wrong(draft.section.where(key), what, hint)


def _contradictions(draft: Draft, made: Operation) -> Iterator[tuple[str, str, str]]:
    if made.undo is None and made.fidelity is not Fidelity.NONE:
        yield "fidelity", "nothing says how it is undone", "add undo:, or write fidelity: none"
    if made.undo is not None and made.fidelity is Fidelity.NONE:
        yield "undo", "fidelity: none says that there is no undo", "remove one of the two"
    if made.undo is Undo.RESTORE:
        yield from _bad_restore(made)
    if made.undo is Undo.DELETE and (made.creates is None or made.creates.resource.at is None):
        hint = "add creates: with a resource that has at:"
        yield "undo", "undo: delete needs to know what was created, and where", hint
    if made.undo is not None and not made.images and made.creates is None:
        hint = "name an image: on:, image:, images:, or creates:"
        yield "undo", "nothing would be read to check it before it is undone", hint
    if made.leaves and made.creates is None:
        yield "leaves", "leaves: speaks of what was created", "add creates:"
    names = [u.name for u in made.images] + ([made.creates.name] if made.creates else [])
    if len(set(names)) != len(names):
        yield "creates", "two images have one name", "give the image another"


def _bad_restore(made: Operation) -> Iterator[tuple[str, str, str]]:
    primary = made.images[0].resource if made.images else None
    if primary is None:
        yield "undo", "undo: restore needs a before-image", "name it: on: or image:"
    elif primary.form is Form.SET:
        yield "undo", "a set is not written back as a whole", "write steps for added and removed"
    if "DELETE" in made.match.methods:
        hint = "write the step that makes it anew"
        yield "undo", "a DELETE is not taken back by another one", hint

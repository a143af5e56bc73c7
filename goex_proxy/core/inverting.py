"""Making the inverse: the concrete requests, and the footprint that they would write."""

from collections.abc import Iterable, Mapping

from goex_proxy.core import exact
from goex_proxy.core.entry import Entry
from goex_proxy.core.exchange import Headers, Request
from goex_proxy.core.footprint import Seen, shape
from goex_proxy.core.guarding import binds, guard_for
from goex_proxy.core.image import Goal, Image, Touch
from goex_proxy.core.inverse import Inverse, InverseStep
from goex_proxy.core.operation import Undo
from goex_proxy.core.path import parse
from goex_proxy.core.rendering import Rendered, requests
from goex_proxy.core.resource import Form
from goex_proxy.core.subject import Subject
from goex_proxy.core.value import ABSENT, contains, same, without


class NoInverse(Exception):
    """Why there is nothing to send: the call changed nothing, or it cannot be taken back."""

    def __init__(self, why: str, *, unchanged: bool = False) -> None:
        super().__init__(why)
        self.unchanged = unchanged


def invert(
    entry: Entry, subject: Subject, names: Mapping[str, object], after: tuple[Image, ...]
) -> Inverse:
    """The inverse of a call that took effect.

    Raises `NoInverse`, `ExpressionError`, `RenderError`.
    """
    operation = subject.operation
    seen = sights(subject, entry.before, after)
    if any(s.before is not None and s.before.scrubbed for s in seen.values()):
        raise NoInverse("a secret stands in what it replaced, so it cannot be written back")
    if _unchanged(seen):
        raise NoInverse("the call changed nothing", unchanged=True)
    _require_creation(entry, subject, names, seen)
    match operation.undo:
        case Undo.RESTORE:
            steps, touches = _restore(entry, subject, names, seen)
        case Undo.DELETE:
            steps, touches = _delete(subject, seen)
        case tuple() as templates:
            rendered = [
                (number, one)
                for number, template in enumerate(templates)
                for one in requests(
                    template,
                    names,
                    subject.service.language,
                    entry.call.request.origin,
                    subject.book.encode,
                )
            ]
            deletes = any(one.request.method == "DELETE" for _, one in rendered)
            if deletes and entry.call.request.method == "COPY":
                _require_made(entry, subject, names)
            steps = _steps(rendered, seen, names)
            touches = _touches(subject, names, seen, [one for _, one in rendered])
        case None:
            raise NoInverse("this operation has no inverse")
    if not steps:
        raise NoInverse("the call changed nothing that would have to be undone", unchanged=True)
    guarded = all(s.guard is not None and binds(seen[s.guard], seen[s.guard].left) for s in steps)
    return Inverse(steps=tuple(steps), touches=tuple(touches), guarded=guarded)


def sights(
    subject: Subject, before: Iterable[Image], left: Iterable[Image], now: Iterable[Image] = ()
) -> dict[str, Seen]:
    """The images of a call by the name of their use."""
    operation = subject.operation
    uses = {use.name: use.resource for use in operation.images}
    if operation.creates is not None:
        uses[operation.creates.name] = operation.creates.resource
    sets = [{i.instance.use: i for i in images} for images in (before, left, now)]
    return {
        name: Seen(
            resource=resource,
            language=subject.service.language,
            before=sets[0].get(name),
            left=sets[1].get(name),
            now=sets[2].get(name),
        )
        for name, resource in uses.items()
        if any(name in taken for taken in sets)
    }


def _unchanged(seen: Mapping[str, Seen]) -> bool:
    """Whether every image is after the call what it was before it."""
    pairs = [(s.before, s.left, s.resource.volatile) for s in seen.values()]
    return bool(pairs) and all(
        before is not None
        and left is not None
        and same(without(before.value, volatile), without(left.value, volatile))
        for before, left, volatile in pairs
    )


def _require_creation(
    entry: Entry, subject: Subject, names: Mapping[str, object], seen: Mapping[str, Seen]
) -> None:
    """The provenance guard: what this call did not demonstrably make, its undo never deletes."""
    creates = subject.operation.creates
    if creates is None:
        return
    if creates.name not in seen:
        raise NoInverse("what was created could not be read, so it could not be checked later")
    proof = subject.operation.created
    if proof is not None:
        made = proof.evaluate(subject.service.language.scope(names)) is True
    else:
        made = entry.response is not None and entry.response.status == 201
    before = seen[creates.name].before
    if before is not None and before.value is not ABSENT:
        made = False
    if not made:
        raise NoInverse("the answer does not prove that this call made it, so it is left alone")


def _restore(
    entry: Entry, subject: Subject, names: Mapping[str, object], seen: Mapping[str, Seen]
) -> tuple[list[InverseStep], list[Touch]]:
    """Write back with the call's own method and path what the before-image holds."""
    name, primary = next(((n, s) for n, s in seen.items() if s.before is not None), ("", None))
    if primary is None or primary.before is None:
        raise NoInverse("there is no before-image to restore from")
    request = entry.call.request
    if request.method == "DELETE":
        raise NoInverse("a DELETE is not taken back by another one: its rule needs steps")
    back = _bare(request, request.method, request.target)
    if primary.before.value is ABSENT:
        _require_made(entry, subject, names)
        back, touch = _bare(request, "DELETE", request.target), Touch(use=name, goal=Goal.GONE)
    elif primary.resource.form is Form.BYTES:
        back = back.with_body(primary.before.body, primary.before.tags.get("content-type"))
        touch = Touch(use=name, form=Form.BYTES)
    else:
        fields = _fields_back(entry, subject, names, primary)
        values = shape(primary, primary.before, fields)
        value = {field: values.get(field) for field in fields}
        back = back.with_body(exact.dumps(value), "application/json")
        touch = Touch(use=name, fields=None if _replaces(entry, subject) else fields)
    return [InverseStep(request=back, guard=guard_for(back, seen))], [touch]


def _require_made(entry: Entry, subject: Subject, names: Mapping[str, object]) -> None:
    """Where nothing was read before, somebody may have been quicker, and what the undo would
    delete is theirs. A 201 proves that it was made (RFC 9110, 9.3.4; RFC 4918, 9.8.5, of a
    COPY); a 200, or no answer, proves nothing."""
    proof, answer = subject.operation.created, entry.response
    if proof is not None:
        made = proof.evaluate(subject.service.language.scope(names)) is True
    else:
        made = answer is not None and answer.status == 201
    if not made:
        raise NoInverse("the answer does not prove that this call made it, so it is left alone")


def _replaces(entry: Entry, subject: Subject) -> bool:
    """Whether the call replaced all of it (RFC 9110, 9.3.4): then so does its undo."""
    return entry.call.request.method == "PUT" and subject.operation.writes is None


def _fields_back(
    entry: Entry, subject: Subject, names: Mapping[str, object], primary: Seen
) -> tuple[str, ...]:
    """The fields to write back: of those that the call wrote, the ones that it changed."""
    fields = written(subject, names, primary)
    if not fields:
        raise NoInverse("the call wrote no field that can be read, so none can be written back")
    before, left = primary.before, primary.left
    if before is None or left is None:
        return tuple(fields)
    was, has = shape(primary, before, fields), shape(primary, left, fields)
    if _replaces(entry, subject) and isinstance(before.value, dict):
        known = left.value if isinstance(left.value, dict) else {}
        others = [f for f in before.value if f not in {*fields, *primary.resource.volatile}]
        return (*fields, *(f for f in others if not same(before.value[f], known.get(f))))
    changed = [f for f in fields if not same(was.get(f), has.get(f))]
    if not changed:
        raise NoInverse("the call changed nothing that it wrote", unchanged=True)
    return tuple(changed)


def unreadable(subject: Subject, before: Iterable[Image], after: Iterable[Image]) -> list[str]:
    """Fields of a call's body that no image shows: what they were cannot be written back."""
    body = subject.names.get("body")
    if subject.operation.undo is not Undo.RESTORE or subject.operation.writes is not None:
        return []
    shown = [i.value for i in (*before, *after) if isinstance(i.value, dict)]
    if not shown or not isinstance(body, dict):
        return []
    return [key for key in body if not any(key in value for value in shown)]


def _delete(subject: Subject, seen: Mapping[str, Seen]) -> tuple[list[InverseStep], list[Touch]]:
    creates = subject.operation.creates
    if creates is None or creates.name not in seen:
        raise NoInverse("the answer does not say what was created")
    images = seen[creates.name]
    at, left = creates.resource.at, images.left
    if at is None or left is None:
        raise NoInverse("what was created has no path of its own")
    if left.value is ABSENT:
        raise NoInverse("what was created was not there when it was read")
    request = _bare(subject.call.request, "DELETE", at.fill(left.instance.params))
    step = InverseStep(request=request, guard=guard_for(request, seen))
    return [step], [Touch(use=creates.name, goal=Goal.GONE)]


def written(subject: Subject, names: Mapping[str, object], primary: Seen) -> list[str]:
    """The fields that the call wrote: declared, or the body's keys that the image has."""
    writes = subject.operation.writes
    if isinstance(writes, tuple):
        return list(writes)
    if writes is not None:
        value = writes.evaluate(subject.service.language.scope(names))
        return [str(item) for item in value] if isinstance(value, list) else []
    args = names.get("args")
    known: set[str] = set()
    for image in (primary.before, primary.left):
        if image is not None and isinstance(image.value, dict):
            known |= set(image.value)
    return [key for key in args if key in known] if isinstance(args, Mapping) else []


def _steps(
    rendered: list[tuple[int, Rendered]], seen: Mapping[str, Seen], names: Mapping[str, object]
) -> list[InverseStep]:
    sets = [name for name, s in seen.items() if s.resource.form is Form.SET]
    added, removed = _delta(names, "added"), _delta(names, "removed")
    out = []
    for number, one in rendered:
        restores = contains(removed, one.item)
        member = (sets[0], one.item) if sets and contains([*added, *removed], one.item) else None
        out.append(
            InverseStep(
                request=one.request,
                template=number,
                guard=guard_for(one.request, seen),
                member=member,
                restores=restores,
            )
        )
    return out


def _delta(names: Mapping[str, object], which: str) -> list[object]:
    members = names.get(which)
    return members if isinstance(members, list) else []


def _touches(
    subject: Subject,
    names: Mapping[str, object],
    seen: Mapping[str, Seen],
    rendered: list[Rendered],
) -> list[Touch]:
    """The footprint of an inverse that the rule wrote out as steps."""
    out = []
    for name, images in seen.items():
        if images.resource.form is Form.SET:
            added, removed = tuple(_delta(names, "added")), tuple(_delta(names, "removed"))
            out.append(Touch(use=name, form=Form.SET, added=added, removed=removed))
        else:
            out.append(_touch(subject, names, name, images, rendered))
    return out


def _touch(
    subject: Subject,
    names: Mapping[str, object],
    name: str,
    images: Seen,
    rendered: list[Rendered],
) -> Touch:
    creates = subject.operation.creates
    created = creates is not None and creates.name == name
    if created and subject.operation.leaves:
        scope = subject.service.language.scope(names)
        values = {field: value.evaluate(scope) for field, value in subject.operation.leaves}
        return Touch(use=name, fields=tuple(values), goal=Goal.VALUES, values=values)
    json = _own_json(images, rendered)
    if created:
        if json:
            return Touch(use=name, fields=tuple(json), goal=Goal.VALUES, values=json)
        return Touch(use=name, goal=Goal.GONE)
    if images.before is not None and images.before.value is ABSENT:
        return Touch(use=name, goal=Goal.GONE)
    if subject.operation.writes is not None:
        return Touch(use=name, fields=tuple(written(subject, names, images)))
    if json:
        return Touch(use=name, fields=tuple(json))
    return Touch(use=name, form=images.resource.form)


def _own_json(images: Seen, rendered: list[Rendered]) -> dict[str, object]:
    """The fields that steps write on the resource's own path."""
    at = images.resource.at
    out: dict[str, object] = {}
    for one in rendered:
        if at is None or one.request.method == "DELETE" or not isinstance(one.json, dict):
            continue
        if at.match(parse(one.request.path)) is None:
            continue
        known = images.left.value if images.left is not None else None
        out |= {k: v for k, v in one.json.items() if isinstance(known, dict) and k in known}
    return out


def _bare(request: Request, method: str, target: str) -> Request:
    """A request of our own to where the call went; the client adds its credential."""
    return Request(method=method, origin=request.origin, target=target, headers=Headers())

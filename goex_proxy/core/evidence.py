"""What a rule itself takes for proof that a call in doubt happened, or that it did not.

An inference that nobody wrote down knows what a field is; a rule knows what its service does.
Neither guesses: what was so before the call proves nothing, two proofs that contradict each
other prove nothing, and what cannot be evaluated proves nothing.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from goex_proxy.core.command import Asking
from goex_proxy.core.entry import Entry
from goex_proxy.core.expression import Expression, ExpressionError
from goex_proxy.core.image import Image
from goex_proxy.core.operation import Evidence, Operation, Undo
from goex_proxy.core.reading import ImageFailed, before_name, locate, take
from goex_proxy.core.rendering import RenderError
from goex_proxy.core.resource import Form
from goex_proxy.core.subject import Subject


class Verdict(StrEnum):
    APPLIED = "applied"
    UNTOUCHED = "untouched"
    """Not applied, if it is long enough ago that nothing can arrive any more."""
    UNKNOWN = "unknown"


class Settles(StrEnum):
    """How far doubt about an operation is settled without a person."""

    EVIDENCE = "evidence"
    PARTLY = "partly"
    PERSON = "person"


def weigh(
    entry: Entry, subject: Subject, evidence: Evidence, now: Iterable[Image]
) -> Asking[tuple[Verdict, str]]:
    """What a rule's evidence says of these images; of UNKNOWN, why. Raises `ImageFailed`."""
    before = before_name(entry.before)
    names = {**subject.names, **before}
    further = yield from _further(subject, evidence, names)
    present = before_name((*now, *further))["before"]
    try:
        was = _holds(evidence.applied, subject, {**names, "now": before["before"]})
    except ExpressionError:
        was = False  # it says nothing of what was: so it was not so
    if was:
        return Verdict.UNKNOWN, "what would prove it was so before the call"
    try:
        done = _holds(evidence.applied, subject, {**names, "now": present})
        undone = _holds(evidence.not_applied, subject, {**names, "now": present})
    except ExpressionError as error:
        return Verdict.UNKNOWN, f"its rule's evidence cannot be evaluated: {error}"
    if done is undone:
        why = "its rule's evidence contradicts itself" if done else "its rule knows no proof here"
        return Verdict.UNKNOWN, why
    return (Verdict.APPLIED if done else Verdict.UNTOUCHED), ""


def _further(
    subject: Subject, evidence: Evidence, names: Mapping[str, object]
) -> Asking[tuple[Image, ...]]:
    """Unlike images, whose `before` is those taken so far, these see that of the call.

    Raises `ImageFailed`.
    """
    taken = []
    for use in evidence.reads:
        try:
            instance = locate(subject.service, use, names)
        except (ExpressionError, RenderError) as error:
            raise ImageFailed(f"{use.resource.name}: {error}") from None
        if instance is not None:
            taken.append((yield from take(subject, use.resource, instance)))
    return tuple(taken)


def _holds(expression: Expression | None, subject: Subject, names: Mapping[str, object]) -> bool:
    """Raises `ExpressionError`."""
    if expression is None:
        return False
    return expression.evaluate(subject.service.language.scope(names)) is True


def settles(operation: Operation) -> Settles:
    """What a rule lets hope for. Of one call it may still be that nothing tells."""
    evidence = operation.evidence
    if evidence is not None:
        sides = (evidence.applied is not None) + (evidence.not_applied is not None)
        return (Settles.PERSON, Settles.PARTLY, Settles.EVIDENCE)[sides]
    if not operation.images:
        return Settles.PERSON
    if operation.images[0].resource.form is Form.SET:
        told = _tells_of_set(operation)
    else:
        told = operation.undo is Undo.RESTORE or _deletes(operation)
    return Settles.EVIDENCE if told else Settles.PARTLY


def _tells_of_set(operation: Operation) -> bool:
    """Whether the call says which members it is about: else, that none is new tells nothing."""
    asked = [one for one in (operation.adds, operation.removes) if one is not None]
    return bool(asked) and all("after" not in one.names for one in asked)


def _deletes(operation: Operation) -> bool:
    resource = operation.images[0].resource
    home = resource.at or resource.read.path
    return "DELETE" in operation.match.methods and home.shape == operation.match.template.shape

"""What a call changed in a set, and was asked to: its undo is this difference, and no more."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from goex_proxy.core.expression import Expression, ExpressionError
from goex_proxy.core.image import Image
from goex_proxy.core.resource import Form
from goex_proxy.core.subject import Subject
from goex_proxy.core.value import common, minus


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    added: list[object] = field(default_factory=list)
    removed: list[object] = field(default_factory=list)
    doubt: str = ""
    """Why it cannot be told."""


def delta(
    subject: Subject,
    before: tuple[Image, ...],
    after: tuple[Image, ...],
    names: Mapping[str, object],
) -> Delta:
    """The difference between two readings of a set, as far as the call asked for it."""
    sets = [next((i for i in taken if i.form is Form.SET), None) for taken in (before, after)]
    if sets[0] is None:
        return Delta()
    if sets[1] is None:
        return Delta(doubt="the set was not read after the call")
    had, has = (i.value if i is not None and isinstance(i.value, list) else [] for i in sets)
    operation = subject.operation
    try:
        adds = _asked(operation.adds, subject, names)
        removes = _asked(operation.removes, subject, names)
    except ExpressionError as error:
        return Delta(doubt=f"which members it was about cannot be told ({error.why})")
    fresh, lost = minus(has, had), minus(had, has)
    if adds is None and removes is None:
        return Delta(added=fresh, removed=lost)
    added, removed = common(fresh, adds or ()), common(lost, removes or ())
    # What it asked for under one name may stand there under another.
    odd = (minus(adds or (), has) and minus(fresh, added)) or (
        minus(removes or (), had) and minus(lost, removed)
    )
    doubt = "the set changed otherwise than the call asked, so its own part cannot be told"
    return Delta(added=added, removed=removed, doubt=doubt if odd else "")


def _asked(
    expression: Expression | None, subject: Subject, names: Mapping[str, object]
) -> list[object] | None:
    """Raises `ExpressionError`."""
    if expression is None:
        return None
    value = expression.evaluate(subject.service.language.scope(names))
    if not isinstance(value, list):
        raise ExpressionError(expression.source, "not a list")
    return value

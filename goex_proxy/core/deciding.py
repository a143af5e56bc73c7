"""The decision on a call: the rules of the policies, else the posture; an undo's own default."""

from collections.abc import Mapping

from goex_proxy.core.book import Book
from goex_proxy.core.call import Call, Initiator, facts
from goex_proxy.core.catalog import Classified
from goex_proxy.core.decision import Auth, Decision, Effect
from goex_proxy.core.expression import Expression, ExpressionError
from goex_proxy.core.image import Image
from goex_proxy.core.operation import Fidelity, Kind, Undo, worst
from goex_proxy.core.posture import default
from goex_proxy.core.reading import before_name
from goex_proxy.core.resource import Form
from goex_proxy.core.service import Trust
from goex_proxy.core.subject import Subject


def decide(call: Call, seen: Classified, book: Book, *, fidelity: Fidelity) -> Decision:
    """The rules' and the posture's decision on a call."""
    if call.auth is Auth.FOREIGN and seen.kind is not Kind.READ:
        fidelity = Fidelity.NONE
    try:
        outside = _outside(seen)
        if call.is_undo:
            fallback = _undo_default(call, seen)
        else:
            fallback = default(book.posture, seen, call.auth, fidelity, outside)
        return book.rules.decide(facts(call, seen, fidelity, outside), fallback)
    except ExpressionError as error:
        reason = f"a fact of the call cannot be told: {error}"
        return Decision(effect=Effect.DENY, rule="goex", reason=reason)


def _undo_default(call: Call, seen: Classified) -> Decision:
    """An undo is decided for its initiator: forward allow rules and posture do not apply."""
    if call.initiator is not Initiator.PERSON:
        reason = "an agent may undo only where a rule allows it"
        return Decision(effect=Effect.DENY, rule="undo", reason=reason)
    if seen.service is None or seen.service.trust is not Trust.REVIEWED:
        reason = "the rule that this undo goes by has not been reviewed"
        return Decision(effect=Effect.HOLD, rule="undo", reason=reason)
    return Decision(effect=Effect.ALLOW, rule="undo", reason="a person undoes it")


def _outside(seen: Classified) -> bool:
    """Whether people outside may notice; what cannot be told before the answer counts as not."""
    operation = seen.operation
    if operation is None or operation.outside is None or seen.service is None:
        return False
    if operation.outside.names & {"res", "after", "before"}:
        return False
    return operation.outside.evaluate(seen.service.language.scope(seen.names())) is not False


_LATER = frozenset({"res", "status", "reply_headers", "after", "added", "removed"})
"""What an expression can only read when there is an answer."""


def _blind(subject: Subject, images: tuple[Image, ...]) -> bool:
    """Whether nobody could say which fields to restore: the body was not read."""
    operation = subject.operation
    if operation.undo is not Undo.RESTORE or operation.writes is not None or not images:
        return False
    fields = images[0].form is Form.JSON and images[0].present
    return fields and not isinstance(subject.names.get("body"), dict)


def foreseen(subject: Subject, images: tuple[Image, ...]) -> Fidelity:
    """The promise, once the before-image is known."""
    rule: Fidelity | Expression = subject.operation.fidelity
    if any(image.scrubbed for image in images) or _blind(subject, images):
        return Fidelity.NONE
    if isinstance(rule, Fidelity):
        return rule
    if rule.names & _LATER:
        return subject.operation.promise
    names: Mapping[str, object] = {**subject.names, **before_name(images)}
    try:
        return Fidelity(str(rule.evaluate(subject.service.language.scope(names))))
    except (ExpressionError, ValueError):
        return worst((subject.operation.promise, Fidelity.NONE))

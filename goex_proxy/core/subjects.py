"""From a classified call, or from an entry, to the subject of its phases."""

from goex_proxy.core.book import Book
from goex_proxy.core.call import Call
from goex_proxy.core.catalog import Classified, classify
from goex_proxy.core.entry import Entry
from goex_proxy.core.event import RuleText
from goex_proxy.core.path import parse
from goex_proxy.core.subject import Subject


def subject_now(call: Call, seen: Classified, book: Book) -> Subject | None:
    """By today's rules; None for a call that no rule describes. Raises `ExpressionError`."""
    if seen.service is None or seen.operation is None:
        return None
    names = {"me": call.principal, **seen.names()}
    for name, bound in seen.operation.binds:
        names[name] = bound.evaluate(seen.service.language.scope(names))
    return Subject(
        call=call, service=seen.service, operation=seen.operation, book=book, names=names
    )


def subject_of(entry: Entry, book: Book) -> Subject | None:
    """By the rule of the entry's day. Raises ValueError, `ExpressionError`."""
    rule = entry.rule or entry.opened.rule
    if rule is None:
        return None
    service, operation = book.recall(rule)
    if entry.call.is_undo:
        return Subject(call=entry.call, service=service, operation=operation, book=book)
    seen = classify(service, entry.call.request, parse(entry.call.request.path), book.decode)
    if seen.operation is None:
        raise ValueError(f"the rule {rule.name} of its day no longer matches the call")
    return subject_now(entry.call, seen, book)


def rule_text(subject: Subject) -> RuleText:
    operation = subject.operation
    return RuleText(
        name=f"{subject.service.name}.{operation.name}",
        text=operation.text,
        digest=operation.digest,
        trust=subject.service.trust.value,
    )

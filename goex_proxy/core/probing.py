"""In doubt: what the resources themselves say about a call whose answer was not seen.

Never a guess. A call is said to have been applied if what it would have left is there and
was not there before; not to have been applied if everything is as it was before, and it was
long enough ago that a late arrival is out of the question; else nobody knows, until a
person says. (DTM calls a late arrival `hanging`.) What that is, a rule may say itself
(`core.evidence`); else it is inferred from what the call writes.
"""

from collections.abc import Mapping

from goex_proxy.core.book import Book
from goex_proxy.core.command import Append, Asking, Elapsed, Load, Lock, Phase, Rest
from goex_proxy.core.entry import Entry
from goex_proxy.core.event import Applied, Failed, Probed
from goex_proxy.core.evidence import Verdict, weigh
from goex_proxy.core.expression import ExpressionError
from goex_proxy.core.footprint import Seen, shape
from goex_proxy.core.inverting import sights, written
from goex_proxy.core.operation import Kind, Undo
from goex_proxy.core.path import parse
from goex_proxy.core.reading import ImageFailed, before_name, look_again, take
from goex_proxy.core.resource import Form
from goex_proxy.core.settling import conclude
from goex_proxy.core.subject import Subject
from goex_proxy.core.subjects import subject_of
from goex_proxy.core.undoing import lock_keys, step_done
from goex_proxy.core.value import ABSENT, contains, same, without


def probe(entry: Entry, book: Book) -> Phase:
    """The phase of an entry in doubt."""
    if entry.call.is_undo:
        return (yield from _probe_step(entry, book))
    if entry.opened.kind is Kind.READ:
        return Append(events=(Failed(reason="no answer came; it only reads", evidence="a read"),))
    try:
        subject = subject_of(entry, book)
    except (ValueError, ExpressionError) as error:
        return Rest(why=f"its rule cannot be read: {error}")
    if subject is None or not entry.before or _is_for_a_person(subject):
        return Rest(why="nothing can be read that would tell; a person has to say")
    yield from Lock(keys=lock_keys(entry, subject))
    try:
        verdict, why = yield from _judged(entry, subject)
    except (ImageFailed, ExpressionError) as error:
        return _no_evidence(entry, f"it could not be read: {error}")
    return (yield from _said(entry, subject, verdict, why, book))


def _is_for_a_person(subject: Subject) -> bool:
    evidence = subject.operation.evidence
    return evidence is not None and evidence.applied is None and evidence.not_applied is None


def _judged(entry: Entry, subject: Subject) -> Asking[tuple[Verdict, str]]:
    """By the rule's own evidence, or else inferred. Raises `ImageFailed`, `ExpressionError`."""
    evidence = subject.operation.evidence
    if evidence is not None:
        images = yield from look_again(subject, entry.before)
        return (yield from weigh(entry, subject, evidence, images))
    seen = yield from _now(entry, subject)
    return _verdict(entry, subject, seen), "neither as before the call nor as it would leave it"


def _said(entry: Entry, subject: Subject, verdict: Verdict, why: str, book: Book) -> Phase:
    if verdict is Verdict.APPLIED:
        evidence = "what it would have left is there, and was not there before"
        applied = yield from conclude(entry, subject, None, evidence)
        return Append(events=(applied,))
    if verdict is Verdict.UNTOUCHED:
        elapsed = yield from Elapsed()
        if elapsed >= book.limits.upstream_timeout:
            reason = "everything is as it was before the call"
            return Append(events=(Failed(reason=reason, evidence=reason),))
        return Rest(why="everything is as it was before, but it may still arrive")
    return _no_evidence(entry, why)


def _probe_step(entry: Entry, book: Book) -> Phase:
    """A step of an undo: it is the undone call's images that tell of it."""
    link = entry.call.link
    undone = yield from Load(entry=link.undo_of or 0)
    if undone is None or undone.undo is None or undone.undo.run != link.run:
        return Rest(why="the undo that it belongs to is over; a person has to say")
    try:
        done = yield from step_done(undone, book, link.step)
    except (ImageFailed, ExpressionError, ValueError) as error:
        return _no_evidence(entry, f"it could not be read: {error}")
    if done is None:
        return _no_evidence(entry, "what it restores does not tell whether it was this")
    if done:
        evidence = "what it restores is as it was"
        return Append(events=(Applied(evidence=evidence, why="it is itself an undo"),))
    elapsed = yield from Elapsed()
    if elapsed < book.limits.upstream_timeout:
        return Rest(why="nothing is restored yet, but it may still arrive")
    reason = "nothing was restored by it"
    return Append(events=(Failed(reason=reason, evidence=reason),))


def _no_evidence(entry: Entry, evidence: str) -> Append | Rest:
    """On record once, however often it is looked at."""
    if entry.reason == evidence:
        return Rest(why=evidence)
    return Append(events=(Probed(evidence=evidence),))


def _now(entry: Entry, subject: Subject) -> Asking[dict[str, Seen]]:
    images = []
    for name, seen in sights(subject, entry.before, ()).items():
        assert seen.before is not None, name  # noqa: S101 - only before-images were given
        images.append((yield from take(subject, seen.resource, seen.before.instance)))
    return sights(subject, entry.before, (), images)


def _verdict(entry: Entry, subject: Subject, seen: dict[str, Seen]) -> Verdict:
    telling = [images for images in seen.values() if _tells(subject, images)]
    found = {_one(entry, subject, images) for images in telling or seen.values()}
    if found == {Verdict.APPLIED}:
        return Verdict.APPLIED
    return Verdict.UNTOUCHED if found == {Verdict.UNTOUCHED} else Verdict.UNKNOWN


def _tells(subject: Subject, seen: Seen) -> bool:
    """A set that the call only has a side effect on tells nothing beside what it is about."""
    operation = subject.operation
    return seen.resource.form is not Form.SET or (operation.adds or operation.removes) is not None


def _one(entry: Entry, subject: Subject, seen: Seen) -> Verdict:
    before, now = seen.before, seen.now
    if before is None or now is None:
        return Verdict.UNKNOWN
    volatile = seen.resource.volatile
    unchanged = same(without(before.value, volatile), without(now.value, volatile))
    if now.value is ABSENT and before.value is not ABSENT and not _deletes(entry, seen):
        return Verdict.UNKNOWN  # somebody removed it, with whatever the call left in it
    if seen.resource.form is Form.SET:
        return _set(subject, before_name(entry.before), before.value, now.value)
    if _deletes(entry, seen):
        if now.value is ABSENT and before.value is not ABSENT:
            return Verdict.APPLIED
        return Verdict.UNTOUCHED if unchanged else Verdict.UNKNOWN
    if seen.resource.form is Form.BYTES:
        put = entry.call.request.method == "PUT"
        if put and not unchanged and now.value == entry.call.request.body:
            return Verdict.APPLIED
        return Verdict.UNTOUCHED if unchanged else Verdict.UNKNOWN
    return _fields(entry, subject, seen, unchanged=unchanged)


def _deletes(entry: Entry, seen: Seen) -> bool:
    """Whether the call is the DELETE of the resource itself, and of nothing below it."""
    home = seen.resource.at or seen.resource.read.path
    on_it = home.match(parse(entry.call.request.path)) is not None
    return on_it and entry.call.request.method == "DELETE"


def _fields(entry: Entry, subject: Subject, seen: Seen, *, unchanged: bool) -> Verdict:
    """By the fields that the call wrote, where its body says what they were to become."""
    names = {**subject.names, **before_name(entry.before)}
    fields = written(subject, names, seen)
    wanted = subject.names.get("args")
    before, now = shape(seen, seen.before, fields), shape(seen, seen.now, fields)
    as_before = all(same(before.get(f), now.get(f)) for f in fields)
    if subject.operation.undo is not Undo.RESTORE or not isinstance(wanted, dict):
        return Verdict.UNTOUCHED if unchanged or (fields and as_before) else Verdict.UNKNOWN
    as_wanted = all(same(now.get(f), wanted.get(f)) for f in fields)
    if fields and as_wanted and not as_before:
        return Verdict.APPLIED
    # A field that was to become what it was already tells nothing.
    tells = any(not same(before.get(f), wanted.get(f)) for f in fields)
    return Verdict.UNTOUCHED if tells and as_before else Verdict.UNKNOWN


def _set(subject: Subject, named: Mapping[str, object], before: object, now: object) -> Verdict:
    operation = subject.operation
    had = before if isinstance(before, list) else []
    has = now if isinstance(now, list) else []
    scope = subject.service.language.scope({**subject.names, **named, "res": None, "after": now})
    fresh, lost = True, True
    asked = 0
    for expression, appears in ((operation.adds, True), (operation.removes, False)):
        value = expression.evaluate(scope) if expression is not None else []
        for member in value if isinstance(value, list) else []:
            if contains(had, member) is appears:
                continue
            asked += 1
            done = contains(has, member) is appears
            fresh, lost = fresh and done, lost and not done
    if asked == 0:
        return Verdict.UNKNOWN
    return Verdict.APPLIED if fresh else Verdict.UNTOUCHED if lost else Verdict.UNKNOWN

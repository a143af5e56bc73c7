"""Can a reading be believed that shows nothing changed, after the service said that it was done?

A cache, a replica that lags, a page to log in: each shows the same before and after, whatever
the call did. What the call asked for and what the answer says are evidence against it.
"""

from collections.abc import Mapping
from enum import Enum

from goex_proxy.core import exact
from goex_proxy.core.command import Asking
from goex_proxy.core.entry import Entry
from goex_proxy.core.evidence import Verdict, weigh
from goex_proxy.core.expression import ExpressionError
from goex_proxy.core.footprint import Seen, shape
from goex_proxy.core.image import Image
from goex_proxy.core.inverting import sights, written
from goex_proxy.core.operation import Undo
from goex_proxy.core.path import parse
from goex_proxy.core.reading import ImageFailed
from goex_proxy.core.resource import Form
from goex_proxy.core.subject import Subject
from goex_proxy.core.value import ABSENT, common, minus, same

UNSEEN = "what it left could not be seen: the service still shows what was before"


class _Says(Enum):
    DENIES = "denies"
    """It was to become something else, and nobody says that it did not."""
    CONFIRMS = "confirms"
    """The answer, too, shows it as it was."""
    NOTHING = "nothing"


def is_stale(
    entry: Entry, subject: Subject, names: Mapping[str, object], after: tuple[Image, ...]
) -> Asking[bool]:
    """Whether readings that show nothing changed contradict a call that was answered well.

    `names`: those of the call, and `res`, what was answered.
    """
    try:
        seen = sights(subject, entry.before, after)
        found = {_says(entry, subject, names, images) for images in seen.values()}
        if found & {_Says.DENIES, _Says.CONFIRMS}:
            return _Says.DENIES in found
        evidence = subject.operation.evidence
        if evidence is None or (evidence.applied or evidence.not_applied) is None:
            return False
        verdict, _ = yield from weigh(entry, subject, evidence, after)
    except (ExpressionError, ImageFailed):
        return True  # what cannot be told is not known to be as it was
    return verdict is Verdict.UNTOUCHED


def _says(entry: Entry, subject: Subject, names: Mapping[str, object], seen: Seen) -> _Says:
    """Raises `ExpressionError`."""
    left, request = seen.left, entry.call.request
    if left is None:
        return _Says.NOTHING
    if seen.resource.form is Form.SET:
        return _of_set(subject, names, left.value)
    home = seen.resource.at or seen.resource.read.path
    if home.match(parse(request.path)) is not None:
        if request.method == "DELETE":
            return _Says.NOTHING if left.value is ABSENT else _Says.DENIES
        if request.method == "PUT" and left.value is ABSENT:
            return _Says.DENIES
        if request.method == "PUT" and seen.resource.form is Form.BYTES:
            return _Says.NOTHING if left.value == request.body else _Says.DENIES
    if seen.resource.form is Form.JSON and subject.operation.undo is Undo.RESTORE:
        return _of_fields(subject, names, seen, left)
    return _Says.NOTHING


def _of_set(subject: Subject, names: Mapping[str, object], value: object) -> _Says:
    has = value if isinstance(value, list) else []
    scope = subject.service.language.scope(names)
    lacks: list[object] = []
    for expression, left in ((subject.operation.adds, minus), (subject.operation.removes, common)):
        asked = expression.evaluate(scope) if expression is not None else []
        lacks += left(asked, has) if isinstance(asked, list) else []
    return _Says.DENIES if lacks else _Says.NOTHING


def _of_fields(subject: Subject, names: Mapping[str, object], seen: Seen, left: Image) -> _Says:
    wanted, said = names.get("args"), names.get("res")
    fields = written(subject, names, seen)
    has = shape(seen, left, fields)
    told = shape(seen, _image(left, said), fields) if isinstance(said, dict) else {}
    asked = wanted if isinstance(wanted, Mapping) else {}
    open_ = [f for f in fields if f in asked and not same(has.get(f), asked[f])]
    if not open_:
        return _Says.NOTHING
    agreed = all(f in told and same(told[f], has.get(f)) for f in open_)
    return _Says.CONFIRMS if agreed else _Says.DENIES


def _image(like: Image, value: object) -> Image:
    """What an answer says, as if it had been read."""
    return Image(instance=like.instance, form=like.form, body=exact.dumps(value))

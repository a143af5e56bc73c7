"""Whose is what is there now? Asked where a call's answer was not seen.

Between a lost call and the look at what it left somebody else may have written. An inverse
is made only if what is there is what the call asked for, so that it takes nothing of theirs.
"""

from collections.abc import Iterable

from goex_proxy.core.entry import Entry
from goex_proxy.core.footprint import Seen, shape
from goex_proxy.core.image import Image, Touch
from goex_proxy.core.inverse import Inverse
from goex_proxy.core.inverting import sights
from goex_proxy.core.resource import Form
from goex_proxy.core.subject import Subject
from goex_proxy.core.value import ABSENT, same, without


def ours(
    entry: Entry,
    subject: Subject,
    inverse: Inverse,
    after: Iterable[Image],
    *,
    proved: bool | None = None,
) -> bool:
    """Whether all that the inverse would write is what the call left. Raises `ExpressionError`.

    `proved`: what the rule's own evidence says of these images, if it has any.
    """
    seen = sights(subject, entry.before, after)
    return all(_ours(entry, subject, touch, seen[touch.use], proved) for touch in inverse.touches)


def _ours(entry: Entry, subject: Subject, touch: Touch, images: Seen, proved: bool | None) -> bool:
    operation, left = subject.operation, images.left
    if touch.form is Form.SET:
        return operation.adds is not None or operation.removes is not None
    if proved is not None:
        return proved
    if left is None or left.value is ABSENT:
        return True
    if left.form is Form.BYTES:
        return entry.call.request.method == "PUT" and left.value == entry.call.request.body
    wanted = subject.names.get("body")
    if not isinstance(wanted, dict):
        return False
    if touch.fields is not None:
        has = shape(images, left, touch.fields)
        return all(f in wanted and same(has.get(f), wanted[f]) for f in touch.fields)
    before = images.before.value if images.before is not None else None
    merged = {**before, **wanted} if isinstance(before, dict) else wanted
    volatile = images.resource.volatile
    has_all = without(left.value, volatile)
    return any(same(has_all, without(one, volatile)) for one in (wanted, merged))

"""Images: what a resource was at one moment, and what a call may have touched of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from goex_proxy.core import exact
from goex_proxy.core.resource import Form, Instance
from goex_proxy.core.value import ABSENT


@dataclass(frozen=True, kw_only=True)
class Image:
    """One reading of one resource. `body` is never rewritten: exact JSON, or the raw bytes."""

    instance: Instance
    form: Form = Form.JSON
    present: bool = True
    body: bytes = b""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Headers of the answer that preconditions need: etag, last-modified, content-type."""
    scrubbed: bool = False
    """Whether a secret was replaced in it: it must not be written back."""

    @cached_property
    def value(self) -> object:
        """The JSON value, the bytes, or ABSENT. Raises nothing: it was readable when taken."""
        if not self.present:
            return ABSENT
        return self.body if self.form is Form.BYTES else exact.loads(self.body)


class Goal(StrEnum):
    """What an undo wants the touched part to be."""

    BEFORE = "before"
    """As the before-image has it."""
    GONE = "gone"
    """The resource is not there."""
    VALUES = "values"
    """The touch says itself: a compensating undo."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """The part of one resource that an inverse writes: the footprint of a call.

    Fields stand in the shape in which they are written (`write_as`), not read.
    """

    use: str
    fields: tuple[str, ...] | None = None
    """None: the whole of it. For a set: None too, `added` and `removed` say which members."""
    goal: Goal = Goal.BEFORE
    values: Mapping[str, object] = field(default_factory=dict)
    added: tuple[object, ...] = ()
    removed: tuple[object, ...] = ()
    form: Form = Form.JSON

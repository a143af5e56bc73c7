"""Resources: what one read shows, before a call, after it, and when it is to be undone.

One declared read serves as before-image, after-image, conflict check and reading back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from goex_proxy.core.expression import Expression
from goex_proxy.core.step import StepTemplate
from goex_proxy.core.template import PathTemplate


class Form(StrEnum):
    """What an image of the resource is."""

    JSON = "json"
    BYTES = "bytes"
    SET = "set"
    """A list without order or doubles; its undo is the difference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """How a long read goes on: a cursor in the answer becomes a query or form field."""

    collect: str
    """Dotted name of the list in each page; empty: the page is the list."""
    cursor: str = ""
    """Dotted name of the next cursor; empty: the Link header (RFC 8288)."""
    param: str = "cursor"
    most: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """How one kind of thing is read and compared."""

    name: str
    read: StepTemplate
    at: PathTemplate | None = None
    """Where it lives, when that is one path: then its own method can restore or delete it."""
    keys: tuple[str, ...] = ()
    """The parameters that say which one."""
    form: Form = Form.JSON
    decode: str | None = None
    pick: Expression | None = None
    """The part of the answer that is the resource."""
    absent: Expression | None = None
    """Whether the answer says that there is none; None: status 404 or 410."""
    member: Expression | None = None
    """Of a set: what identifies a member of it."""
    volatile: frozenset[str] = frozenset()
    write_as: Mapping[str, Expression] = field(default_factory=dict)
    """Fields that are written in another shape than they are read."""
    guard: tuple[tuple[str, str, Expression], ...] = ()
    """Preconditions of a write: (`header` or `json` or `query`, name, value of the image)."""
    pages: Pages | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A resource as an operation uses it: under a name, with its parameters bound."""

    name: str
    """'' for the only image: `before` is then the image itself."""
    resource: Resource
    params: Mapping[str, Expression] = field(default_factory=dict)
    """Parameters from expressions; the others come from the path of the call."""
    when: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One certain resource: which read, with which parameters."""

    use: str
    resource: str
    params: Mapping[str, str]

    def key(self, service: str) -> str:
        """The same for the same thing, whoever names it: for locks and for ordering."""
        # An = of a value is doubled, so that no value reads as one more parameter.
        told = {name: value.rstrip("/").replace("=", "==") for name, value in self.params.items()}
        named = "/".join(f"{name}={told[name]}" for name in sorted(told))
        return f"{service}:{self.resource}:{named}"

"""The inverse of one call: the concrete requests that take it back, and what they touch."""

from dataclasses import dataclass

from goex_proxy.core.exchange import Request
from goex_proxy.core.image import Touch


@dataclass(frozen=True, slots=True, kw_only=True)
class InverseStep:
    """One request of an inverse, with placeholders' owner by id: it carries no credential."""

    request: Request
    template: int = -1
    """Which step of the rule's `undo` it came from; -1: `restore` or `delete`."""
    guard: str | None = None
    """The image whose guard makes this write conditional on nobody else's."""
    member: tuple[str, object] | None = None
    """The one member of a set (of this image) that it adds or removes."""
    restores: bool = False
    """Of a member: whether it is put back rather than taken out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inverse:
    steps: tuple[InverseStep, ...]
    touches: tuple[Touch, ...]
    guarded: bool = False
    """Whether every write is atomic with its check, by a precondition of the service."""

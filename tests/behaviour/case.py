"""One operation under test: how to arrange it, call it, read it, and get in its way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.behaviour.agent import Answer
from tests.behaviour.world import World

VOLATILE = frozenset({"updated_at", "node_id", "etag", "created_at", "_links"})


@dataclass(slots=True)
class Scene:
    """A world, the bed that the case is about, and what `arrange` noted."""

    world: World
    bed: Any
    name: str
    """Unlike that of any other scene."""
    notes: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - a test reads into it
        return self.notes[name]

    def note(self, **notes: object) -> None:
        self.notes |= notes


type Doing = Callable[[Scene], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`arrange`, `conflict` and `beside` go straight to the bed; `call` through the gateway."""

    operation: str
    variant: str = ""
    arrange: Doing
    call: Callable[[Scene], Answer]
    read: Doing
    """What must be after the undo as it was before the call."""
    conflict: Doing | None = None
    """Somebody else changes what the undo would write."""
    beside: Doing | None = None
    """Somebody else changes another thing, which must survive."""
    survives: Callable[[Scene], bool] = lambda _: True
    outcome: str = "undone"
    redo: bool = True

    @property
    def id(self) -> str:
        return f"{self.operation}{':' if self.variant else ''}{self.variant}"


def still(value: object, without: frozenset[str] = VOLATILE) -> object:
    """A value without what changes by itself."""
    if isinstance(value, Mapping):
        return {k: still(v, without) for k, v in value.items() if k not in without}
    if isinstance(value, list):
        return [still(item, without) for item in value]
    return value

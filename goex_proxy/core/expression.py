"""What the core knows of expressions: that they can be evaluated. Not in which language.

A `Scope` binds names to values in the engine that will evaluate them; it is made for one
decision or one rendering and never kept.
"""

from collections.abc import Mapping
from typing import Protocol


class ExpressionError(Exception):
    """An expression that could not be evaluated: `source` and why. Never shown to an agent."""

    def __init__(self, source: str, why: str) -> None:
        super().__init__(f"{source}: {why}")
        self.source = source
        self.why = why


class Scope(Protocol):
    """Names bound to values; opaque to the core."""


class Expression(Protocol):
    """One compiled expression."""

    @property
    def source(self) -> str: ...

    @property
    def names(self) -> frozenset[str]:
        """The top-level names it reads."""
        ...

    def evaluate(self, scope: Scope) -> object:
        """Its value. Raises `ExpressionError`; never returns an error as a value."""
        ...


class Language(Protocol):
    """An engine that evaluates expressions."""

    def scope(self, values: Mapping[str, object]) -> Scope:
        """Bind names: a value is looked up and converted only if an expression reads it."""
        ...

"""What the decoders made of a request's body: a value and a state, never an exception."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class BodyState(StrEnum):
    ABSENT = "absent"
    PARSED = "parsed"
    TOO_LARGE = "too_large"
    INVALID = "invalid"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A decoded body. Numbers are exact (`core.exact`)."""

    state: BodyState = BodyState.ABSENT
    value: object = None
    """The JSON value, form, ...; None unless parsed."""
    args: Mapping[str, object] = field(default_factory=dict)
    """Query, form and top-level JSON fields merged; the body wins over the query."""
    query: Mapping[str, str] = field(default_factory=dict)
    """The query's fields; of a repeated one the last."""
    clash: tuple[str, ...] = ()
    """Fields to which query and body give different values; the service knows which one wins."""
    why: str = ""
    """Why the body is invalid or unsupported."""
    ambiguous: bool = False
    """Invalid as two readers may take it for two different bodies, each of them sound."""

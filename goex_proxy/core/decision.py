"""A decision: an effect, the rule it came from, the reason. Never a bare yes or no."""

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum


class Effect(IntEnum):
    """Ordered by severity: of all that applies, the severest wins."""

    ALLOW = 1
    HOLD = 2
    DENY = 3

    def __str__(self) -> str:
        return self.name.lower()


class Posture(StrEnum):
    """What is done with a call that no rule speaks of."""

    CAREFUL = "careful"
    BALANCED = "balanced"
    OPEN = "open"


class Auth(StrEnum):
    """Whose credential a request carries."""

    OURS = "ours"
    FOREIGN = "foreign"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One rule that was looked at, for `explain`."""

    rule: str
    effect: Effect
    matched: bool
    failed: str = ""
    """Why it could not be evaluated."""
    part: int | None = None
    """Which condition was false."""
    where: str = ""
    shadow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    effect: Effect
    rule: str
    """`team/force-push`, or `posture:balanced`."""
    reason: str
    timeout: float | None = None
    """Seconds after which a hold is refused; None: it waits."""
    shadow: tuple[str, ...] = ()
    """Rules that would have applied, were they enforced."""
    hits: tuple[Hit, ...] = field(default=(), compare=False, repr=False)

    @property
    def allowed(self) -> bool:
        return self.effect is Effect.ALLOW

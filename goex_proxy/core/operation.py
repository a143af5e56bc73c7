"""Which operation of which service a request is, and how far it can be taken back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from goex_proxy.core.expression import Expression
from goex_proxy.core.resource import Use
from goex_proxy.core.step import StepTemplate
from goex_proxy.core.template import PathTemplate


class Kind(StrEnum):
    """What an operation does to the service; by operation, not by verb."""

    READ = "read"
    WRITE = "write"
    DELETE = "delete"
    ADMIN = "admin"
    UNKNOWN = "unknown"
    """It may change something, and nobody has said what: unregistered."""

    @property
    def mutating(self) -> bool:
        return self is not Kind.READ


class Fidelity(StrEnum):
    """How well an undo restores what the call changed; a promise before, a fact after."""

    EXACT = "exact"
    """The state is as it was (but for declared residue)."""
    EQUIVALENT = "equivalent"
    """As it was, under a new id."""
    COMPENSATING = "compensating"
    """A visible counter-action: an issue closed, a message deleted after it was seen."""
    NONE = "none"
    """No inverse is known."""

    @property
    def rank(self) -> int:
        return _RANK[self]


_RANK = {name: rank for rank, name in enumerate(Fidelity)}


def worst(fidelities: tuple[Fidelity, ...]) -> Fidelity:
    return max(fidelities, key=lambda fidelity: fidelity.rank)


class Proof(StrEnum):
    """How a rule was proved: against a bed, on recorded fixtures, or not."""

    BED = "bed"
    FIXTURE = "fixture"
    NONE = "none"


class Undo(StrEnum):
    """The two inverses that need no steps of their own."""

    RESTORE = "restore"
    """Write back what the call wrote, from the before-image."""
    DELETE = "delete"
    """Delete what `creates` named, under the provenance guard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Which requests are this operation."""

    template: PathTemplate
    methods: frozenset[str] = frozenset()
    """Empty: any method."""
    when: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Which readings settle a call in doubt. Neither expression: only a person does."""

    applied: Expression | None = None
    """What is there only if the call took effect, all that its undo writes included."""
    not_applied: Expression | None = None
    """What is there only if it did not; believed once it cannot arrive any more."""
    reads: tuple[Use, ...] = ()
    """What is read only to settle a doubt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of a reverser file, as it was on its day."""

    name: str
    """Without the service: `issues/update`."""
    match: Match
    kind: Kind = Kind.WRITE
    fidelity: Fidelity | Expression = Fidelity.NONE
    promise: Fidelity = Fidelity.NONE
    """The worst that `fidelity` can come to."""
    residue: tuple[str, ...] = ()
    outside: Expression | None = None
    """Whether people outside may have noticed; None: only the residue says."""
    decode: str | None = None
    prefix: int | None = None
    """How much of a larger body `decode` needs, in bytes."""
    binds: tuple[tuple[str, Expression], ...] = ()
    images: tuple[Use, ...] = ()
    """The resources to read before and after."""
    creates: Use | None = None
    """The resource that the answer names."""
    created: Expression | None = None
    """Whether the answer proves that the call made it; None: status 201."""
    noop: Expression | None = None
    """Whether the answer says that nothing happened."""
    writes: tuple[str, ...] | Expression | None = None
    """The fields written, when they are not the keys of the body."""
    adds: Expression | None = None
    removes: Expression | None = None
    after_is_response: bool = False
    undo: Undo | tuple[StepTemplate, ...] | None = None
    leaves: tuple[tuple[str, Expression], ...] = ()
    """What a compensating undo leaves behind on the resource it created."""
    evidence: Evidence | None = None
    """None: inferred from what the call writes, where that tells."""
    proved: Proof = Proof.NONE
    nonce: tuple[str, ...] = ()
    """Body fields that differ between retries of one call."""
    recipients: Expression | None = None
    forced: Expression | None = None
    undoes_with: tuple[str, ...] = ()
    """Operations that an inverse may turn out to be; empty: any that its steps name."""
    text: str = ""
    """The rule as it was written, with what it refers to: kept in the journal."""
    digest: str = ""
    origin: Mapping[str, object] = field(default_factory=dict)
    """File and line, for `show` and errors."""

    @property
    def reads_before(self) -> bool:
        """Whether the fidelity cannot be known without the before-image."""
        return not isinstance(self.fidelity, Fidelity) and "before" in self.fidelity.names

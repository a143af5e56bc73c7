"""Events: the lines of the journal. Never changed once appended.

An entry begins with `Opened`, in the same commit as what became of it.
"""

from dataclasses import dataclass, field

from goex_proxy.core.call import Call
from goex_proxy.core.decision import Decision
from goex_proxy.core.exchange import Response
from goex_proxy.core.image import Image
from goex_proxy.core.inverse import Inverse
from goex_proxy.core.operation import Fidelity, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the journal."""

    by: str = "goex"
    """Who caused it: an agent, a person, the gateway itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleText:
    """The reverser rule of its day, kept with the entry: later edits do not change its undo."""

    name: str
    text: str
    digest: str
    trust: str = "reviewed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened(Event):
    """A call came in that must be on record."""

    call: Call
    service: str
    operation: str
    kind: Kind
    fidelity: Fidelity
    """The promise."""
    residue: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    fingerprint: str = ""
    """The same for a retry of the same call in the same session."""
    kept: bool = True
    """Whether the whole call is in the journal, so that it can be sent without its agent."""
    rule: RuleText | None = None
    """Of an undo: the rule of the entry that it undoes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused(Event):
    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Held(Event):
    """It waits for a person, who sees these images."""

    decision: Decision
    images: tuple[Image, ...] = ()
    again: str = ""
    """Why it is held once more after an approval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved(Event):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected(Event):
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted(Event):
    """It may go. Never appended alone: `Sent` or `Abandoned` stands in the same commit."""

    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent(Event):
    """Write-ahead: durable before the first byte of the request leaves."""

    decision: Decision
    rule: RuleText | None = None
    images: tuple[Image, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Abandoned(Event):
    """Nothing was sent."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(Event):
    response: Response


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost(Event):
    """It was sent and no answer was seen."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied(Event):
    """The service did it."""

    after: tuple[Image, ...] = ()
    inverse: Inverse | None = None
    fidelity: Fidelity = Fidelity.NONE
    """What can be delivered, now that the outcome is known."""
    residue: tuple[str, ...] = ()
    why: str = ""
    """Why there is no inverse, or why it is weaker than promised."""
    evidence: str = ""
    """How it is known, when not by the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial(Event):
    """The service did some of it."""

    after: tuple[Image, ...] = ()
    inverse: Inverse | None = None
    fidelity: Fidelity = Fidelity.NONE
    residue: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed(Event):
    """The service did not do it."""

    reason: str
    evidence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubted(Event):
    """There is an answer, and it does not say whether the call took effect."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted(Event):
    """The service said it will do it later (202)."""

    poll: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed(Event):
    """Looked for evidence, found none that decides."""

    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered(Event):
    """The kept answer reached the agent that asked again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoStarted(Event):
    run: str
    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One field that does not hold what it should. Values are in the images, not here."""

    use: str
    field: str
    """'' for the whole resource."""
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone(Event):
    """Read back: what the call touched is as it was."""

    already: bool = False
    """Nothing had to be sent."""
    residue: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Compensated(Event):
    """Read back: the counter-action holds; traces stay."""

    already: bool = False
    residue: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflicted(Event):
    """What an undo would write no longer holds what the call left. Nothing was sent."""

    differences: tuple[Difference, ...]
    now: tuple[Image, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck(Event):
    """An undo went out and did not arrive where it should; a person has to look."""

    reason: str
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoAbandoned(Event):
    """An undo that sent nothing."""

    reason: str
    refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Aliased(Event):
    """An undo made the thing anew, under another id."""

    resource: str
    old: dict[str, str] = field(default_factory=dict)
    new: dict[str, str] = field(default_factory=dict)
    old_path: str = ""
    """Where it was, if it has a path of its own."""
    new_path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redone(Event):
    entry: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept(Event):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired(Event):
    pass

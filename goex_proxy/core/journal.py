"""The journal's states and transitions: one table, checked on every append.

Rule 1: every state and every transition of an entry lives in this file.
Rule 2: nothing here knows where events are kept; stores append and read them.

`draw` writes the diagram of the docs from the table. Events that leave an entry where it
is (`Probed`, `Delivered`, `Aliased`, `Redone`) stand in the table too.
"""

from goex_proxy.core.event import (
    Abandoned,
    Accepted,
    Admitted,
    Aliased,
    Answered,
    Applied,
    Approved,
    Compensated,
    Conflicted,
    Delivered,
    Doubted,
    Event,
    Expired,
    Failed,
    Held,
    Kept,
    Lost,
    Opened,
    Partial,
    Probed,
    Redone,
    Refused,
    Rejected,
    Sent,
    Stuck,
    UndoAbandoned,
    Undone,
    UndoStarted,
)
from goex_proxy.core.state import State

__all__ = ["TRANSITIONS", "JournalError", "State", "advance", "draw"]

_CLOSING: dict[type[Event], State] = {Kept: State.KEPT, Expired: State.EXPIRED}
_UNDOABLE: dict[type[Event], State] = {UndoStarted: State.UNDOING, **_CLOSING}

TRANSITIONS: dict[State | None, dict[type[Event], State]] = {
    None: {Opened: State.NEW},
    State.NEW: {Refused: State.REFUSED, Held: State.HELD, Admitted: State.ADMITTED},
    State.HELD: {Approved: State.ADMITTED, Rejected: State.REFUSED, Refused: State.REFUSED},
    State.ADMITTED: {
        Sent: State.SENT,
        Abandoned: State.ABANDONED,
        Held: State.HELD,
        Refused: State.REFUSED,
        Rejected: State.REFUSED,
    },
    State.SENT: {Answered: State.ANSWERED, Lost: State.IN_DOUBT},
    State.ANSWERED: {
        Applied: State.APPLIED,
        Partial: State.PARTIAL,
        Failed: State.FAILED,
        Doubted: State.IN_DOUBT,
        Accepted: State.PENDING,
    },
    State.PENDING: {Answered: State.ANSWERED, Lost: State.IN_DOUBT, Delivered: State.PENDING},
    State.IN_DOUBT: {
        Applied: State.APPLIED,
        Failed: State.FAILED,
        Probed: State.IN_DOUBT,
        Answered: State.ANSWERED,
        Delivered: State.IN_DOUBT,
    },
    State.FAILED: {Applied: State.APPLIED, Delivered: State.FAILED},
    State.APPLIED: {
        **_UNDOABLE,
        Delivered: State.APPLIED,
        Aliased: State.APPLIED,
    },
    State.PARTIAL: {**_UNDOABLE, Delivered: State.PARTIAL},
    State.UNDOING: {
        Undone: State.UNDONE,
        Compensated: State.COMPENSATED,
        Conflicted: State.CONFLICT,
        Stuck: State.STUCK,
        UndoAbandoned: State.APPLIED,
        Aliased: State.UNDOING,
        Delivered: State.UNDOING,
    },
    State.UNDONE: {Redone: State.UNDONE, Kept: State.KEPT, Aliased: State.UNDONE},
    State.COMPENSATED: {Redone: State.COMPENSATED, Kept: State.KEPT, Aliased: State.COMPENSATED},
    State.CONFLICT: {**_UNDOABLE, UndoAbandoned: State.APPLIED},
    State.STUCK: {**_UNDOABLE, UndoAbandoned: State.APPLIED},
    State.EXPIRED: {Kept: State.KEPT},
    State.REFUSED: {},
    State.ABANDONED: {},
    State.KEPT: {},
}


class JournalError(ValueError):
    """An event that the entry's state does not admit."""


def advance(state: State | None, event: Event) -> State:
    """The state after an event. Raises `JournalError`."""
    try:
        return TRANSITIONS[state][type(event)]
    except KeyError:
        shown = "nothing" if state is None else state.value
        raise JournalError(f"{type(event).__name__} is not possible after {shown}") from None


def draw() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2"]
    for state, row in TRANSITIONS.items():
        for event, to in row.items():
            source = "[*]" if state is None else state.value
            lines.append(f"    {source} --> {to.value}: {event.__name__}")
    return "\n".join(lines) + "\n"

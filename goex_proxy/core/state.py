"""The states of an entry, by themselves: `log` names them and need not know any event."""

from enum import StrEnum


class State(StrEnum):
    NEW = "new"
    HELD = "held"
    REFUSED = "refused"
    ADMITTED = "admitted"
    ABANDONED = "abandoned"
    SENT = "sent"
    ANSWERED = "answered"
    PENDING = "pending"
    APPLIED = "applied"
    PARTIAL = "partial"
    FAILED = "failed"
    IN_DOUBT = "in_doubt"
    UNDOING = "undoing"
    UNDONE = "undone"
    COMPENSATED = "compensated"
    CONFLICT = "conflict"
    STUCK = "stuck"
    KEPT = "kept"
    EXPIRED = "expired"

    @property
    def public(self) -> str:
        """The state as people see it (a contract): what is under way is `pending`."""
        return _PUBLIC.get(self, self.value)

    @property
    def settled(self) -> bool:
        """Whether nothing happens to it unless a person asks."""
        return self not in {State.NEW, State.ADMITTED, State.SENT, State.ANSWERED, State.UNDOING}


_PUBLIC = {
    State.NEW: "pending",
    State.ADMITTED: "pending",
    State.SENT: "pending",
    State.ANSWERED: "pending",
}

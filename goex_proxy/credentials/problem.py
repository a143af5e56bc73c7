"""Why a request's credentials are not in order: a typed value, with words an agent can act on."""

from dataclasses import dataclass
from enum import StrEnum


class Trouble(StrEnum):
    """The kinds of problem. Its names are stable: policies, logs and tests may use them."""

    UNBOUND_HOST = "unbound_host"
    """A placeholder in an auth slot towards a host it is not bound to."""
    WRONG_SLOT = "wrong_slot"
    """A placeholder where its credential is not declared to go."""
    PLAINTEXT = "plaintext"
    """It would travel without verified TLS."""
    WRONG_PEER = "wrong_peer"
    """The connection leads elsewhere than the request says."""
    FOREIGN = "foreign"
    """A credential that is not ours, towards a host that one of ours is bound to."""
    REVOKED = "revoked"
    MIXED = "mixed"
    """Two different credentials in one request."""
    OTHER_AGENT = "other_agent"
    """The placeholder is bound to other agents."""
    OTHER_CREDENTIAL = "other_credential"
    """Not the credential that this entry was made with."""
    UNAVAILABLE = "unavailable"
    """The value cannot be had now (command, environment), or cannot be sent."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong (`reason`) and what to do about it (`hint`, imperative). Never a value."""

    trouble: Trouble
    reason: str
    hint: str

    def __str__(self) -> str:
        return self.reason


class CredentialRefusedError(Exception):
    """The swap was refused: nothing may be sent."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.reason)
        self.problem = problem


_ASK = "do not retry; tell your user"


def mixed() -> Problem:
    return Problem(
        Trouble.MIXED,
        "two different credentials in one request",
        "use one placeholder in a request",
    )


def revoked(name: str) -> Problem:
    return Problem(
        Trouble.REVOKED,
        f"the credential {name} was revoked",
        f"{_ASK}: `goex secret rotate {name}` gives it a new value",
    )


def other_agent(name: str, agent: str) -> Problem:
    return Problem(
        Trouble.OTHER_AGENT,
        f"the credential {name} is not for the agent {agent}",
        "do not retry; use the placeholder that you were given",
    )


def unbound_host(name: str, host: str, hosts: tuple[str, ...]) -> Problem:
    return Problem(
        Trouble.UNBOUND_HOST,
        f"the credential {name} is not bound to {host}",
        f"do not retry; it may go to {', '.join(hosts) or 'no host'} only",
    )


def wrong_slot(name: str, slot: str, slots: tuple[str, ...]) -> Problem:
    return Problem(
        Trouble.WRONG_SLOT,
        f"the credential {name} is not declared for the slot {slot}",
        f"send it as {' or '.join(slots) or 'nothing: it has no slot'}",
    )


def plaintext(name: str, host: str) -> Problem:
    return Problem(
        Trouble.PLAINTEXT,
        f"the credential {name} would travel to {host} unencrypted",
        "use https",
    )


def wrong_peer(name: str, host: str, why: str) -> Problem:
    return Problem(
        Trouble.WRONG_PEER,
        f"the credential {name} is not sent to {host}: {why}",
        _ASK,
    )


def foreign(name: str, host: str) -> Problem:
    return Problem(
        Trouble.FOREIGN,
        f"a credential that goex does not know, towards {host}, to which {name} is bound",
        "use the placeholder from your environment instead of a credential of your own",
    )


def other_credential(name: str) -> Problem:
    return Problem(
        Trouble.OTHER_CREDENTIAL,
        f"the request carries the credential {name}, which is not the one it was recorded with",
        _ASK,
    )


def unavailable(name: str, why: str) -> Problem:
    return Problem(
        Trouble.UNAVAILABLE,
        f"the credential {name} cannot be used now: {why}",
        f"{_ASK}: `goex doctor` shows what is wrong",
    )

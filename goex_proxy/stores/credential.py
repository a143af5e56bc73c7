"""What the vault tells of a credential without opening it, and where its value comes from."""

from dataclasses import dataclass

from goex_proxy.stores.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """One credential, without its value. `id` stays over rotation, `version` counts them.

    `hosts` and `slots` are texts as their owner wrote them; credentials/ parses them.
    """

    id: str
    version: int
    name: str
    service: str
    hosts: tuple[str, ...]
    slots: tuple[str, ...]
    placeholder: str
    variables: tuple[str, ...] = ()
    """Environment variables under which an agent gets the placeholder (`as`)."""
    agents: tuple[str, ...] = ()
    """Agents that may use it; empty: any, also an anonymous one."""
    labels: tuple[str, ...] = ()
    principal: str | None = None
    """Who it acts as at the service, if that could be read."""
    source: str = "stored"
    """`stored`, `env` or `command`: the kind of its `Source`."""
    created: str = ""
    """RFC 3339, UTC; so are the next two."""
    last_used: str | None = None
    revoked: str | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """The value itself is in the vault."""

    value: Secret


@dataclass(frozen=True, slots=True)
class FromEnvironment:
    """The value is in a variable of the gateway's own environment."""

    variable: str


@dataclass(frozen=True, slots=True)
class FromCommand:
    """The value is what a command prints (its last newline is cut). No shell is involved."""

    argv: tuple[str, ...]
    ttl: float = 300.0
    """Seconds for which an answer is used."""


type Source = Stored | FromEnvironment | FromCommand

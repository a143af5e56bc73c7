"""What an agent's clients are given: the proxy, its files, and the vault's placeholders."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from goex_proxy.cli.places import files_of

if TYPE_CHECKING:
    from goex_proxy.home import Home
    from goex_proxy.launch.environment import Clients
    from goex_proxy.stores.credential import Credential


def _held(home: "Home") -> tuple["Credential", ...]:
    vault = home.vault()
    try:
        return vault.credentials()
    finally:
        vault.close()


def services(home: "Home") -> frozenset[str]:
    """Those that the vault holds a credential for: an agent's own logins there are hidden."""
    return frozenset(credential.service for credential in _held(home))


def bound_agents(home: "Home") -> set[str]:
    """Those that a credential names."""
    return {agent for credential in _held(home) for agent in credential.agents}


def value_files(home: "Home") -> tuple[Path, ...]:
    """Files that the commands of `secret add --command` name: an agent could read them as well.

    Not the command itself, which others may need.
    """
    from goex_proxy.stores.credential import FromCommand

    vault = home.vault()
    try:
        sources = [vault.source(credential.id)[1] for credential in vault.credentials()]
    finally:
        vault.close()
    words = (w for s in sources if isinstance(s, FromCommand) for w in s.argv[1:])
    named = (Path(part) for word in words for part in (word, word.partition("=")[2]) if part)
    return tuple(path.resolve() for path in named if path.is_file())


def credentials(home: "Home", agent: str) -> list["Credential"]:
    """Those that this agent may use."""
    return [c for c in _held(home) if not c.revoked and (not c.agents or agent in c.agents)]


def clients(home: "Home", proxy: str, agent: str) -> "Clients":
    """All that the variables of an agent's clients are made of."""
    from goex_proxy.launch.environment import Clients

    held = credentials(home, agent)
    placeholders = {name: c.placeholder for c in held for name in c.variables}
    return Clients(
        proxy=proxy,
        files=files_of(home),
        placeholders=placeholders,
        git_logins=dict(_git_logins(held)),
    )


def _git_logins(held: "list[Credential]") -> Iterable[tuple[str, str]]:
    """Hosts where git may log in with one of them, by the variable that has its placeholder."""
    for credential in held:
        if "basic" not in credential.slots or not credential.variables:
            continue
        for host in credential.hosts:
            if not host.startswith(("*.", "api.", "uploads.")):
                yield host, credential.variables[0]

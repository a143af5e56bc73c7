"""Taking a new credential into the vault: what `secret add` does."""

from collections.abc import Sequence

from goex_proxy.credentials import binding, slot
from goex_proxy.credentials.placeholder import mint
from goex_proxy.credentials.value import read
from goex_proxy.stores.credential import Credential, Source
from goex_proxy.stores.vault import Vault


def enrol(
    vault: Vault,
    source: Source,
    *,
    name: str,
    service: str,
    hosts: Sequence[str],
    slots: Sequence[str],
    variables: Sequence[str] = (),
    agents: Sequence[str] = (),
    labels: Sequence[str] = (),
    shape: str | None = None,
    principal: str | None = None,
) -> Credential:
    """Check hosts and slots, read the value once, mint a placeholder, and keep it all.

    Raises ValueError (a host, slot or shape; or the value cannot stand in a header) and
    VaultError (the value cannot be had; the name is taken).
    """
    if not hosts or not slots:
        raise ValueError(f"credential {name!r}: name at least one host and one slot")
    bound = tuple(str(binding.parse(text)) for text in hosts)
    value = read(source).reveal()
    if any(mark in value for mark in (b"\r", b"\n", b"\0")):
        raise ValueError(f"credential {name!r}: its value holds a line break, no header may")
    taken = [one.placeholder for one in vault.credentials()]
    return vault.add(
        Credential(
            id="",
            version=0,
            name=name,
            service=service,
            hosts=bound,
            slots=tuple(slot.parse(text) for text in slots),
            placeholder=mint(value, taken, shape),
            variables=tuple(variables),
            agents=tuple(agents),
            labels=tuple(labels),
            principal=principal,
        ),
        source,
    )

"""A real vault with a real key, and requests in few words."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from goex_proxy.core.exchange import Headers, Origin, Request
from goex_proxy.credentials.enrol import enrol
from goex_proxy.credentials.keyring import Keyring
from goex_proxy.credentials.peer import Upstreams
from goex_proxy.stores.credential import Credential, Stored
from goex_proxy.stores.secret import Secret
from goex_proxy.stores.vault import Vault
from goex_proxy.stores.vault_key import KeyFile

REAL = b"ghp_CANARYcanaryCANARYcanaryCANARYcanary"


class Peer:
    """A verified connection to GitHub, unless said otherwise."""

    def __init__(
        self, ip: str = "140.82.112.6", port: int = 443, sni: str = "api.github.com",
        tls_verified: bool = True,
    ) -> None:  # fmt: skip
        self.ip, self.port, self.sni, self.tls_verified = ip, port, sni, tls_verified


def a_request(
    *headers: tuple[str, str], host: str = "api.github.com", scheme: str = "https",
    port: int | None = None, target: str = "/user", body: bytes = b"", method: str = "GET",
) -> Request:  # fmt: skip
    wanted = port or (443 if scheme == "https" else 80)
    origin = Origin(scheme=scheme, host=host, port=wanted)
    return Request(method=method, origin=origin, target=target, headers=Headers(headers), body=body)


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    key = KeyFile(tmp_path / "vault.key")
    key.create()
    made = Vault.create(tmp_path / "vault.db", key)
    yield made
    made.close()


@pytest.fixture
def github(vault: Vault) -> Credential:
    return enrol(
        vault, Stored(Secret(REAL)), name="github", service="github",
        hosts=("api.github.com", "*.ghe.example.com"), slots=("bearer", "basic"),
    )  # fmt: skip


@pytest.fixture
def keyring(vault: Vault, github: Credential) -> Keyring:
    made = Keyring(vault)
    made.reload()
    return made


type Ring = Callable[..., Keyring]


@pytest.fixture
def ring(vault: Vault) -> Ring:
    def make(upstreams: dict[str, str] | None = None) -> Keyring:
        made = Keyring(vault, Upstreams(upstreams))
        made.reload()
        return made

    return make

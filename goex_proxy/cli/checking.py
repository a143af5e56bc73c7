"""One read that only a good credential may make: who does it act as?"""

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from goex_proxy.core import exact
from goex_proxy.core.exchange import Headers, Origin, Request, Response
from goex_proxy.core.host import split
from goex_proxy.core.service import CredentialShape
from goex_proxy.core.value import dotted
from goex_proxy.stores.credential import Credential

if TYPE_CHECKING:
    from goex_proxy.home import Home

_LIMIT = 1 << 20


class NotAccepted(Exception):
    """The service does not take the credential; says what it answered, never the value."""


def check(home: "Home", made: Credential, shape: CredentialShape) -> str:
    """Ask the service, keep the principal, and say what was found, in words.

    A service that cannot be reached proves nothing: that is said, and no error.
    Raises NotAccepted, VaultError, FileError.
    """
    from goex_proxy.upstream.errors import UpstreamError

    if shape.check is None or made.hosts[0].startswith("*"):
        return f"{made.name} could not be tried: there is no one host to ask"
    method, path = shape.check
    host, port = split(made.hosts[0])
    request = Request(
        method=method,
        origin=Origin(scheme="https", host=host, port=port or 443),
        target=path,
        headers=Headers((("User-Agent", "goex-proxy"), ("Accept", "application/json"))),
    )
    try:
        response = asyncio.run(_fetch(home, made, request))
    except UpstreamError as error:
        return f"{made.name} could not be tried: {error}"
    who = _principal(response, shape, f"{method} {path}")
    if not who:
        return f"{made.name} works"
    vault = home.vault()
    try:
        vault.amend(replace(vault.get(made.id), principal=who))
    finally:
        vault.close()
    return f"{made.name} works; it acts as {who}"


async def _fetch(home: "Home", made: Credential, request: Request) -> Response:
    from goex_proxy.credentials.keyring import Keyring
    from goex_proxy.credentials.peer import Upstreams
    from goex_proxy.files import config as config_file
    from goex_proxy.upstream.client import Client, Settings

    config = config_file.load(home.config)
    upstreams = Upstreams({host: str(origin) for host, origin in config.upstreams.items()})
    settings = Settings(
        upstream_ca=config.upstream_ca,
        allow=frozenset(f"{host}:{port}" for host, port in config.network.allow),
        timeout=20.0,
    )
    vault = home.vault()
    try:
        keyring = Keyring(vault, upstreams)
        keyring.reload()
        async with Client(keyring, upstreams, settings) as client:
            return await client.fetch(request, made.id, limit=_LIMIT)
    finally:
        vault.close()


def _principal(response: Response, shape: CredentialShape, asked: str) -> str:
    if not response.ok:
        raise NotAccepted(f"{asked} answered {response.status}")
    if not shape.principal:
        return ""
    try:
        found = dotted(exact.loads(response.body or b""), shape.principal)
    except ValueError:
        found = None
    if not isinstance(found, str) or not found:
        raise NotAccepted(f"{asked} answered {response.status}, but not who it is")
    return found

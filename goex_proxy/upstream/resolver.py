"""Names to addresses, each checked before it is dialled; the one checked is the one dialled."""

import socket
from collections.abc import Collection

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from goex_proxy.upstream.network import refusal


class NetworkRefusedError(OSError):
    """A name leads to an address that may not be dialled."""


class CheckedResolver(AbstractResolver):
    """The system's resolver, without the addresses that are refused."""

    def __init__(self, allow: Collection[str], inner: AbstractResolver | None = None) -> None:
        self._allow = allow
        self._inner = inner or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        reasons = [refusal(one["host"], host, port, self._allow) for one in found]
        kept = [one for one, reason in zip(found, reasons, strict=True) if reason is None]
        if not kept:
            raise NetworkRefusedError(next((r for r in reasons if r), f"{host} has no address"))
        return kept

    async def close(self) -> None:
        await self._inner.close()

"""The sessions of one running gateway: each with a password, a socket of its own, and an end."""

import asyncio
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from goex_proxy.engine.callers import Callers
from goex_proxy.gateway.gateway import Gateway, ListenError

SOCKET = "gateway.sock"
_PATIENCE = 60.0


class Sessions:
    """Opens and closes them. A session's socket is listened on exactly as long as it is open."""

    def __init__(self, callers: Callers, gateway: Gateway, folder: Path) -> None:
        self._callers = callers
        self._gateway = gateway
        self._folder = folder
        self._over: dict[str, asyncio.Event] = {}
        self._begun = asyncio.Event()

    async def open(
        self, name: str, agent: str, level: str = "", password: str = ""
    ) -> dict[str, object]:
        """A session's password, proxy and socket. With a password: one that lost its gateway is
        taken up again, under what its agent already has. Raises ValueError."""
        if password:
            self._callers.take_up(name, password)
        else:
            password = self._callers.open_session(name, agent, level)
        self._over[name] = asyncio.Event()
        self._begun.set()
        try:
            path = await self._listen(name)
        except (ListenError, OSError) as error:
            await self.close(name)
            raise ValueError(str(error)) from None
        host, port = self._gateway.addresses[0]
        return {"password": password, "host": host, "port": port, "socket": str(path)}

    async def close(self, name: str) -> None:
        """Its password and its socket are worth nothing any more. Raises ValueError."""
        self._callers.close_session(name)
        self.settle()

    def settle(self) -> None:
        """Close the sockets of all that are over, whoever ended them."""
        still = {known.name for known in self._callers.open_sessions()}
        for name in self._over.keys() - still:
            self._over.pop(name).set()
            path = self._path(name)
            self._gateway.remove_unix(path)
            if path.parent.is_dir():
                path.parent.rmdir()

    async def over(self, name: str) -> None:
        """Wait until an open session is closed."""
        event = self._over.get(name)
        if event is not None:
            await event.wait()

    async def idle(self) -> None:
        """Wait until no session is open any more, or none was opened for a minute."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await self._begun.wait()
        while self._over:
            await next(iter(self._over.values())).wait()

    def _path(self, name: str) -> Path:
        # Short, whatever the session's name: a Unix socket's path has 108 bytes (unix(7)). In a
        # folder of its own, which a sealed view mounts: a new gateway's socket is seen there too.
        return self._folder / sha256(name.encode()).hexdigest()[:12] / SOCKET

    async def _listen(self, name: str) -> Path:
        path = self._path(name)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        await self._gateway.add_unix(path, name)
        return path

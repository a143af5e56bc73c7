"""Only wires: from a home to an engine, and to a gateway around it."""

import asyncio
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from goex_proxy.companions.internal import tell
from goex_proxy.console.api import Api
from goex_proxy.console.server import ControlServer
from goex_proxy.credentials.keyring import Keyring
from goex_proxy.credentials.peer import Upstreams
from goex_proxy.engine.callers import Callers
from goex_proxy.engine.engine import Engine
from goex_proxy.engine.ledger import Ledger
from goex_proxy.engine.library import Library
from goex_proxy.engine.mediation import Mediation, Terms
from goex_proxy.engine.recovery import Recovery
from goex_proxy.engine.shelf import Shelf
from goex_proxy.files import config as config_file
from goex_proxy.files.config import Address, Config
from goex_proxy.following import Following, stamps
from goex_proxy.gateway.certificates import open_authority
from goex_proxy.gateway.gateway import Gateway, Settings
from goex_proxy.home import Home, HomeError
from goex_proxy.launch.kernel import close_to_tracers
from goex_proxy.sessions import Sessions
from goex_proxy.upstream.client import Client
from goex_proxy.upstream.client import Settings as ClientSettings

_UNDO_WINDOW = 7 * 24 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """Where a gateway can be reached, once it accepts."""

    proxy: str
    console: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """An engine and what was opened for it."""

    home: Home
    config: Config
    engine: Engine
    keyring: Keyring
    upstreams: Upstreams
    following: Following


@asynccontextmanager
async def open_parts(home: Home, *, anonymous: bool = True) -> AsyncIterator[Parts]:
    """Take the home's lock and open everything. Raises `HomeError`, `FileError`,
    `VaultError`, `JournalError`."""
    home.require()
    config = config_file.load(home.config)
    following = Following(home, config, stamps(home, config))
    library = Library()
    async with AsyncExitStack() as stack:
        stack.enter_context(home.lock())
        journal = home.journal()
        stack.callback(journal.close)
        vault = home.vault()
        stack.callback(vault.close)
        upstreams = Upstreams({host: str(o) for host, o in config.upstreams.items()})
        keyring = Keyring(vault, upstreams)
        keyring.reload()
        client = await stack.enter_async_context(
            Client(keyring, upstreams, _client_settings(config))
        )
        engine = Engine(
            ledger=Ledger(journal, _UNDO_WINDOW),
            shelf=Shelf(lambda: library.book(config_file.load(home.config))),
            upstream=client,
            callers=Callers(home.callers, anonymous=anonymous),
            pause=home.pause,
        )
        yield Parts(
            home=home,
            config=config,
            engine=engine,
            keyring=keyring,
            upstreams=upstreams,
            following=following,
        )
        await engine.drain(5.0)


def _client_settings(config: Config) -> ClientSettings:
    return ClientSettings(
        upstream_ca=config.upstream_ca,
        allow=_allowed(config),
        timeout=config.limits.upstream_timeout,
    )


def _allowed(config: Config) -> frozenset[str]:
    return frozenset(f"{host}:{port}" for host, port in config.network.allow)


class Surroundings:
    """What a person can ask for around the engine: sessions, the keyring, the gateway."""

    def __init__(
        self, parts: Parts, gateway: Gateway | None = None, sessions: Sessions | None = None
    ) -> None:
        self._parts = parts
        self._gateway = gateway
        self._sessions = sessions

    async def open_session(
        self, name: str, agent: str, level: str, password: str
    ) -> dict[str, object]:
        """A session's password, proxy and socket. Raises ValueError."""
        if self._sessions is None:
            raise ValueError("no gateway runs; start one: goex serve")
        return await self._sessions.open(name, agent, level, password)

    async def close_session(self, name: str) -> None:
        if self._sessions is None:
            self._parts.engine.callers.close_session(name)
        else:
            await self._sessions.close(name)

    async def over(self, name: str) -> None:
        """Wait until an open session is closed."""
        if self._sessions is not None:
            await self._sessions.over(name)

    def settle_sessions(self) -> None:
        """After an agent was revoked, its sessions with it."""
        if self._sessions is not None:
            self._sessions.settle()

    async def refresh(self) -> None:
        """Follow the vault now."""
        await self._parts.keyring.refresh()

    def status(self) -> dict[str, object]:
        addresses = self._gateway.addresses if self._gateway is not None else ()
        following = self._parts.following
        return {
            "pid": os.getpid(),
            "listening": [f"{host}:{port}" for host, port in addresses],
            "credentials": len(self._parts.keyring.credentials()),
            "unavailable": self._parts.keyring.unavailable(),
            "journal": self._parts.engine.ledger.journal.troubles,
            "vault": following.vault or "good",
            "files": following.files(self._parts.engine) or "good",
            "outdated": following.outdated(),
        }


@asynccontextmanager
async def open_engine(home: Home) -> AsyncIterator[Api]:
    """For a command when no gateway runs: the same actions, in this process."""
    async with open_parts(home) as parts:
        yield Api(parts.engine, Surroundings(parts))


async def serve(
    home: Home,
    *,
    listen: Address | None = None,
    ready: Callable[[Ready], None],
    while_sessions: bool = False,
) -> None:
    """Run a gateway until SIGTERM or SIGINT; `while_sessions`: or until the last session's end.

    Raises what `open_parts` does, `ListenError`, `CertificateError`.
    """
    _close_memory()
    address = listen or config_file.load(home.config).listen
    async with open_parts(home, anonymous=address.loopback) as parts:
        if not address.loopback and not parts.engine.callers.all("agent"):
            raise HomeError(
                f"{address} can be reached from other machines, and no agent has a password; "
                "goex agent add NAME, or listen on 127.0.0.1"
            )
        parts.engine.callers.close_all()
        mediation = Mediation(
            parts.engine, parts.keyring, parts.upstreams, _terms(parts.config), tell(parts.engine)
        )
        recovery = Recovery(parts.engine, mediation.joins)
        await recovery.start()
        gateway = Gateway(
            mediation,
            open_authority(home.ca),
            Settings(
                listen=((address.host, address.port),),
                upstream_timeout=parts.config.limits.upstream_timeout,
                upstream_ca=parts.config.upstream_ca,
            ),
        )
        await gateway.start()
        sessions = Sessions(parts.engine.callers, gateway, home.sessions)
        around = Surroundings(parts, gateway, sessions)
        control = ControlServer(Api(parts.engine, around), home.socket)
        await control.start()
        ready(_ready(gateway, home))
        try:
            await _until_stopped(parts, recovery, sessions.idle() if while_sessions else None)
        finally:
            await control.stop()
            await gateway.stop()
            parts.engine.callers.close_all()


def _close_memory() -> None:
    """Secrets are in this process's memory: no core is written of it, and no other process of
    the same user may read it (Linux)."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        close_to_tracers()


def _terms(config: Config) -> Terms:
    return Terms(
        routes=tuple(config.routes.items()),
        network=_allowed(config),
        hold_wait=config.limits.hold_wait,
    )


def _ready(gateway: Gateway, home: Home) -> Ready:
    host, port = gateway.addresses[0]
    shown = f"[{host}]" if ":" in host else host
    return Ready(proxy=f"http://{shown}:{port}", console=f"unix:{home.socket}")


async def _until_stopped(
    parts: Parts, recovery: Recovery, done: Coroutine[None, None, None] | None
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    watchers = [
        asyncio.create_task(recovery.watch()),
        asyncio.create_task(parts.following.run(parts.engine, parts.keyring)),
    ]
    if done is not None:
        watchers.append(asyncio.create_task(_then(done, stop)))
    await stop.wait()
    for watcher in watchers:
        watcher.cancel()


async def _then(done: Coroutine[None, None, None], stop: asyncio.Event) -> None:
    await done
    stop.set()

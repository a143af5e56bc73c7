"""A world with credentials, upstreams and settings of a test's own, and services that listen in."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from goex_proxy.credentials.enrol import enrol
from goex_proxy.stores.credential import Credential, Source, Stored
from goex_proxy.stores.secret import Secret
from tests.behaviour import wiretap
from tests.behaviour.agent import Answer
from tests.behaviour.tap import Loop
from tests.behaviour.world import World

type Responder = Callable[[bytes, bytes, asyncio.StreamWriter], Awaitable[None]]
"""Answers one request, given its head and its body."""


async def ok(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
    """Agree, in JSON that says nothing."""
    writer.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    )


class Witness:
    """A service on 127.0.0.1 that keeps every byte it was sent, and answers as it is told."""

    def __init__(
        self, loop: Loop, answer: Responder = ok, tls: tuple[Path, Path] | None = None
    ) -> None:
        self.raw = bytearray()
        self.connections = 0
        self.answer = answer
        self._loop = loop
        context = None
        if tls is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(*map(str, tls))
        self.tls = tls is not None
        self._server = loop.run(asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context))
        self.port: int = self._server.sockets[0].getsockname()[1]

    @property
    def url(self) -> str:
        """Where the gateway finds it: by the name its certificate proves, if it has one."""
        return f"https://localhost:{self.port}" if self.tls else f"http://127.0.0.1:{self.port}"

    @property
    def heads(self) -> int:
        """How many requests came."""
        return self.raw.count(b" HTTP/1.1\r\n")

    def clear(self) -> None:
        self.raw.clear()
        self.connections = 0

    def close(self) -> None:
        self._loop.run(self._close())

    async def _close(self) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head, body = await self._read(reader)
                await self.answer(head, body, writer)
                await writer.drain()
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.CancelledError) as error:
            self.raw += getattr(error, "partial", b"")
        finally:
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
        head = await reader.readuntil(b"\r\n\r\n")
        self.raw += head
        body = bytearray()
        fields = head.lower()
        if b"transfer-encoding: chunked" in fields:
            while size := int((await reader.readline()).partition(b";")[0], 16):
                body += await reader.readexactly(size)
                await reader.readline()
            await reader.readline()
        elif b"content-length:" in fields:
            length = int(fields.partition(b"content-length:")[2].partition(b"\r\n")[0])
            body += await reader.readexactly(length)
        self.raw += body
        return head, bytes(body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A credential to put into the vault: see `enrol`."""

    name: str
    source: Source
    host: str
    slots: tuple[str, ...] = ("bearer", "basic")
    service: str = ""
    variables: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()


def stored(value: str) -> Stored:
    return Stored(Secret(value.encode()))


@dataclass(slots=True)
class Ground:
    """How a world is to be made; `open` makes it. `credentials` by name, once it is made."""

    at: Path
    loop: Loop
    upstreams: Mapping[str, str]
    holdings: Sequence[Holding] = ()
    config: str = ""
    """More lines for goex.yaml."""
    policy: str = ""
    posture: str = "balanced"
    limits: str = "hold_wait: 0.2s"
    environment: Mapping[str, str] = field(default_factory=dict)
    """Of the gateway's process, besides what every world has."""

    def open(self) -> Standing:
        return Standing(self)


class Standing(World):
    """A world on a `Ground`."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.credentials: dict[str, Credential] = {}
        os.makedirs(ground.at, exist_ok=True)
        how = {"limits": ground.limits, "posture": ground.posture, "policy": ground.policy}
        super().__init__(ground.at, ground.loop, {}, **how)  # type: ignore[arg-type]
        words = [f"{name}={value}" for name, value in ground.environment.items()]
        self.wrapper = ("/usr/bin/env", *words) if words else ()

    def _configure(self, limits: str, posture: str, services: str) -> None:
        ups = ", ".join(f"{host}: '{url}'" for host, url in self.ground.upstreams.items())
        self.home.config.write_text(
            f"version: 1\nlisten: 127.0.0.1:0\nposture: {posture}\n"
            "policies: [./policies]\nreversers: [shipped, ./reversers]\n"
            f"upstreams: {{{ups}}}\nlimits: {{{limits}}}\n{self.ground.config}\n"
        )

    def _put_secrets(self, secrets: Mapping[str, str], principals: Mapping[str, str]) -> None:
        before = dict(os.environ)
        os.environ.update(self.ground.environment)  # `enrol` reads the value once, as `add` does
        vault = self.home.vault()
        try:
            for one in self.ground.holdings:
                self.credentials[one.name] = enrol(
                    vault, one.source, name=one.name, service=one.service or one.name,
                    hosts=[one.host], slots=one.slots, variables=one.variables, agents=one.agents,
                )  # fmt: skip
        finally:
            vault.close()
            os.environ.clear()
            os.environ.update(before)

    def placeholder(self, name: str) -> str:
        return self.credentials[name].placeholder

    def bearer(self, name: str) -> dict[str, str]:
        """The field with which an agent uses a credential."""
        return {"Authorization": f"Bearer {self.placeholder(name)}"}

    def raw(self, data: bytes | str, **how: object) -> Answer:
        """Bytes as they are, through the proxy port; see `wiretap.send`."""
        sent = data.encode("latin-1") if isinstance(data, str) else data
        return wiretap.send(self.proxy, self.trust, sent, **how)  # type: ignore[arg-type]

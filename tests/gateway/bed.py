"""A gateway on loopback, services with real TLS behind it, and clients in a scrubbed environment."""

import asyncio
import os
import ssl
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from goex_proxy.gateway.certificates import Authority, open_authority
from goex_proxy.gateway.gateway import Gateway, Settings
from goex_proxy.gateway.mediator import Address
from tests.gateway.judge import Judge

HOST = "api.example.com"


@dataclass
class Asked:
    """One request as a service received it."""

    line: str
    headers: list[tuple[str, str]]
    body: bytes

    def get(self, name: str) -> str | None:
        return next((v for k, v in self.headers if k.lower() == name.lower()), None)


Answerer = Callable[[Asked, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def reply(status: int, body: bytes = b"", *fields: str) -> bytes:
    head = [f"HTTP/1.1 {status} Fine", f"Content-Length: {len(body)}", *fields]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


async def echo(asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    text = asked.line + "\n" + "\n".join(f"{k}: {v}" for k, v in asked.headers)
    writer.write(reply(200, text.encode() + b"\n\n" + asked.body))


@dataclass
class Service:
    """An HTTP/1.1 service. `raw` is every byte it was sent."""

    answer: Answerer = echo
    port: int = 0
    raw: bytearray = field(default_factory=bytearray)
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    reads_body: bool = True

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while (asked := await self._read(reader)) is not None:
                self.asked.append(asked)
                await self.answer(asked, reader, writer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            return
        finally:
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> Asked | None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            self.raw += error.partial
            return None
        self.raw += head
        line, *rest = head.decode("latin-1").split("\r\n")
        headers = [(k, v.strip()) for k, _, v in (each.partition(":") for each in rest if each)]
        asked = Asked(line, headers, b"")
        if self.reads_body:
            if "chunked" in (asked.get("transfer-encoding") or ""):
                asked.body = await self._chunks(reader)
            else:
                asked.body = await reader.readexactly(int(asked.get("content-length") or 0))
            self.raw += asked.body[:1000]
        return asked

    async def _chunks(self, reader: asyncio.StreamReader) -> bytes:
        out = bytearray()
        while size := int(await reader.readuntil(b"\r\n"), 16):
            out += await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readuntil(b"\r\n")
        return bytes(out)


def server_context(authority: Authority, host: str) -> ssl.SSLContext:
    leaf = authority.leaf(host)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.keylog_filename = None  # type: ignore[assignment]
    with tempfile.NamedTemporaryFile() as file:
        file.write(leaf.certificate.public_bytes(Encoding.PEM))
        file.write(leaf.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        file.flush()
        context.load_cert_chain(file.name)
    return context


@dataclass
class Bed:
    gateway: Gateway
    judge: Judge
    service: Service
    home: Path
    services: Authority
    """The CA of the services."""

    @property
    def port(self) -> int:
        return self.gateway.addresses[0][1]

    @property
    def proxy(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def trust(self) -> ssl.SSLContext:
        """What an agent trusts: our CA, checked strictly."""
        context = ssl.create_default_context(cafile=str(self.home / "ca.pem"))
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    async def curl(self, *arguments: str, proxy: str | None = None) -> tuple[int, str, bytes]:
        """Status, headers (of the last response) and body."""
        body = self.home / "body"
        head = self.home / "head"
        body.write_bytes(b"")
        head.write_bytes(b"")
        process = await asyncio.create_subprocess_exec(
            *("curl", "-sS", "--max-time", "20", "--cacert", str(self.home / "ca.pem")),
            *("-x", proxy or self.proxy, "--noproxy", "none.invalid"),
            *("-o", str(body), "-D", str(head), "-w", "%{http_code}"),
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "HOME": str(self.home)},
        )
        out, errors = await process.communicate()
        text = head.read_text("latin-1") + errors.decode()
        return int(out or b"0"), text, body.read_bytes()

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def connect(
        self, target: str = f"{HOST}:443", sni: str | None = HOST, *, tls: bool = True
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A CONNECT, and TLS in it: for clients that misbehave as no library would."""
        reader, writer = await self.open()
        writer.write(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert b" 200 " in head.split(b"\r\n")[0], head
        if tls:
            context = self.trust()
            context.check_hostname = False
            if sni is None:
                context.set_alpn_protocols([])
            await writer.start_tls(context, server_hostname=sni)
        return reader, writer


async def read_response(reader: asyncio.StreamReader) -> tuple[int, str, bytes]:
    """One HTTP/1.1 response with a Content-Length or chunks."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    lower = head.lower()
    body = bytearray()
    if "transfer-encoding: chunked" in lower:
        while size := int(await reader.readuntil(b"\r\n"), 16):
            body += await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readexactly(2)
    elif "content-length:" in lower:
        length = int(lower.split("content-length:")[1].split("\r\n")[0])
        body += await reader.readexactly(length)
    return int(head.split(" ")[1]), head, bytes(body)


@asynccontextmanager
async def bed(
    judge: Judge | None = None, service: Service | None = None, **settings: float
) -> AsyncIterator[Bed]:
    """A gateway before one service that is `api.example.com`."""
    judge = judge or Judge()
    service = service or Service()
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        ours = open_authority(home)
        services = open_authority(home / "services")
        listener = await asyncio.start_server(
            service.serve, "127.0.0.1", 0, ssl=server_context(services, HOST)
        )
        service.port = listener.sockets[0].getsockname()[1]
        address = Address(host="127.0.0.1", port=service.port, tls=True, sni=HOST)
        judge.upstreams.setdefault(HOST, address)
        gateway = Gateway(
            judge,
            ours,
            Settings(
                listen=(("127.0.0.1", 0),),
                roots=services.pem,
                **settings,  # type: ignore[arg-type]
            ),
        )
        await gateway.start()
        try:
            yield Bed(gateway, judge, service, home, services)
        finally:
            await gateway.stop(0.5)
            listener.close()


def run(story: Callable[[], Awaitable[None]], within: float = 30.0) -> None:
    """Run one story in a loop of its own."""

    async def bounded() -> None:
        async with asyncio.timeout(within):
            await story()

    asyncio.run(bounded())

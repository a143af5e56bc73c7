"""A CA, and raw servers with real TLS on loopback that keep every byte they were sent."""

import asyncio
import datetime
import ipaddress
import os
import re
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from goex_proxy.core.exchange import Headers, Origin, Request
from goex_proxy.credentials.enrol import enrol
from goex_proxy.credentials.keyring import Keyring
from goex_proxy.credentials.peer import Upstreams
from goex_proxy.stores.credential import Credential, Stored
from goex_proxy.stores.secret import Secret
from goex_proxy.stores.vault import Vault
from goex_proxy.stores.vault_key import KeyFile
from goex_proxy.upstream.client import Client, Settings

REAL = b"ghp_CANARYcanaryCANARYcanaryCANARYcanary"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> "Authority":
    return Authority(tmp_path_factory.mktemp("ca"))


class Authority:
    """Makes certificates. Its keys live as long as the test run."""

    def __init__(self, where: Path) -> None:
        self._where = where
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "goex test CA")])
        ca = self._builder(self._name, self._key).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        self.pem = where / "ca.pem"
        self.pem.write_bytes(
            ca.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        )

    def context(self, *names: str) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        leaf = self._builder(subject, key).add_extension(
            x509.SubjectAlternativeName([_general(name) for name in names]), critical=False
        )
        pem = leaf.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        pem += key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        file = self._where / f"{names[0]}.pem"
        file.write_bytes(pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey
    ) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
        )


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


class Server:
    """Answers each request (head and body by Content-Length) with the next of its answers.

    An answer of b"" closes the connection instead. `seen` holds all bytes that came.
    """

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.seen = b""
        self.connections = 0
        self.port = 0
        self._writers: list[asyncio.StreamWriter] = []

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        while chunk := await reader.read(65536):
            self.seen += chunk
            while not _complete(chunk) and (more := await reader.read(65536)):
                chunk += more
                self.seen += more
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if not answer:
                break
            writer.write(answer)
            await writer.drain()
        writer.close()

    def hang_up(self) -> None:
        for writer in self._writers:
            writer.close()


def _complete(request: bytes) -> bool:
    head, end, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    return bool(end) and len(body) >= int(length[1] if length else 0)


@asynccontextmanager
async def serving(server: Server, context: ssl.SSLContext | None) -> AsyncIterator[Server]:
    listener = await asyncio.start_server(server.handle, "127.0.0.1", 0, ssl=context)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        server.hang_up()
        await asyncio.sleep(0.01)


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    key = KeyFile(tmp_path / "vault.key")
    key.create()
    made = Vault.create(tmp_path / "vault.db", key)
    yield made
    made.close()


type Enrol = Callable[..., Credential]


@pytest.fixture
def github(vault: Vault) -> Credential:
    return enrol(
        vault, Stored(Secret(REAL)), name="github", service="github",
        hosts=("api.github.com",), slots=("bearer",),
    )  # fmt: skip


GITHUB = Origin(scheme="https", host="api.github.com", port=443)


@pytest.fixture(autouse=True)
def scrubbed_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if "CERT" in name or "PROXY" in name.upper() or "CA_BUNDLE" in name:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")


def a_request(
    method: str = "GET", target: str = "/user", body: bytes | None = b"", origin: Origin = GITHUB,
    headers: tuple[tuple[str, str], ...] = (),
) -> Request:  # fmt: skip
    return Request(method=method, origin=origin, target=target, headers=Headers(headers), body=body)


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 30))


class Bench:
    """A client whose api.github.com is a server of ours."""

    def __init__(self, vault: Vault, authority: Authority) -> None:
        self.vault, self.authority = vault, authority

    @asynccontextmanager
    async def __call__(
        self, server: Server, *, tls: bool = True, names: tuple[str, ...] = ("localhost",),
        ca: bool = True, prefix: str = "", timeout: float = 10.0,
    ) -> AsyncIterator[Client]:  # fmt: skip
        context = self.authority.context(*names) if tls else None
        async with serving(server, context):
            base = f"http{'s' * tls}://localhost:{server.port}{prefix}"
            upstreams = Upstreams({"api.github.com": base})
            keyring = Keyring(self.vault, upstreams)
            keyring.reload()
            made = Settings(upstream_ca=self.authority.pem if ca else None, timeout=timeout)
            async with Client(keyring, upstreams, made) as client:
                yield client


@pytest.fixture
def bench(vault: Vault, authority: Authority) -> Bench:
    return Bench(vault, authority)

"""A CA, and raw servers with real TLS on loopback that keep every byte they were sent."""

import asyncio
import datetime
import ipaddress
import re
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from goex_proxy.credentials.enrol import enrol
from goex_proxy.stores.credential import Credential, Stored
from goex_proxy.stores.secret import Secret
from goex_proxy.stores.vault import Vault
from goex_proxy.stores.vault_key import KeyFile

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

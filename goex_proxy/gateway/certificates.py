"""The local certificate authority, and the leaves by which the gateway speaks for a service.

The CA's key stays in one file of mode 0600; leaves have a key of their own that lives in memory.
Leaves carry the Authority Key Identifier that strict verifiers ask for (RFC 5280, 4.2.1.1).
"""

import os
import ssl
from base64 import b64decode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from OpenSSL import crypto

KEY_FILE = "ca-key.pem"
CERTIFICATE_FILE = "ca.pem"
_CA_LIFE = timedelta(days=3650)
_LEAF_LIFE = timedelta(days=190)
_CLOCK_SKEW = timedelta(days=2)
_BEGIN, _END = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"
_USUAL_PLACES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


class CertificateError(Exception):
    """A certificate or key file that cannot be used: which, why, and what to do."""


@dataclass(frozen=True, slots=True)
class Leaf:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def __repr__(self) -> str:
        return f"Leaf({self.certificate.serial_number:x})"


class Authority:
    """The CA: makes leaves. Not a store: leaves are kept by whoever asks for them."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        self._key = key
        self._leaf_key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = certificate
        self.pem = certificate.public_bytes(Encoding.PEM)

    def __repr__(self) -> str:
        return f"Authority({self.certificate.serial_number:x})"

    def leaf(self, host: str) -> Leaf:
        """A certificate for one host name or IP address."""
        name: x509.GeneralName
        try:
            name = x509.IPAddress(ip_address(host))
        except ValueError:
            name = x509.DNSName(host)
        common = [x509.NameAttribute(NameOID.COMMON_NAME, host)] if len(host) < 64 else []
        issuer = self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        built = (
            _builder(_LEAF_LIFE)
            .subject_name(x509.Name(common))
            .issuer_name(self.certificate.subject)
            .public_key(self._leaf_key.public_key())
            .add_extension(x509.SubjectAlternativeName([name]), critical=not common)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer.value),
                critical=False,
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
        )
        return Leaf(built.sign(self._key, hashes.SHA256()), self._leaf_key)


def open_authority(directory: Path) -> Authority:
    """The CA kept in a directory, made there the first time. Raises CertificateError."""
    key_file, certificate_file = directory / KEY_FILE, directory / CERTIFICATE_FILE
    if not key_file.exists() and not certificate_file.exists():
        _make(directory)
    try:
        open_to_others = key_file.stat().st_mode & 0o077
        key = load_pem_private_key(key_file.read_bytes(), None)
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
    except (OSError, ValueError, TypeError) as error:
        raise CertificateError(
            f"{directory}: the CA cannot be read ({type(error).__name__}); restore {KEY_FILE} and "
            f"{CERTIFICATE_FILE}, or delete both to make a new CA"
        ) from None
    if open_to_others:
        raise CertificateError(
            f"{key_file}: others may read the CA's key; chmod 600 it, or delete it and "
            f"{certificate_file.name} to make a new CA"
        )
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise CertificateError(f"{key_file}: not an elliptic-curve key; delete it and {directory}")
    if key.public_key() != certificate.public_key():
        raise CertificateError(f"{directory}: {KEY_FILE} is not the key of {CERTIFICATE_FILE}")
    if certificate.not_valid_after_utc < datetime.now(UTC):
        raise CertificateError(f"{certificate_file}: expired; delete it and {KEY_FILE}")
    return Authority(key, certificate)


def _make(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "goex-proxy local CA")])
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        _builder(_CA_LIFE)
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(
        directory / KEY_FILE,
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        0o600,
    )
    _write(directory / CERTIFICATE_FILE, certificate.public_bytes(Encoding.PEM), 0o644)


def _builder(life: timedelta) -> x509.CertificateBuilder:
    start = datetime.now(UTC) - _CLOCK_SKEW
    return (
        x509.CertificateBuilder()
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + life)
    )


def _write(path: Path, data: bytes, mode: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def system_roots() -> bytes:
    """The roots this machine trusts, as PEM. Raises CertificateError if there are none."""
    found = ssl.get_default_verify_paths()
    for place in (found.cafile, *_USUAL_PLACES):
        if place and Path(place).is_file():
            return Path(place).read_bytes()
    raise CertificateError(
        "no file of trusted root certificates was found; install ca-certificates or set "
        "SSL_CERT_FILE"
    )


def bundle(*sources: bytes) -> bytes:
    """Several PEM texts as one: each certificate once, whatever is malformed left out."""
    found = dict.fromkeys(der for source in sources for der in certificates_in(source))
    return b"".join(ssl.DER_cert_to_PEM_cert(der).encode() for der in found)


def certificates_in(pem: bytes) -> list[bytes]:
    """The certificates of a PEM text, as DER; what OpenSSL cannot load is left out.

    Read by OpenSSL, which accepts some old roots that stricter parsers refuse.
    """
    found = []
    for piece in pem.split(_BEGIN)[1:]:
        body, end, _ = piece.partition(_END)
        try:
            der = b64decode(body if end else b"")
            crypto.load_certificate(crypto.FILETYPE_ASN1, der)
        except (ValueError, crypto.Error):
            continue
        found.append(der)
    return found

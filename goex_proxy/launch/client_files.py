"""The files that some clients want besides variables: a Java trust store and a wgetrc."""

import os
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

TRUSTSTORE_PASSWORD = "changeit"  # noqa: S105 - Java's own default; it guards public certificates


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientFiles:
    """What clients read: nothing secret, and to stay readable in a view (`HidePlan.keep`)."""

    ca: Path
    """Our certificate alone, for clients that add to the system's roots."""
    bundle: Path
    """The system's roots and ours, for clients that replace them."""
    truststore: Path
    wgetrc: Path

    @property
    def paths(self) -> tuple[Path, ...]:
        return (self.ca, self.bundle, self.truststore, self.wgetrc)


def client_files(directory: Path, *, ca: Path, bundle: Path) -> ClientFiles:
    """The names of the files in a directory; `write_client_files` makes the last two."""
    return ClientFiles(
        ca=ca,
        bundle=bundle,
        truststore=directory / "truststore.p12",
        wgetrc=directory / "wgetrc",
    )


def write_client_files(files: ClientFiles) -> None:
    """Make trust store and wgetrc from the bundle; to be repeated when the bundle changes.

    Raises OSError, or ValueError if the bundle holds no readable certificate.
    """
    _replace(files.truststore, java_truststore(files.bundle.read_bytes()))
    _replace(files.wgetrc, f"ca_certificate = {files.bundle}\n".encode())


def java_truststore(bundle: bytes) -> bytes:
    """The certificates of a PEM bundle as PKCS#12 that Java trusts (Oracle's trusted-key usage)."""
    # Both take 50 ms to import, and a launch that finds its files needs neither.
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
        BestAvailableEncryption,
        pkcs12,
    )
    from cryptography.utils import CryptographyDeprecationWarning  # noqa: PLC0415

    with warnings.catch_warnings():
        # Some of the system's roots are old and bend rules of today; they are not ours to judge.
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        certificates = x509.load_pem_x509_certificates(bundle)
    entries = [
        pkcs12.PKCS12Certificate(certificate, f"goex-{number}".encode())
        for number, certificate in enumerate(certificates)
    ]
    encryption = BestAvailableEncryption(TRUSTSTORE_PASSWORD.encode())
    return pkcs12.serialize_java_truststore(entries, encryption)


def _replace(path: Path, content: bytes) -> None:
    # Written aside and renamed: an agent that starts meanwhile reads the old file or the new one.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise

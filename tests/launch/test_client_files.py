"""The trust store is read by Java itself, where it is here."""

import datetime
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from goex_proxy.launch.client_files import TRUSTSTORE_PASSWORD, client_files, write_client_files


def certificate(name: str) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def test_the_files_are_made_from_the_bundle_and_java_trusts_them(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(certificate("one") + certificate("two"))
    files = client_files(tmp_path, ca=tmp_path / "ca.pem", bundle=bundle)
    write_client_files(files)
    assert files.wgetrc.read_text() == f"ca_certificate = {bundle}\n"
    assert {path.name for path in tmp_path.iterdir()} == {"bundle.pem", "truststore.p12", "wgetrc"}
    keytool = shutil.which("keytool")
    if keytool is None:
        pytest.skip("no keytool on this machine")
    line = [keytool, "-list", "-keystore", str(files.truststore), "-storepass", TRUSTSTORE_PASSWORD]
    said = subprocess.run(line, capture_output=True, text=True, check=True).stdout
    assert said.count("trustedCertEntry") == 2


def test_a_bundle_without_certificates_makes_no_file(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("nothing")
    files = client_files(tmp_path, ca=bundle, bundle=bundle)
    with pytest.raises(ValueError, match=r"."):
        write_client_files(files)
    assert [path.name for path in tmp_path.iterdir()] == ["bundle.pem"]

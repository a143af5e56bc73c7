"""The local CA: made once, kept private, and good enough for strict verifiers."""

import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509

from goex_proxy.gateway.certificates import (
    CERTIFICATE_FILE,
    KEY_FILE,
    Authority,
    CertificateError,
    bundle,
    open_authority,
    system_roots,
)
from tests.gateway.bed import server_context


def handshake(authority: Authority, leaf_host: str, asked: str) -> None:
    """A TLS handshake in memory with all that Python 3.13 asks for by default."""
    client = ssl.create_default_context(cadata=authority.pem.decode())
    client.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(to_client, to_server, server_hostname=asked)
    answering = server_context(authority, leaf_host).wrap_bio(
        to_server, to_client, server_side=True
    )
    done: set[ssl.SSLObject] = set()
    for _ in range(10):
        for side in (asking, answering):
            try:
                side.do_handshake()
                done.add(side)
            except ssl.SSLWantReadError:
                continue
        if len(done) == 2:
            return
    raise AssertionError("the handshake did not end")


@pytest.mark.parametrize("host", ["api.example.com", "127.0.0.1", "::1", "a" * 63 + ".example"])
def test_a_leaf_passes_a_strict_verifier(tmp_path: Path, host: str) -> None:
    handshake(open_authority(tmp_path), host, host)


def test_a_leaf_is_for_one_host_only(tmp_path: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(open_authority(tmp_path), "api.example.com", "other.example.com")


def test_the_key_is_private_and_the_same_ca_is_found_again(tmp_path: Path) -> None:
    first = open_authority(tmp_path / "ca")
    assert stat.S_IMODE((tmp_path / "ca" / KEY_FILE).stat().st_mode) == 0o600
    assert open_authority(tmp_path / "ca").pem == first.pem


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    open_authority(tmp_path)
    (tmp_path / KEY_FILE).chmod(0o644)
    with pytest.raises(CertificateError, match="chmod 600"):
        open_authority(tmp_path)


@pytest.mark.parametrize("name", [KEY_FILE, CERTIFICATE_FILE])
@pytest.mark.parametrize("how", ["missing", "garbage", "another"])
def test_a_damaged_ca_is_said_and_not_replaced(tmp_path: Path, name: str, how: str) -> None:
    open_authority(tmp_path)
    open_authority(tmp_path / "other")
    damaged = tmp_path / name
    data = (tmp_path / "other" / name).read_bytes()
    damaged.unlink()
    if how != "missing":
        damaged.write_bytes(data if how == "another" else b"?")
        damaged.chmod(0o600)
    with pytest.raises(CertificateError):
        open_authority(tmp_path)


def test_a_ca_prints_no_key(tmp_path: Path) -> None:
    authority = open_authority(tmp_path)
    assert "PRIVATE" not in repr(authority) + repr(authority.leaf("a.example"))


def test_a_bundle_has_each_certificate_once_and_nothing_malformed(tmp_path: Path) -> None:
    one, two = open_authority(tmp_path / "1").pem, open_authority(tmp_path / "2").pem
    broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    made = bundle(one, b"# a comment\n" + broken + two + one, two[:-40], b"")
    assert len(x509.load_pem_x509_certificates(made)) == 2


def test_this_machine_trusts_somebody() -> None:
    assert bundle(system_roots()).count(b"BEGIN CERTIFICATE") > 10

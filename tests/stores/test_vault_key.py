"""Where the vault's key comes from, and what is refused as one."""

import os
import stat
from pathlib import Path

import pytest

from goex_proxy.stores.secret import Secret
from goex_proxy.stores.vault_key import (
    KEY_BYTES,
    KeyFile,
    Passphrase,
    VaultError,
    require_private,
    sync_directory,
)

SALT = b"a salt of a vault"


@pytest.mark.parametrize("umask", [0, 0o777])
def test_a_key_file_is_for_its_owner_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    file = KeyFile(tmp_path / "vault.key")
    before = os.umask(umask)
    try:
        file.create()
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert file.key(SALT).reveal() == file.path.read_bytes()
    assert len(file.path.read_bytes()) == KEY_BYTES


def test_two_key_files_have_different_keys_and_the_salt_is_no_matter(tmp_path: Path) -> None:
    one, other = KeyFile(tmp_path / "one"), KeyFile(tmp_path / "other")
    one.create()
    other.create()
    assert one.key(SALT) != other.key(SALT)
    assert one.key(SALT) == one.key(b"another salt")


def test_a_key_file_is_never_overwritten(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "vault.key")
    file.create()
    before = file.path.read_bytes()
    with pytest.raises(VaultError, match="File exists"):
        file.create()
    assert file.path.read_bytes() == before


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "nowhere" / "vault.key")
    with pytest.raises(VaultError, match=r"cannot make .*nowhere/vault\.key: No such file"):
        file.create()
    with pytest.raises(VaultError, match=r"cannot read .*restore it from your backup"):
        file.key(SALT)


def test_what_is_no_plain_file_is_no_key(tmp_path: Path) -> None:
    with pytest.raises(VaultError, match=r"cannot read the vault key .*Is a directory"):
        KeyFile(tmp_path).key(SALT)
    with pytest.raises(VaultError, match="not a plain file"):
        KeyFile(Path("/dev/null")).key(SALT)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610])
def test_a_key_that_others_can_read_or_write_is_refused_with_the_cure(
    tmp_path: Path, mode: int
) -> None:
    file = KeyFile(tmp_path / "vault.key")
    file.create()
    file.path.chmod(mode)
    with pytest.raises(VaultError, match=f"mode {mode:04o}.*chmod 600"):
        file.key(SALT)


def test_a_file_of_another_user_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "vault.key"
    KeyFile(path).create()
    ours = list(path.stat())
    ours[stat.ST_UID] += 1
    with pytest.raises(VaultError, match=f"belongs to user {ours[stat.ST_UID]}"):
        require_private(os.stat_result(ours), path)


def test_a_passphrase_and_a_salt_always_make_the_same_key_and_others_another() -> None:
    def key(passphrase: bytes, salt: bytes, cost: int = 2**4) -> Secret:
        return Passphrase(Secret(passphrase), cost).key(salt)

    first = key(b"correct horse", SALT)
    assert first == key(b"correct horse", SALT)
    assert len(first.reveal()) == KEY_BYTES
    assert first != key(b"correct horsf", SALT)
    assert first != key(b"correct horse", SALT[::-1])
    assert first != key(b"correct horse", SALT, 2**5)


def test_a_passphrase_is_stretched_by_scrypt_of_rfc_7914() -> None:
    """Parameters and order: a vault must open with the passphrase it was made with."""
    found = Passphrase(Secret(b"pleaseletmein"), 2**14).key(b"SodiumChloride").reveal()
    assert found.hex() == "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"


def test_a_stretched_key_costs_an_attacker_128_mib() -> None:
    assert Passphrase(Secret(b"x" * 8)).cost == 2**17


def test_a_short_passphrase_is_refused_and_never_shown() -> None:
    short = Passphrase(Secret(b"hunter2"))
    with pytest.raises(VaultError, match="at least 8 bytes") as caught:
        short.key(SALT)
    assert "hunter2" not in f"{caught.value}{short!r}"


def test_a_directory_that_cannot_be_synced_is_an_error(tmp_path: Path) -> None:
    sync_directory(tmp_path)
    with pytest.raises(FileNotFoundError):
        sync_directory(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        sync_directory(tmp_path / "file")

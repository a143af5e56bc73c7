"""The vault keeps secrets, and says clearly when it cannot."""

import os
import sqlite3
import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from goex_proxy.stores.credential import Credential, FromCommand, FromEnvironment, Stored
from goex_proxy.stores.secret import Secret
from goex_proxy.stores.vault import Vault
from goex_proxy.stores.vault_key import KeyFile, Passphrase, VaultError

VALUE = b"ghp_" + b"R" * 36


def template(name: str = "github", placeholder: str = "ghp_PLACEHOLDER") -> Credential:
    return Credential(
        id="", version=0, name=name, service="github", hosts=("api.github.com",),
        slots=("bearer",), placeholder=placeholder, variables=("GH_TOKEN",),
    )  # fmt: skip


@pytest.fixture
def key(tmp_path: Path) -> KeyFile:
    made = KeyFile(tmp_path / "vault.key")
    made.create()
    return made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vault.db"


def test_a_credential_comes_back_as_it_was_added(path: Path, key: KeyFile) -> None:
    vault = Vault.create(path, key)
    added = vault.add(template(), Stored(Secret(VALUE)))
    vault.close()
    again = Vault.open(path, key)
    credential, source = again.source(added.id)
    assert credential == added == again.get("github") == again.credentials()[0]
    assert isinstance(source, Stored)
    assert source.value.reveal() == VALUE
    again.close()


def test_the_value_is_nowhere_in_the_files(path: Path, key: KeyFile) -> None:
    vault = Vault.create(path, key)
    added = vault.add(template(), Stored(Secret(VALUE)))
    vault.rotate(added.id, Stored(Secret(VALUE[::-1])))
    vault.close()
    for file in path.parent.iterdir():
        assert VALUE not in file.read_bytes()
        assert VALUE[::-1] not in file.read_bytes()


def test_files_are_for_their_owner_only(path: Path, key: KeyFile) -> None:
    Vault.create(path, key).close()
    for file in (path, key.path):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("which", ["vault.db", "vault.key"])
def test_loose_permissions_are_refused_and_the_cure_is_named(
    path: Path, key: KeyFile, which: str
) -> None:
    Vault.create(path, key).close()
    (path.parent / which).chmod(0o640)
    with pytest.raises(VaultError, match="chmod 600"):
        Vault.open(path, key)


def test_another_key_does_not_open_it(path: Path, key: KeyFile, tmp_path: Path) -> None:
    Vault.create(path, key).close()
    other = KeyFile(tmp_path / "other.key")
    other.create()
    with pytest.raises(VaultError, match="key is not the right one"):
        Vault.open(path, other)


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 33])
def test_a_key_file_of_another_size_is_refused(path: Path, key: KeyFile, content: bytes) -> None:
    Vault.create(path, key).close()
    key.path.write_bytes(content)
    with pytest.raises(VaultError, match="not a vault key"):
        Vault.open(path, key)


def test_a_missing_key_or_vault_is_named(path: Path, key: KeyFile) -> None:
    with pytest.raises(VaultError, match="goex init"):
        Vault.open(path, key)
    Vault.create(path, key).close()
    key.path.unlink()
    with pytest.raises(VaultError, match=r"cannot read the vault key .*vault\.key"):
        Vault.open(path, key)


def test_nothing_is_made_over_an_existing_file(path: Path, key: KeyFile) -> None:
    Vault.create(path, key).close()
    with pytest.raises(VaultError):
        Vault.create(path, key)
    with pytest.raises(VaultError):
        key.create()


def test_a_passphrase_works_like_a_key_file(path: Path) -> None:
    good = Passphrase(Secret(b"correct horse battery"), cost=2**10)
    vault = Vault.create(path, good)
    added = vault.add(template(), Stored(Secret(VALUE)))
    vault.close()
    again = Vault.open(path, good)
    assert again.source(added.id)[1] == Stored(Secret(VALUE))
    again.close()
    with pytest.raises(VaultError, match="key is not the right one"):
        Vault.open(path, Passphrase(Secret(b"wrong horse battery"), cost=2**10))


def test_a_failed_creation_leaves_no_file(path: Path) -> None:
    with pytest.raises(VaultError, match="at least 8"):
        Vault.create(path, Passphrase(Secret(b"short")))
    assert not path.exists()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("hosts", '["evil.example"]'),
        ("agents", '["other"]'),
        ("slots", '["header:x-echo"]'),
        ("version", 7),
        ("source", "command"),
        ("sealed", b"\0" * 60),
        ("sealed", b""),
    ],
)
def test_a_row_that_was_edited_does_not_open(
    path: Path, key: KeyFile, column: str, value: object
) -> None:
    vault = Vault.create(path, key)
    added = vault.add(template(), Stored(Secret(VALUE)))
    _sql(path, f"UPDATE credential SET {column} = ?", value)
    for use in (vault.source, vault.revoke, lambda id: vault.rotate(id, Stored(Secret(b"x")))):
        with pytest.raises(VaultError, match="tampered"):
            use(added.id)
    vault.close()


def test_a_revocation_cannot_be_edited_away(path: Path, key: KeyFile) -> None:
    vault = Vault.create(path, key)
    added = vault.add(template(), Stored(Secret(VALUE)))
    assert vault.revoke(added.id).revoked is not None
    vault.source(added.id)
    _sql(path, "UPDATE credential SET revoked = ?", None)
    with pytest.raises(VaultError, match="tampered"):
        vault.source(added.id)
    vault.close()


def test_values_of_two_rows_cannot_be_exchanged(path: Path, key: KeyFile) -> None:
    vault = Vault.create(path, key)
    one = vault.add(template("one", "p1"), Stored(Secret(VALUE)))
    two = vault.add(template("two", "p2"), Stored(Secret(VALUE[::-1])))
    db = sqlite3.connect(path)
    sealed = db.execute("SELECT sealed FROM credential WHERE id = ?", (one.id,)).fetchone()[0]
    db.execute("UPDATE credential SET sealed = ? WHERE id = ?", (sealed, two.id))
    db.commit()
    db.close()
    with pytest.raises(VaultError, match="tampered"):
        vault.source(two.id)
    vault.close()


def test_rotation_keeps_id_and_placeholder(path: Path, key: KeyFile) -> None:
    vault = Vault.create(path, key)
    added = vault.add(template(), Stored(Secret(VALUE)))
    rotated = vault.rotate(added.id, FromCommand(("printf", "x"), 5.0), principal="octocat")
    assert (rotated.id, rotated.placeholder) == (added.id, added.placeholder)
    assert (rotated.version, rotated.source, rotated.principal) == (2, "command", "octocat")
    assert vault.source(added.id) == (rotated, FromCommand(("printf", "x"), 5.0))
    vault.close()


def test_amending_keeps_the_value(path: Path, key: KeyFile) -> None:
    vault = Vault.create(path, key)
    added = vault.add(template(), FromEnvironment("REAL_TOKEN"))
    vault.amend(replace(added, hosts=("api.github.com", "uploads.github.com")))
    credential, source = vault.source(added.id)
    assert credential.hosts == ("api.github.com", "uploads.github.com")
    assert source == FromEnvironment("REAL_TOKEN")
    vault.close()


def test_names_and_placeholders_are_unique(path: Path, key: KeyFile) -> None:
    vault = Vault.create(path, key)
    vault.add(template(), Stored(Secret(VALUE)))
    with pytest.raises(VaultError, match="this name is there already"):
        vault.add(template(placeholder="other"), Stored(Secret(VALUE)))
    with pytest.raises(VaultError, match="this placeholder is there already"):
        vault.add(template(name="other"), Stored(Secret(VALUE)))
    assert len(vault.credentials()) == 1
    vault.close()


def test_a_removed_credential_is_gone(path: Path, key: KeyFile) -> None:
    vault = Vault.create(path, key)
    added = vault.add(template(), Stored(Secret(VALUE)))
    vault.remove(added.id)
    assert vault.credentials() == ()
    for use in (vault.remove, vault.source, vault.get):
        with pytest.raises(VaultError, match="no credential"):
            use(added.id)
    vault.close()


def test_changes_are_seen_from_another_process_but_uses_are_not_changes(
    path: Path, key: KeyFile
) -> None:
    vault, other = Vault.create(path, key), Vault.open(path, key)
    before = vault.generation()
    added = other.add(template(), Stored(Secret(VALUE)))
    assert vault.generation() == before + 1
    vault.touch({added.id: datetime(2026, 11, 21, 12, tzinfo=UTC)})
    assert vault.generation() == before + 1
    assert other.source(added.id)[0].last_used == "2026-11-21T12:00:00Z"
    vault.close()
    other.close()


def test_a_failed_change_changes_nothing(path: Path, key: KeyFile) -> None:
    vault = Vault.create(path, key)
    with pytest.raises(VaultError):
        vault.remove("cr_none")
    assert vault.generation() == 0
    vault.close()


def test_a_locked_or_damaged_vault_is_a_clear_error(path: Path, key: KeyFile) -> None:
    Vault.create(path, key).close()
    with path.open("r+b") as file:
        file.write(b"not a database at all")
    with pytest.raises(VaultError, match=r"the vault .*not a database"):
        Vault.open(path, key)


def test_a_newer_vault_is_refused(path: Path, key: KeyFile) -> None:
    Vault.create(path, key).close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(VaultError, match="newer goex-proxy"):
        Vault.open(path, key)


def test_a_link_or_another_users_file_is_refused(path: Path, key: KeyFile, tmp_path: Path) -> None:
    Vault.create(path, key).close()
    link = tmp_path / "link.db"
    link.symlink_to(path)
    with pytest.raises(VaultError, match="not a plain file"):
        Vault.open(link, key)
    if os.geteuid() == 0:
        os.chown(path, 65534, 65534)
        with pytest.raises(VaultError, match="belongs to user 65534"):
            Vault.open(path, key)


def _sql(path: Path, statement: str, value: object) -> None:
    db = sqlite3.connect(path)
    db.execute(statement, (value,))
    db.commit()
    db.close()

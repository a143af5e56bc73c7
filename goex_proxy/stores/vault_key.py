"""Where the key of the vault comes from: a 0600 file, or a passphrase."""

import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from goex_proxy.stores.secret import Secret

KEY_BYTES = 32
_SHORTEST_PASSPHRASE = 8


class VaultError(Exception):
    """The vault cannot do what was asked: what happened, where, and what to do. Never a value."""


class KeySource(Protocol):
    def key(self, salt: bytes) -> Secret:
        """The 32 bytes of the key. `salt` is the vault's own. Raises VaultError."""


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A file of 32 random bytes that only its owner may read. It ignores the salt."""

    path: Path

    def create(self) -> None:
        """Make the file, durably. Raises VaultError if there is one: it is never overwritten."""
        try:
            fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise VaultError(f"cannot make the vault key {self.path}: {error.strerror}") from None
        with os.fdopen(fd, "wb") as file:
            os.fchmod(fd, 0o600)
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(fd)
        sync_directory(self.path.parent)

    def key(self, salt: bytes) -> Secret:
        try:
            with self.path.open("rb") as file:
                require_private(os.fstat(file.fileno()), self.path)
                value = file.read(KEY_BYTES + 1)
        except OSError as error:
            raise VaultError(
                f"cannot read the vault key {self.path}: {error.strerror}; "
                "restore it from your backup, or make a new vault with `goex init`"
            ) from None
        if len(value) != KEY_BYTES:
            raise VaultError(f"{self.path} is not a vault key: it must hold {KEY_BYTES} bytes")
        return Secret(value)


@dataclass(frozen=True, slots=True)
class Passphrase:
    """A passphrase, stretched by scrypt (RFC 7914; n 2^17, r 8, p 1: 128 MiB, some 0.3 s)."""

    passphrase: Secret
    cost: int = 2**17

    def key(self, salt: bytes) -> Secret:
        value = self.passphrase.reveal()
        if len(value) < _SHORTEST_PASSPHRASE:
            raise VaultError(f"a passphrase has at least {_SHORTEST_PASSPHRASE} bytes")
        return Secret(Scrypt(salt=salt, length=KEY_BYTES, n=self.cost, r=8, p=1).derive(value))


def require_private(status: os.stat_result, path: Path) -> None:
    """Raises VaultError unless it is a plain file of ours that nobody else may read or write."""
    if not stat.S_ISREG(status.st_mode):
        raise VaultError(f"{path} is not a plain file")
    if status.st_mode & 0o077:
        mode = stat.S_IMODE(status.st_mode)
        raise VaultError(f"{path} can be read by others (mode {mode:04o}): `chmod 600 {path}`")
    if status.st_uid != os.geteuid():
        raise VaultError(f"{path} belongs to user {status.st_uid}, not to {os.geteuid()}")


def sync_directory(path: Path) -> None:
    """Make a new name in a directory durable."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)

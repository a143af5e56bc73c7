"""How a row of the vault is sealed: AES-256-GCM over the source, bound to all that limits it."""

import json
import secrets
from dataclasses import asdict
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from goex_proxy.stores.credential import (
    Credential,
    FromCommand,
    FromEnvironment,
    Source,
    Stored,
)
from goex_proxy.stores.secret import Secret
from goex_proxy.stores.vault_key import VaultError

_NONCE_BYTES = 12
_UNBOUND = frozenset({"last_used"})


def seal(key: Secret, plain: bytes, bound: bytes) -> bytes:
    """A fresh nonce, then ciphertext and tag (NIST SP 800-38D)."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key.reveal()).encrypt(nonce, plain, bound)


def unseal(key: Secret, sealed: bytes, bound: bytes, what: str) -> bytes:
    """Raises VaultError if the key, the bytes or what they are bound to differ."""
    try:
        return AESGCM(key.reveal()).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound)
    except (InvalidTag, ValueError):
        raise VaultError(f"{what}: the key is not the right one, or it was tampered with") from None


def bound_to(credential: Credential) -> bytes:
    """What a value is sealed for: id and version, and also where, how and by whom it is used.

    So a row whose hosts were edited in the file does not open.
    """
    fields = {name: value for name, value in asdict(credential).items() if name not in _UNBOUND}
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()


def source_kind(source: Source) -> str:
    match source:
        case Stored():
            return "stored"
        case FromEnvironment():
            return "env"
        case FromCommand():
            return "command"


def pack(source: Source) -> bytes:
    match source:
        case Stored(value):
            return value.reveal()
        case FromEnvironment(variable):
            return variable.encode()
        case FromCommand(argv, ttl):
            return json.dumps({"argv": list(argv), "ttl": ttl}).encode()


def unpack(kind: str, plain: bytes) -> Source:
    match kind:
        case "stored":
            return Stored(Secret(plain))
        case "env":
            return FromEnvironment(plain.decode())
        case "command":
            fields: dict[str, Any] = json.loads(plain)
            return FromCommand(tuple(fields["argv"]), float(fields["ttl"]))
        case _:
            raise VaultError(f"unknown kind of source {kind!r}: made by a newer goex-proxy?")

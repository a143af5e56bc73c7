"""Payloads under lock: AES-256-GCM in frames of 1 MiB, under the key of their entry.

A frame is `nonce (12) | ciphertext | tag (16)`. Its associated data name the blob, the number of
the frame and how many there are, so frames cannot be swapped, dropped or passed off as another
blob's; between events of one entry the keyed hash in the event tells blobs apart. Nonces are
random: an entry has some dozens of frames, far below the 2^32 bound (NIST SP 800-38D, 8.3).
"""

import hashlib
import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from goex_proxy.stores.journal_errors import JournalCorrupt
from goex_proxy.stores.rows import FRAME_BYTES, MAX_FRAMES, Blob

KEY_BYTES = 64
_NONCE = 12
OVERHEAD = _NONCE + 16


@dataclass(frozen=True)
class EntryKey:
    """The key of one entry: the first half encrypts, the second keys the hashes."""

    id: int
    secret: bytes = field(repr=False)

    @cached_property
    def cipher(self) -> AESGCM:
        """Made once: an entry has several payloads."""
        return AESGCM(self.secret[:32])

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise JournalCorrupt(f"key {self.id} in keys.db has {len(self.secret)} bytes, not 64")


def frame_count(size: int) -> int:
    """How many frames a payload of so many bytes has: at least one."""
    return max(1, -(-size // FRAME_BYTES))


def keyed_hash(key: EntryKey, data: bytes) -> str:
    """BLAKE2b (RFC 7693) keyed with the second half of the key, 128 bits, hexadecimal."""
    return hashlib.blake2b(
        data, key=key.secret[32:], digest_size=16, person=b"goex-blob"
    ).hexdigest()


def seal(key: EntryKey, blob: Blob) -> list[bytes]:
    """The frames of a payload. ValueError above 64 MiB."""
    count = frame_count(len(blob.data))
    if count > MAX_FRAMES:
        raise ValueError(f"blob {blob.name!r} has {len(blob.data)} bytes; the most is 64 MiB")
    cipher = key.cipher
    view = memoryview(blob.data)
    frames = []
    for number in range(count):
        nonce = os.urandom(_NONCE)
        plain = view[number * FRAME_BYTES : (number + 1) * FRAME_BYTES]
        frames.append(nonce + cipher.encrypt(nonce, plain, _bound_to(blob.name, number, count)))
    return frames


def unseal(key: EntryKey, name: str, expected_hash: str, frames: Sequence[bytes]) -> bytes:
    """The payload; JournalCorrupt if a frame or the hash is not what was written."""
    cipher = key.cipher
    plain = []
    for number, frame in enumerate(frames):
        bound = _bound_to(name, number, len(frames))
        try:
            plain.append(cipher.decrypt(frame[:_NONCE], frame[_NONCE:], bound))
        except (InvalidTag, ValueError) as error:
            raise JournalCorrupt(f"blob {name!r}: frame {number} was altered") from error
    data = b"".join(plain)
    if not hmac.compare_digest(keyed_hash(key, data), expected_hash):
        raise JournalCorrupt(f"blob {name!r} is not the one its event names")
    return data


def _bound_to(name: str, number: int, count: int) -> bytes:
    return f"goex1|{number}/{count}|{name}".encode("utf-8", "surrogatepass")

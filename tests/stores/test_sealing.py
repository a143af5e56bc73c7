"""Frames of a payload: what was altered, moved or exchanged does not open."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.stores.journal_errors import JournalCorrupt
from goex_proxy.stores.rows import FRAME_BYTES, MAX_FRAMES, Blob
from goex_proxy.stores.sealing import (
    KEY_BYTES,
    OVERHEAD,
    EntryKey,
    frame_count,
    keyed_hash,
    seal,
    unseal,
)

KEY = EntryKey(1, os.urandom(KEY_BYTES))
THREE = os.urandom(2 * FRAME_BYTES + 5)


@pytest.mark.parametrize("size", [0, 1, FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1])
def test_a_payload_of_any_size_comes_back(size: int) -> None:
    data = os.urandom(size)
    frames = seal(KEY, Blob(name="request", data=data))
    assert len(frames) == frame_count(size)
    assert sum(map(len, frames)) == size + len(frames) * OVERHEAD
    assert unseal(KEY, "request", keyed_hash(KEY, data), frames) == data


def test_a_payload_of_more_than_64_frames_is_refused() -> None:
    with pytest.raises(ValueError, match="the most is 64 MiB"):
        seal(KEY, Blob(name="image", data=bytes(MAX_FRAMES * FRAME_BYTES + 1)))


def test_the_same_payload_never_looks_the_same() -> None:
    blob = Blob(name="request", data=b"x" * 100)
    assert not set(seal(KEY, blob)) & set(seal(KEY, blob))


def test_any_name_is_sealed_and_bound() -> None:
    name = "before:\ud800|1/2"
    frames = seal(KEY, Blob(name=name, data=b"x"))
    assert unseal(KEY, name, keyed_hash(KEY, b"x"), frames) == b"x"
    with pytest.raises(JournalCorrupt, match="frame 0 was altered"):
        unseal(KEY, "before:?|1/2", keyed_hash(KEY, b"x"), frames)


@pytest.mark.parametrize(
    "order", [[1, 0, 2], [0, 1], [0, 1, 1], [0, 1, 2, 2], []], ids=["swapped", "cut", "doubled", "longer", "none"]
)  # fmt: skip
def test_frames_that_were_moved_dropped_or_doubled_are_found(order: list[int]) -> None:
    frames = seal(KEY, Blob(name="image", data=THREE))
    word = r"frame \d was altered" if order else "not the one its event names"
    with pytest.raises(JournalCorrupt, match=word):
        unseal(KEY, "image", keyed_hash(KEY, THREE), [frames[index] for index in order])


@given(st.integers(0, 40), st.integers(1, 255))
def test_any_changed_byte_is_found(where: int, by: int) -> None:
    (frame,) = seal(KEY, Blob(name="r", data=b"thirteen byte"))
    altered = bytearray(frame)
    altered[where] ^= by
    with pytest.raises(JournalCorrupt, match="frame 0 was altered"):
        unseal(KEY, "r", keyed_hash(KEY, b"thirteen byte"), [bytes(altered)])


def test_a_frame_that_is_too_short_to_be_one_is_altered() -> None:
    with pytest.raises(JournalCorrupt, match="frame 0"):
        unseal(KEY, "r", keyed_hash(KEY, b""), [b"abc"])


def test_a_payload_of_the_same_name_from_another_event_is_not_the_one_named() -> None:
    old = seal(KEY, Blob(name="request", data=b"old"))
    with pytest.raises(JournalCorrupt, match="not the one its event names"):
        unseal(KEY, "request", keyed_hash(KEY, b"new"), old)


def test_another_key_neither_opens_nor_hashes_alike() -> None:
    other = EntryKey(1, os.urandom(KEY_BYTES))
    with pytest.raises(JournalCorrupt):
        unseal(other, "r", keyed_hash(KEY, b"x"), seal(KEY, Blob(name="r", data=b"x")))
    assert keyed_hash(other, b"x") != keyed_hash(KEY, b"x")


def test_the_two_halves_of_a_key_do_different_work() -> None:
    same_cipher = EntryKey(1, KEY.secret[:32] + os.urandom(32))
    assert keyed_hash(same_cipher, b"x") != keyed_hash(KEY, b"x")
    same_hash = EntryKey(1, os.urandom(32) + KEY.secret[32:])
    assert keyed_hash(same_hash, b"x") == keyed_hash(KEY, b"x")


@pytest.mark.parametrize("size", [0, 32, 63, 65])
def test_a_key_of_another_size_is_corrupt(size: int) -> None:
    with pytest.raises(JournalCorrupt, match=f"key 7 in keys.db has {size} bytes"):
        EntryKey(7, bytes(size))


def test_a_key_is_not_printed() -> None:
    assert repr(EntryKey(7, b"K" * 64)) == "EntryKey(id=7)"

"""Places of frames do not meet, and payloads are not printed."""

from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.stores.rows import (
    COLUMNS,
    COMMON,
    JSON,
    MAX_BLOBS,
    MAX_FRAMES,
    NO_HEAD,
    Blob,
    StoredEvent,
    as_it_is,
    frame_id,
)

blobs = st.tuples(st.integers(1, 2**40), st.integers(0, MAX_BLOBS - 1))


@given(blobs, blobs)
def test_the_frames_of_two_blobs_never_meet(one: tuple[int, int], other: tuple[int, int]) -> None:
    first, second = (range(frame_id(*blob), frame_id(*blob) + MAX_FRAMES) for blob in (one, other))
    assert (one == other) is bool(range(max(first[0], second[0]), min(first[-1], second[-1]) + 1))


@given(st.integers(1, 2**40))
def test_all_frames_of_an_event_lie_before_those_of_the_next(seq: int) -> None:
    assert frame_id(seq, MAX_BLOBS - 1) + MAX_FRAMES <= frame_id(seq + 1, 0)


def test_the_frames_of_the_last_event_that_a_journal_can_have_still_have_an_id() -> None:
    assert frame_id(2**46, MAX_BLOBS - 1) < 2**63, "SQLite's integers"


def test_payloads_are_not_in_a_repr() -> None:
    assert "attack" not in repr(Blob(name="request", data=b"attack at dawn"))
    event = StoredEvent(
        seq=1, entry=1, n=1, type="sent", version=1, fields={}, at="", mono=0, actor="",
        blobs=(), previous="", hash="", raw=b"attack at dawn",
    )  # fmt: skip
    assert "attack" not in repr(event)


def test_each_column_has_one_kind_and_common_values_are_of_columns() -> None:
    assert len(set(COLUMNS)) == len(COLUMNS)
    assert COMMON.keys() <= set(COLUMNS)


def test_the_head_of_nothing_is_no_hash_of_anything() -> None:
    assert (NO_HEAD.seq, len(NO_HEAD.hash), set(NO_HEAD.hash)) == (0, 64, {"0"})


def test_the_upcast_that_changes_nothing_changes_nothing() -> None:
    fields: dict[str, JSON] = {"a": [1]}
    assert as_it_is("sent", 3, fields) == ("sent", 3, {"a": [1]})

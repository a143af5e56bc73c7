import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.stores.event_bytes import (
    EventParts,
    Payload,
    Place,
    canonical,
    digest,
    rfc3339,
    stored,
)
from goex_proxy.stores.rows import JSON, NO_HEAD, Row, as_it_is

TEXTS = st.text(st.characters())  # lone surrogates too
VALUES: st.SearchStrategy[JSON] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | TEXTS
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
PLACE = Place(
    seq=7, entry=3, n=2, at=rfc3339(1_795_248_000_000_001), mono=12, previous=NO_HEAD.hash
)


@given(TEXTS, TEXTS, st.dictionaries(TEXTS, VALUES, max_size=4), TEXTS)
def test_spliced_bytes_are_the_canonical_ones_and_read_back(
    type: str, actor: str, fields: dict[str, JSON], name: str
) -> None:
    row = Row(type=type, version=4, fields=fields, actor=actor)
    raw = EventParts(row, [Payload(name=name, size=5, key=9, hash="ab")]).at(PLACE)
    assert raw == canonical(json.loads(raw)).encode("ascii")
    event = stored(raw, digest(raw), as_it_is)
    assert (event.type, event.actor, event.fields, event.version) == (type, actor, fields, 4)
    assert (event.seq, event.entry, event.n, event.at, event.mono) == (7, 3, 2, PLACE.at, 12)
    assert [(ref.name, ref.size, ref.key, ref.hash) for ref in event.blobs] == [(name, 5, 9, "ab")]


def test_a_time_is_written_with_microseconds_in_utc() -> None:
    assert PLACE.at == "2026-11-21T08:00:00.000001Z"


def test_what_json_cannot_say_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical({"x": float("inf")})
    with pytest.raises(TypeError):
        canonical({"x": b"bytes"})  # type: ignore[dict-item]

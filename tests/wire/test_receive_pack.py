"""What a push asks for, read from its first bytes and written without an object."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.core.decoded import BodyState
from goex_proxy.wire import receive_pack
from goex_proxy.wire.pktline import FLUSH, line

A, B, ZERO = "a" * 40, "b" * 40, "0" * 40
PUSH = line(f"{A} {B} refs/heads/main\0 report-status atomic agent=git/2".encode()) + FLUSH


def test_a_push_is_its_updates() -> None:
    body = (
        line(f"{A} {B} refs/heads/main\0 report-status side-band-64k atomic".encode())
        + line(f"{ZERO} {B} refs/heads/neu-ü".encode())
        + line(f"{A} {ZERO} refs/tags/v1\n".encode())
        + FLUSH
        + b"PACK..."
    )
    assert receive_pack.decode(body).args == {
        "updates": [
            {"ref": "refs/heads/main", "old": A, "new": B, "action": "update"},
            {"ref": "refs/heads/neu-ü", "old": ZERO, "new": B, "action": "create"},
            {"ref": "refs/tags/v1", "old": A, "new": ZERO, "action": "delete"},
        ],
        "capabilities": ["report-status", "side-band-64k", "atomic"],
        "atomic": True,
        "push_options": [],
    }


def test_gits_probe_updates_nothing() -> None:
    assert receive_pack.decode(FLUSH).args["updates"] == []


def test_push_options_stand_behind_the_commands() -> None:
    body = line(f"{A} {B} r\0 push-options".encode()) + FLUSH + line(b"ci.skip") + FLUSH
    assert receive_pack.decode(body).args["push_options"] == ["ci.skip"]


@pytest.mark.parametrize(
    ("body", "state"),
    [
        (PUSH[:-4], BodyState.INVALID),
        (PUSH[:50], BodyState.INVALID),
        (b"", BodyState.INVALID),
        (b"PACK", BodyState.INVALID),
        (line(b"hello") + FLUSH, BodyState.INVALID),
        (line(f"{A} {B} refs/heads/a b".encode()) + FLUSH, BodyState.INVALID),
        (line(f"{A} {B * 2} r".encode()[:145]) + FLUSH, BodyState.INVALID),
        (line(f"{A} {B} r\0x".encode()) + line(f"{B} {A} r".encode()) + FLUSH, BodyState.INVALID),
        (
            line(f"{A} {B} r\0x".encode()) + line(f"{B} {A} s\0y".encode()) + FLUSH,
            BodyState.INVALID,
        ),
        (line(f"{A} {B} r".encode() + b"\xff") + FLUSH, BodyState.UNSUPPORTED),
        (line(b"push-cert\0x") + line(b"certificate") + FLUSH, BodyState.UNSUPPORTED),
        (line(f"{A} {B} r".encode()) * 900, BodyState.TOO_LARGE),
    ],
)
def test_what_is_not_surely_a_push_says_so(body: bytes, state: BodyState) -> None:
    decoded = receive_pack.decode(body)
    assert (decoded.state, decoded.args) == (state, {})
    assert decoded.why


oids = st.sampled_from([A, B, ZERO])
names = st.text(st.sampled_from("abc/-ü"), min_size=1, max_size=12)
updates = st.lists(
    st.fixed_dictionaries({"ref": names, "old": oids, "new": oids}),
    min_size=1,
    max_size=5,
    unique_by=lambda u: u["ref"],
)


@given(updates, st.booleans())
def test_what_is_encoded_is_decoded_to_the_same(wanted: list[dict[str, str]], atomic: bool) -> None:
    body = receive_pack.encode({"updates": wanted, "atomic": atomic})
    args = receive_pack.decode(body).args
    assert isinstance(args["updates"], list)
    assert [{k: u[k] for k in ("ref", "old", "new")} for u in args["updates"]] == wanted
    assert args["atomic"] is atomic


def test_an_empty_pack_follows_unless_all_is_deleted() -> None:
    head = b"PACK\0\0\0\2\0\0\0\0"
    update = {"ref": "r", "old": B, "new": A}
    pack = receive_pack.encode({"updates": [update]}).partition(FLUSH)[2]
    assert pack.endswith(head + hashlib.sha1(head).digest())
    assert receive_pack.encode({"updates": [update | {"new": ZERO}]}).endswith(FLUSH)


@pytest.mark.parametrize(
    "given_", [None, [], "x", [{}], [{"ref": "a b", "old": A, "new": B}], [{"ref": "r", "old": A}]]
)
def test_updates_that_are_none_are_refused(given_: object) -> None:
    with pytest.raises(ValueError, match="git-receive-pack"):
        receive_pack.encode({"updates": given_})


@given(st.binary() | st.lists(st.binary(max_size=99).map(line)).map(b"".join))
def test_no_bytes_raise(data: bytes) -> None:
    receive_pack.decode(data)
    receive_pack.decode(data + FLUSH)
    receive_pack.decode(PUSH[:-4] + data + FLUSH)

"""A value of the vault opens only as what it was sealed for."""

import secrets
from dataclasses import fields, replace

import pytest

from goex_proxy.stores.credential import (
    Credential,
    FromCommand,
    FromEnvironment,
    Source,
    Stored,
)
from goex_proxy.stores.sealed_row import bound_to, pack, seal, source_kind, unpack, unseal
from goex_proxy.stores.secret import Secret
from goex_proxy.stores.vault_key import VaultError

KEY = Secret(secrets.token_bytes(32))
CREDENTIAL = Credential(
    id="c1", version=1, name="github", service="github", hosts=("api.github.com",),
    slots=("bearer",), placeholder="ghp_PLACEHOLDER",
)  # fmt: skip
SOURCES: list[Source] = [
    Stored(Secret(b"\0ghp_\xff")),
    FromEnvironment("GH_TOKEN"),
    FromCommand(("op", "read", "op://x/ü"), 12.5),
]


def test_what_was_sealed_opens_with_its_key_and_binding() -> None:
    sealed = seal(KEY, b"ghp_real", b"bound")
    assert unseal(KEY, sealed, b"bound", "c1") == b"ghp_real"
    assert b"ghp_real" not in sealed
    assert seal(KEY, b"ghp_real", b"bound") != sealed


def test_another_key_another_binding_or_other_bytes_are_refused_without_the_value() -> None:
    sealed = seal(KEY, b"ghp_real", b"bound")
    spoilt = sealed[:-1] + bytes([sealed[-1] ^ 1])
    other = Secret(secrets.token_bytes(32))
    for key, box, bound in (
        (other, sealed, b"bound"),
        (KEY, sealed, b"else"),
        (KEY, spoilt, b"bound"),
        (KEY, sealed[:20], b"bound"),
        (KEY, b"", b"bound"),
    ):
        with pytest.raises(VaultError, match="c1: the key is not the right one") as caught:
            unseal(key, box, bound, "c1")
        assert caught.value.__cause__ is None
        assert "ghp_real" not in str(caught.value)


@pytest.mark.parametrize("name", [field.name for field in fields(Credential)])
def test_every_field_limits_the_value_but_the_time_of_its_last_use(name: str) -> None:
    """A field added to `Credential` is bound too, without anybody thinking of it."""
    now = getattr(CREDENTIAL, name)
    changed: object = (*now, "x") if isinstance(now, tuple) else now + 1 if isinstance(now, int) else f"{now}x"  # fmt: skip
    edited = replace(CREDENTIAL, **{name: changed})  # type: ignore[arg-type]
    assert (bound_to(edited) == bound_to(CREDENTIAL)) is (name == "last_used")


def test_fields_cannot_be_shifted_into_each_other() -> None:
    one = replace(CREDENTIAL, hosts=("a", "b"), slots=())
    other = replace(CREDENTIAL, hosts=("a",), slots=("b",))
    joined = replace(CREDENTIAL, hosts=("a,b",), slots=())
    assert len({bound_to(one), bound_to(other), bound_to(joined)}) == 3


@pytest.mark.parametrize("source", SOURCES)
def test_each_kind_of_source_comes_back_from_its_bytes(source: Source) -> None:
    assert unpack(source_kind(source), pack(source)) == source


def test_a_kind_that_is_not_known_is_refused_without_the_value() -> None:
    with pytest.raises(VaultError, match="'hsm': made by a newer") as caught:
        unpack("hsm", b"ghp_real")
    assert "ghp_real" not in str(caught.value)

"""Whose credential it is, where it may go, and what may be seen of it."""

import asyncio
import sys
from base64 import b64encode
from pathlib import Path

import pytest

from goex_proxy.core.exchange import Headers, Origin, Request
from goex_proxy.credentials.enrol import enrol
from goex_proxy.credentials.keyring import Keyring
from goex_proxy.credentials.problem import CredentialRefusedError, Trouble
from goex_proxy.stores.credential import Credential, FromCommand, FromEnvironment, Stored
from goex_proxy.stores.secret import Secret
from goex_proxy.stores.vault import Vault
from goex_proxy.stores.vault_key import KeyFile, VaultError
from tests.credentials.conftest import REAL, Peer, Ring, a_request

REAL_TEXT = REAL.decode()


def bearer(value: str, scheme: str = "Bearer") -> tuple[str, str]:
    return "Authorization", f"{scheme} {value}"


def basic(user: str, password: str) -> tuple[str, str]:
    return "Authorization", "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def trouble(keyring: Keyring, request: Request, agent: str | None = None) -> Trouble | None:
    problem = keyring.inspect(request, agent).problem
    return problem.trouble if problem else None


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "token", "TOKEN"])
def test_a_bearer_placeholder_is_swapped(keyring: Keyring, github: Credential, scheme: str) -> None:
    request = a_request(("Accept", "*/*"), bearer(github.placeholder, scheme))
    auth = keyring.inspect(request, "anonymous")
    assert (auth.kind, auth.id, auth.problem) == ("ours", github.id, None)
    wire = keyring.swap(request, Peer())
    assert wire.headers.fields == (("Accept", "*/*"), bearer(REAL_TEXT, scheme))
    assert request.headers.get("authorization").endswith(github.placeholder)


@pytest.mark.parametrize("half", ["user", "password"])
def test_either_half_of_basic_is_swapped(keyring: Keyring, github: Credential, half: str) -> None:
    ours = github.placeholder
    pair = (ours, "x-oauth-basic") if half == "user" else ("octocat", ours)
    wanted = (REAL_TEXT, "x-oauth-basic") if half == "user" else ("octocat", REAL_TEXT)
    wire = keyring.swap(a_request(basic(*pair)), Peer())
    assert wire.headers.fields == (basic(*wanted),)


def test_a_header_slot_is_swapped_by_any_case_of_its_name(vault: Vault, ring: Ring) -> None:
    linear = enrol(
        vault, Stored(Secret(b"lin_api_canary00")), name="linear", service="linear",
        hosts=("api.linear.app",), slots=("header:Authorization", "header:X-Key"),
    )  # fmt: skip
    keyring = ring()
    for name, value in (("authorization", "{}"), ("Authorization", "Key {}"), ("X-KEY", "{}")):
        request = a_request((name, value.format(linear.placeholder)), host="api.linear.app")
        wire = keyring.swap(request, Peer(sni="api.linear.app"))
        assert wire.headers.fields == ((name, value.format("lin_api_canary00")),)


def test_an_anonymous_request_is_none_and_passes_as_it_is(keyring: Keyring) -> None:
    request = a_request(("Accept", "*/*"), target="/repos/a/b?per_page=3")
    assert keyring.inspect(request, None).kind == "none"
    assert keyring.swap(request, Peer()) is request


@pytest.mark.parametrize(
    ("host", "scheme", "port"),
    [
        ("evil.example", "https", None),
        ("api.github.com.evil.example", "https", None),
        ("evilapi.github.com", "https", None),
        ("github.com", "https", None),
        ("a.b.ghe.example.com", "https", None),
        ("ghe.example.com", "https", None),
        ("api.github.com", "https", 8443),
        ("api.github.com", "http", 443),
    ],
)
def test_a_placeholder_does_not_go_to_a_host_it_is_not_bound_to(
    keyring: Keyring, github: Credential, host: str, scheme: str, port: int | None
) -> None:
    request = a_request(bearer(github.placeholder), host=host, scheme=scheme, port=port)
    assert trouble(keyring, request) is Trouble.UNBOUND_HOST
    with pytest.raises(CredentialRefusedError, match="not bound"):
        keyring.swap(request, Peer(sni=host))


def test_a_wildcard_binding_covers_one_label(keyring: Keyring, github: Credential) -> None:
    request = a_request(bearer(github.placeholder), host="one.ghe.example.com")
    assert trouble(keyring, request) is None
    keyring.swap(request, Peer(sni="one.ghe.example.com"))


def test_plain_http_is_refused_before_and_at_the_swap(keyring: Keyring, github: Credential) -> None:
    request = a_request(bearer(github.placeholder), scheme="http")
    assert trouble(keyring, request) is Trouble.PLAINTEXT
    with pytest.raises(CredentialRefusedError):
        keyring.swap(request, Peer(tls_verified=False))


@pytest.mark.parametrize(
    "peer",
    [
        Peer(tls_verified=False),
        Peer(sni="evil.example"),
        Peer(sni=""),
        Peer(ip="127.0.0.1", sni=""),
    ],
)
def test_an_unverified_or_other_peer_gets_nothing(
    keyring: Keyring, github: Credential, peer: Peer
) -> None:
    with pytest.raises(CredentialRefusedError, match=r"not sent to api\.github\.com") as caught:
        keyring.swap(a_request(bearer(github.placeholder)), peer)
    assert caught.value.problem.trouble is Trouble.WRONG_PEER


def test_a_declared_plain_mirror_counts_only_on_loopback_and_its_port(
    ring: Ring, github: Credential
) -> None:
    keyring = ring({"api.github.com": "http://127.0.0.1:4001"})
    request = a_request(bearer(github.placeholder))
    assert keyring.swap(request, Peer("127.0.0.1", 4001, "", False)) is not request
    keyring.swap(a_request(bearer(github.placeholder), scheme="http"), Peer("::1", 4001, "", False))
    for peer in (Peer("10.0.0.1", 4001, "", False), Peer("127.0.0.1", 4002, "", False)):
        with pytest.raises(CredentialRefusedError):
            keyring.swap(request, peer)


def test_a_placeholder_in_an_undeclared_slot_is_flagged(
    keyring: Keyring, github: Credential
) -> None:
    for request in (
        a_request(("X-Api-Key", github.placeholder)),
        a_request(("Authorization", github.placeholder)),
        a_request(target=f"/user?access_token={github.placeholder}"),
    ):
        assert trouble(keyring, request) is Trouble.WRONG_SLOT
        with pytest.raises(CredentialRefusedError):
            keyring.swap(request, Peer())


def test_a_placeholder_in_a_conversation_is_inert(keyring: Keyring, github: Credential) -> None:
    body = f'{{"messages": "my token is {github.placeholder}"}}'.encode()
    request = a_request(("User-Agent", github.placeholder), host="api.llm.example", body=body)
    assert keyring.inspect(request, None).kind == "none"
    assert keyring.swap(request, Peer()) is request


def test_a_posted_placeholder_is_never_published(keyring: Keyring, github: Credential) -> None:
    body = f'{{"text": "{github.placeholder}"}}'.encode()
    request = a_request(bearer(github.placeholder), body=body, method="POST")
    assert keyring.swap(request, Peer()).body == body


def test_a_foreign_credential_is_told_from_ours(keyring: Keyring) -> None:
    for headers in (
        bearer("ghp_other"), basic("me", "pw"), ("X-Api-Key", "k"), ("Cookie", "session=1"),
        ("Authorization", 'Digest username="a"'), ("Authorization", "Basic !!!"),
    ):  # fmt: skip
        bound, unbound = a_request(headers), a_request(headers, host="other.example")
        assert keyring.inspect(bound, None).kind == "foreign"
        assert trouble(keyring, bound) is Trouble.FOREIGN
        assert keyring.inspect(unbound, None).kind == "foreign"
        assert trouble(keyring, unbound) is None


def test_a_foreign_credential_beside_ours_is_flagged(keyring: Keyring, github: Credential) -> None:
    for extra in (("X-Api-Key", "k"), bearer("ghp_other")):
        auth = keyring.inspect(a_request(bearer(github.placeholder), extra), None)
        assert auth.kind == "foreign"
        assert auth.problem is not None
    signed = a_request(bearer(github.placeholder), target="/x?X-Amz-Signature=abc")
    assert keyring.inspect(signed, None).kind == "foreign"
    half = a_request(basic(github.placeholder, "real-password"))
    assert keyring.inspect(half, None).kind == "foreign"


def test_cookies_beside_ours_are_no_second_credential(keyring: Keyring, github: Credential) -> None:
    auth = keyring.inspect(a_request(bearer(github.placeholder), ("Cookie", "b=1")), None)
    assert (auth.kind, auth.problem) == ("ours", None)


def test_a_revoked_placeholder_is_flagged_and_its_value_still_scrubbed(
    vault: Vault, github: Credential, ring: Ring
) -> None:
    vault.revoke(github.id)
    keyring = ring()
    assert trouble(keyring, a_request(bearer(github.placeholder))) is Trouble.REVOKED
    with pytest.raises(CredentialRefusedError, match="revoked"):
        keyring.swap(a_request(bearer(github.placeholder)), Peer())
    assert keyring.scrubs.text(REAL_TEXT) == github.placeholder
    assert keyring.inspect(a_request(bearer("foreign")), None).problem is None


def test_two_placeholders_in_one_request_are_flagged(
    vault: Vault, github: Credential, ring: Ring
) -> None:
    other = enrol(
        vault, Stored(Secret(b"another-secret-value")), name="other", service="github",
        hosts=("api.github.com",), slots=("bearer", "header:x-api-key"),
    )  # fmt: skip
    request = a_request(bearer(github.placeholder), ("X-Api-Key", other.placeholder))
    keyring = ring()
    assert trouble(keyring, request) is Trouble.MIXED
    with pytest.raises(CredentialRefusedError):
        keyring.swap(request, Peer())


def test_a_bound_placeholder_is_for_its_agent_only(vault: Vault, ring: Ring) -> None:
    one = enrol(
        vault, Stored(Secret(b"secret-of-bot-one")), name="one", service="x",
        hosts=("api.github.com",), slots=("bearer",), agents=("bot",),
    )  # fmt: skip
    keyring, request = ring(), a_request(bearer(one.placeholder))
    assert trouble(keyring, request, "bot") is None
    assert trouble(keyring, request, None) is None
    assert trouble(keyring, request, "anonymous") is Trouble.OTHER_AGENT


@pytest.mark.parametrize("bad", [b"secret\r\nHost: evil", b"secret12\n", b"secret\0nul"])
def test_a_line_break_in_a_value_is_never_sent(vault: Vault, bad: bytes, ring: Ring) -> None:
    with pytest.raises(ValueError, match="line break"):
        enrol(vault, Stored(Secret(bad)), name="x", service="x", hosts=("a.example",), slots=("bearer",))  # fmt: skip
    made = enrol(vault, Stored(Secret(b"good-secret")), name="x", service="x", hosts=("a.example",), slots=("bearer",))  # fmt: skip
    vault.rotate(made.id, Stored(Secret(bad)))
    with pytest.raises(CredentialRefusedError, match="line break"):
        ring().swap(a_request(bearer(made.placeholder), host="a.example"), Peer(sni="a.example"))


def test_only_the_named_credential_is_swapped(keyring: Keyring, github: Credential) -> None:
    request = a_request(bearer(github.placeholder))
    keyring.swap(request, Peer(), github.id)
    with pytest.raises(CredentialRefusedError) as caught:
        keyring.swap(request, Peer(), "cr_other")
    assert caught.value.problem.trouble is Trouble.OTHER_CREDENTIAL


async def _refresh_twice(keyring: Keyring) -> None:
    await keyring.refresh()
    await keyring.refresh()


def test_a_rotation_is_followed_and_the_old_value_still_scrubbed(
    vault: Vault, keyring: Keyring, github: Credential
) -> None:
    vault.rotate(github.id, Stored(Secret(b"ghp_NEWnewNEWnew")))
    asyncio.run(_refresh_twice(keyring))
    wire = keyring.swap(a_request(bearer(github.placeholder)), Peer())
    assert wire.headers.get("authorization") == "Bearer ghp_NEWnewNEWnew"
    assert keyring.scrubs.text(f"{REAL_TEXT} ghp_NEWnewNEWnew") == " ".join(
        [github.placeholder] * 2
    )
    asyncio.run(keyring.refresh())
    assert vault.get("github").last_used is not None


def test_a_removed_credential_is_gone_but_its_value_still_scrubbed(
    vault: Vault, keyring: Keyring, github: Credential
) -> None:
    vault.remove(github.id)
    asyncio.run(keyring.refresh())
    assert keyring.inspect(a_request(bearer(github.placeholder)), None).kind == "foreign"
    assert keyring.scrubs.text(REAL_TEXT) == github.placeholder


def test_a_tampered_row_stops_the_reload_and_the_old_set_stays(
    vault: Vault, keyring: Keyring, github: Credential, tmp_path: Path
) -> None:
    vault._db.execute("UPDATE credential SET hosts = '[\"evil.example\"]'")
    with pytest.raises(Exception, match="tampered"):
        keyring.reload()
    evil = a_request(bearer(github.placeholder), host="evil.example")
    assert trouble(keyring, evil) is Trouble.UNBOUND_HOST


def test_a_value_from_a_command_is_used_until_it_expires(vault: Vault, tmp_path: Path) -> None:
    count = tmp_path / "count"
    script = f"import pathlib; p = pathlib.Path({str(count)!r}); n = len(p.read_text()) if p.exists() else 0; p.write_text('x' * (n + 1)); print(f'value-number-{{n}}')"
    made = enrol(
        vault, FromCommand((sys.executable, "-c", script), 100.0), name="c", service="x",
        hosts=("a.example",), slots=("bearer",),
    )  # fmt: skip
    now = 0.0
    keyring = Keyring(vault, clock=lambda: now)
    keyring.reload()
    request = a_request(bearer(made.placeholder), host="a.example")
    peer = Peer(sni="a.example")
    first = keyring.swap(request, peer).headers.get("authorization")
    asyncio.run(keyring.refresh())
    assert (
        keyring.swap(request, peer).headers.get("authorization") == first == "Bearer value-number-1"
    )
    now = 101.0
    assert trouble(keyring, request) is Trouble.UNAVAILABLE
    asyncio.run(keyring.refresh())
    assert keyring.swap(request, peer).headers.get("authorization") == "Bearer value-number-2"


def test_one_failing_value_does_not_stop_the_others(
    vault: Vault, github: Credential, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOEX_TEST_REAL", "value-from-env")
    made = enrol(
        vault, FromEnvironment("GOEX_TEST_REAL"), name="env", service="x",
        hosts=("a.example",), slots=("bearer",),
    )  # fmt: skip
    monkeypatch.delenv("GOEX_TEST_REAL")
    keyring = Keyring(vault)
    keyring.reload()
    assert (
        trouble(keyring, a_request(bearer(made.placeholder), host="a.example"))
        is Trouble.UNAVAILABLE
    )
    assert "GOEX_TEST_REAL is not set" in keyring.unavailable()["env"]
    assert trouble(keyring, a_request(bearer(github.placeholder))) is None


def test_while_the_vault_cannot_be_read_no_value_is_sent(
    keyring: Keyring, github: Credential, tmp_path: Path
) -> None:
    request, file = a_request(bearer(github.placeholder)), tmp_path / "vault.db"
    kept = file.read_bytes()
    file.write_bytes(b"garbage" * 1000)
    with pytest.raises(VaultError):
        asyncio.run(keyring.refresh())
    assert trouble(keyring, request) is Trouble.UNAVAILABLE
    with pytest.raises(CredentialRefusedError, match="vault cannot be read"):
        keyring.swap(request, Peer())
    assert trouble(keyring, a_request()) is None
    file.write_bytes(kept)
    asyncio.run(keyring.refresh())
    assert trouble(keyring, request) is None


def foreign(keyring: Keyring, *fields: tuple[str, str], target: str = "/") -> str:
    request = Request(
        method="POST",
        origin=Origin(scheme="https", host="p.example", port=443),
        target=target,
        headers=Headers(fields),
        body=b"{}",
    )
    return keyring.foreign(request, keyring.redact(request))


SIGNED = "AWS4-HMAC-SHA256 Credential=%s/20261121/eu/s3/aws4_request, Signature=%s"


def test_what_was_redacted_is_told_apart_and_not_given_away(keyring: Keyring) -> None:
    alike = [
        foreign(keyring, ("Authorization", "Bearer of-alice")),
        foreign(keyring, ("Authorization", "Bearer of-bob")),
        foreign(keyring, ("Cookie", "acct=alice")),
        foreign(keyring, ("Cookie", "acct=bob")),
        foreign(keyring, ("X-Api-Key", "acct=bob")),
        foreign(keyring, target="/?access_token=alice"),
        foreign(keyring, target="/?access_token=bob"),
        foreign(keyring, ("Authorization", SIGNED % ("alice", "1"))),
        foreign(keyring, ("Authorization", SIGNED % ("bob", "1"))),
    ]
    assert len(set(alike)) == len(alike)
    assert all(len(one) == 32 and "bob" not in one for one in alike)
    assert foreign(keyring, ("Authorization", "Bearer of-bob")) == alike[1]
    assert foreign(keyring, ("Authorization", SIGNED % ("bob", "2"))) == alike[8]
    assert foreign(keyring, ("Accept", "text/plain")) == ""


def test_the_hash_of_a_foreign_credential_is_keyed_and_outlasts_a_restart(
    vault: Vault, tmp_path: Path
) -> None:
    field = ("Authorization", "Bearer of-alice")
    (tmp_path / "other").mkdir()
    key = KeyFile(tmp_path / "other" / "vault.key")
    key.create()
    other = Vault.create(tmp_path / "other" / "vault.db", key)
    one, again, elsewhere = (foreign(Keyring(each), field) for each in (vault, vault, other))
    other.close()
    assert one == again != elsewhere

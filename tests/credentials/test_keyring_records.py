"""What may be recorded of a request, and what nothing shows."""

from base64 import b64encode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goex_proxy.core.exchange import Headers, Request, Response
from goex_proxy.credentials.keyring import Keyring
from goex_proxy.credentials.problem import CredentialRefusedError, Trouble
from goex_proxy.stores.credential import Credential
from goex_proxy.stores.secret import Secret
from goex_proxy.stores.vault import Vault
from tests.credentials.conftest import REAL, Peer, a_request

REAL_TEXT = REAL.decode()


def bearer(value: str, scheme: str = "Bearer") -> tuple[str, str]:
    return "Authorization", f"{scheme} {value}"


def basic(user: str, password: str) -> tuple[str, str]:
    return "Authorization", "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def trouble(keyring: Keyring, request: Request, agent: str | None = None) -> Trouble | None:
    problem = keyring.inspect(request, agent).problem
    return problem.trouble if problem else None


def test_redaction_marks_what_is_foreign_and_keeps_what_is_ours(
    keyring: Keyring, github: Credential
) -> None:
    ours = github.placeholder
    request = a_request(
        bearer(ours), bearer("ghp_foreign"), basic("octocat", ours), basic("me", "pw"),
        ("Cookie", "session=real"), ("Proxy-Authorization", "Basic abc"), ("x-api-key", "k"),
        ("X-Amz-Security-Token", "t"), ("Idempotency-Key", "i"), ("X-Note", f"see {REAL_TEXT}"),
        target=f"/x?X-Amz-Signature=s&access_token={ours}&page=2&token=abc&t={REAL_TEXT}",
        body=b"x" + REAL + b"y",
    )  # fmt: skip
    clean = keyring.redact(request)
    mark = "[redacted-by-goex]"
    assert clean.headers.fields == (
        bearer(ours), bearer(mark), basic("octocat", ours), ("Authorization", f"Basic {mark}"),
        ("Cookie", mark), ("Proxy-Authorization", f"Basic {mark}"), ("x-api-key", mark),
        ("X-Amz-Security-Token", mark), ("Idempotency-Key", "i"), ("X-Note", f"see {ours}"),
    )  # fmt: skip
    assert (
        clean.target
        == f"/x?X-Amz-Signature={mark}&access_token={ours}&page=2&token={mark}&t={ours}"
    )
    assert clean.body == f"x{ours}y".encode()
    assert keyring.redact(clean) == clean


def test_cookies_and_signed_locations_of_a_response_are_not_journaled(keyring: Keyring) -> None:
    response = Response(
        status=302,
        headers=Headers(
            (("Set-Cookie", "a=b"), ("Location", "https://x/y?sig=s&a=1"), ("ETag", "e"))
        ),
    )
    assert keyring.redact_response(response).headers.fields == (
        ("Set-Cookie", "[redacted-by-goex]"),
        ("Location", "https://x/y?sig=[redacted-by-goex]&a=1"),
        ("ETag", "e"),
    )


def test_arming_puts_the_placeholder_into_the_first_slot(
    keyring: Keyring, github: Credential
) -> None:
    armed = keyring.arm(a_request(), github.id)
    assert armed.headers.fields == (bearer(github.placeholder),)
    assert keyring.arm(armed, github.id) is armed
    with pytest.raises(CredentialRefusedError):
        keyring.arm(a_request(), "cr_none")


def test_nothing_shows_a_secret(keyring: Keyring, vault: Vault, github: Credential) -> None:
    wire = keyring.swap(
        a_request(bearer(github.placeholder), basic("me", github.placeholder)), Peer()
    )
    changed = wire.headers.set("X-A", "1"), wire.headers.without("x-a")
    live = keyring._ring.lives[0]
    texts = [
        f"{thing!r} {thing} {thing:>3}" if isinstance(thing, Secret) else f"{thing!r} {thing}"
        for thing in (wire, wire.headers, *changed, keyring, vault, live, live.source, live.secret,
                      keyring._ring, keyring.scrubs, keyring.scrubs.scrubber(), Secret(REAL))
    ]  # fmt: skip
    encoded = b64encode(f"me:{REAL_TEXT}".encode()).decode()
    assert not any("CANARY" in text or encoded in text for text in texts)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    user=st.text(st.characters(max_codepoint=255, exclude_characters=":"), max_size=20),
    scheme=st.sampled_from(["basic", "Basic", "BASIC"]),
)
def test_swapping_basic_and_scrubbing_it_back_is_a_round_trip(
    keyring: Keyring, github: Credential, user: str, scheme: str
) -> None:
    pair = f"{user}:{github.placeholder}".encode("latin-1")
    request = a_request(("Authorization", f"{scheme} {b64encode(pair).decode()}"))
    wire = keyring.swap(request, Peer())
    assert b64encode(f"{user}:{REAL_TEXT}".encode("latin-1")).decode() in wire.headers.get(
        "authorization"
    )
    assert keyring.redact(request) == request

"""Slots, bindings, placeholders and mirrors: read strictly, refused with a hint."""

import copy
import pickle
import re
from base64 import urlsafe_b64decode

import pytest

from goex_proxy.core.exchange import Origin
from goex_proxy.credentials import binding, redaction, slot
from goex_proxy.credentials.peer import Upstreams
from goex_proxy.credentials.placeholder import mint
from goex_proxy.stores.secret import Secret


@pytest.mark.parametrize("text", ["bearer", "basic", "header:x-api-key"])
def test_slots_are_read(text: str) -> None:
    assert slot.parse(f" {text} ") == text


@pytest.mark.parametrize("text", ["query:key@*", "body:/token@x", "path:1", "ws:x", "aws-sigv4"])
def test_slots_of_later_versions_say_so(text: str) -> None:
    with pytest.raises(ValueError, match="later version"):
        slot.parse(text)


@pytest.mark.parametrize(
    "text", ["", "Bearer x", "header:", "header:a b", "header:Host", "header:Cookie", "body"]
)
def test_other_slots_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="slot"):
        slot.parse(text)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("API.GitHub.com.", "api.github.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("faß.example", "xn--fa-hia.example"),
        ("*.Example.com", "*.example.com"),
        ("host.example:8443", "host.example:8443"),
        ("127.0.0.1:80", "127.0.0.1:80"),
        ("[::1]:80", "[::1]:80"),
        ("0:0:0:0:0:0:0:1", "[::1]"),
        ("localhost", "localhost"),
    ],
)
def test_hosts_are_normalised(text: str, normal: str) -> None:
    assert str(binding.parse(text)) == normal


@pytest.mark.parametrize(
    "text",
    ["", "https://a.example", "a@b.example", "*", "*.com", "a.*.example", "*.1.2.3.4", "a b",
     "a\0.example", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "a:0", "a:99999", "a:x",
     "-a.example", "a..b", "[::1", "evil.example%00"],
)  # fmt: skip
def test_what_two_programs_read_differently_is_refused(text: str) -> None:
    with pytest.raises(
        ValueError, match=r"host|address|label|wide|Octet|Expected|octets|permitted"
    ):
        binding.parse(text)


@pytest.mark.parametrize(
    ("secret", "pattern"),
    [
        (b"ghp_" + b"x" * 36, r"ghp_[A-Za-z0-9]{36}"),
        (b"github_pat_" + b"x" * 82, r"github_pat_[A-Za-z0-9]{82}"),
        (b"xoxb-123456789012-123456789012-" + b"x" * 24, r"xoxb-\d{12}-\d{12}-[A-Za-z0-9]{24}"),
        (b"sk-ant-" + b"x" * 90, r"sk-ant-[A-Za-z0-9]{90}"),
        (b"0123456789abcdef" * 2, r"[A-Za-z0-9]{32}"),
        (b"pw", r"[A-Za-z0-9]{24}"),
    ],
)
def test_a_placeholder_has_the_secrets_shape_and_length(secret: bytes, pattern: str) -> None:
    assert re.fullmatch(pattern, mint(secret, []))


def test_a_jwt_placeholder_decodes_and_does_not_expire() -> None:
    secret = b"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0." + b"x" * 200
    made = mint(secret, [])
    head, body, _ = made.split(".")
    assert b'"typ":"JWT"' in urlsafe_b64decode(head + "==")
    assert b'"exp":4102444800' in urlsafe_b64decode(body + "==")
    assert len(made) == len(secret)


def test_placeholders_never_meet() -> None:
    made: list[str] = []
    for _ in range(200):
        made.append(mint(b"ghp_" + b"x" * 36, made))
    assert len(set(made)) == 200
    with pytest.raises(ValueError, match="too short"):
        mint(b"x", ["g"], shape="g")


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("http://10.0.0.1", "loopback only"),
        ("http://localhost.evil.example", "loopback only"),
        ("ftp://127.0.0.1", "base URL"),
        ("https://u:p@127.0.0.1", "base URL"),
        ("https://a.example/?x", "no query"),
    ],
)
def test_mirrors_are_checked_at_load(url: str, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        Upstreams({"api.github.com": url})


def test_a_mirror_has_its_own_address_and_prefix() -> None:
    found = Upstreams({"api.github.com": "https://mirror.example:8443/gh/"}).address(
        Origin(scheme="https", host="api.github.com", port=443)
    )
    assert (found.host, found.port, found.tls, found.prefix) == (
        "mirror.example",
        8443,
        True,
        "/gh",
    )


def test_a_secret_cannot_be_printed_hashed_pickled_or_copied() -> None:
    secret = Secret(b"canary")
    assert "canary" not in f"{secret} {secret!r} {secret:>20} {[secret]} {vars(type(secret))}"
    assert secret == Secret(b"canary") != Secret(b"other")
    for use in (hash, pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            use(secret)


@pytest.mark.parametrize(
    "name", ["private_token", "JOB_TOKEN", "key", "c%6Fde", "access%5Ftoken", "%70assword"]
)
def test_a_secret_parameter_is_marked_however_its_name_is_written(name: str) -> None:
    shown = redaction.query(f"page=2&{name}=AIza0123456789abcdef", lambda _: False)
    assert shown == f"page=2&{name}={redaction.MARK}"
    plain = "encode=abc&keys=d&key=PROJECT-1&code=en"
    assert redaction.query(plain, lambda _: False) == plain

"""One spelling per host; anything that two parties could read differently is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.core.exchange import Origin
from goex_proxy.gateway.destination import (
    Misread,
    Tunnel,
    authority_of,
    check_own_host,
    host_of,
    origin_in_tunnel,
    origin_of_uri,
)


@pytest.mark.parametrize(
    ("raw", "host"),
    [("API.Example.COM", "api.example.com"), ("a.example.", "a.example"), ("127.0.0.1", "127.0.0.1"),
     ("[::1]", "::1"), ("[0:0:0:0:0:0:0:1]", "::1"), ("xn--bcher-kva.example", "xn--bcher-kva.example")],
)  # fmt: skip
def test_spellings_of_a_host_become_one(raw: str, host: str) -> None:
    assert host_of(raw) == host


@pytest.mark.parametrize(
    "raw",
    ["", ".", "a..b", "-a.b", "a b", "a@b", "a\0b", "b\u00fccher.example", "127.1", "0177.0.0.1",
     "0x7f.0.0.1", "2130706433", "127.0.0.1..", "[::ffff:127.0.0.1]", "[::1%eth0]", "a/b", "a%00",
     "1.2.3.256", "a.0x1"],
)  # fmt: skip
def test_an_ambiguous_host_is_refused(raw: str) -> None:
    with pytest.raises(Misread):
        host_of(raw)


@given(st.text(max_size=40))
def test_any_text_is_a_host_of_one_spelling_or_refused(text: str) -> None:
    try:
        host = host_of(text)
    except Misread:
        return
    assert host_of(f"[{host}]" if ":" in host else host) == host
    assert host == host.lower()
    assert not host.endswith(".")


@given(st.text(max_size=40), st.sampled_from(["https", "http", ""]))
def test_any_authority_is_read_or_refused(text: str, scheme: str) -> None:
    try:
        host, port = authority_of(text, scheme)
    except Misread:
        return
    assert host
    assert 0 < port < 65536


def test_a_tunnel_its_server_name_and_its_host_agree() -> None:
    tunnel = Tunnel("a.example", 443, tls=True, sni="A.example")
    origin = Origin(scheme="https", host="a.example", port=443)
    assert origin_in_tunnel(tunnel, "", "", ["a.example"]) == origin
    assert origin_in_tunnel(tunnel, "https", "a.example:443", ["A.EXAMPLE."]) == origin
    assert origin_in_tunnel(tunnel, "", "", []) == origin


def test_an_address_needs_no_server_name() -> None:
    assert origin_in_tunnel(Tunnel("10.0.0.1", 443, tls=True), "", "", []).host == "10.0.0.1"


def test_plain_text_in_a_tunnel_is_http() -> None:
    origin = origin_in_tunnel(Tunnel("a.example", 80), "", "", ["a.example"])
    assert origin == Origin(scheme="http", host="a.example", port=80)


@pytest.mark.parametrize(
    ("tunnel", "scheme", "authority", "hosts"),
    [
        (Tunnel("a.example", 443, tls=True, sni="a.example"), "", "", ["b.example"]),
        (Tunnel("a.example", 443, tls=True, sni="b.example"), "", "", ["a.example"]),
        (Tunnel("a.example", 443, tls=True), "", "", ["a.example"]),
        (Tunnel("a.example", 443), "", "", ["a.example"]),
        (Tunnel("a.example", 8443, tls=True, sni="a.example"), "", "", ["a.example"]),
        (Tunnel("a.example", 443, tls=True, sni="a.example"), "http", "a.example", []),
        (Tunnel("a.example", 443, tls=True, sni="a.example"), "", "", ["a.example", "a.example"]),
    ],
)
def test_a_tunnel_that_disagrees_is_refused(
    tunnel: Tunnel, scheme: str, authority: str, hosts: list[str]
) -> None:
    with pytest.raises(Misread):
        origin_in_tunnel(tunnel, scheme, authority, hosts)


def test_a_uri_and_its_host_agree() -> None:
    assert origin_of_uri("http", "a.example", ["A.example:80"]).port == 80
    with pytest.raises(Misread):
        origin_of_uri("http", "a.example", ["b.example"])
    with pytest.raises(Misread):
        origin_of_uri("ftp", "a.example", [])


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "[::1]:8080"])
def test_base_urls_are_asked_of_this_machine(host: str) -> None:
    check_own_host("", [host])


def test_base_urls_are_not_served_to_a_rebound_name() -> None:
    with pytest.raises(Misread):
        check_own_host("", ["evil.example.net"])

"""Addresses, hosts and base URLs of `goex.yaml`: one way to write each, and nothing beside it."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.files.config_values import address, base_url, host_name, host_port


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("127.0.0.1:8080", ("127.0.0.1", 8080)), ("0.0.0.0:0", ("0.0.0.0", 0)), ("[::1]:8080", ("::1", 8080)), ("LOCALHOST:1", ("localhost", 1)), ("[::]:65535", ("::", 65535)),
    ],
)  # fmt: skip
def test_an_address_to_listen_on_is_an_ip_and_a_port(text: str, wanted: tuple[str, int]) -> None:
    assert address(text) == wanted


@pytest.mark.parametrize(
    "text",
    ["", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:8o8o", "127.0.0.1:\u0668\u0660", "example.com:80", "::1:80", "[example.com]:80", "[::1:80",
     "127.0.0.1:80/", "256.0.0.1:80", "127.1:80", "*:80"],
)  # fmt: skip
def test_what_is_no_address_to_listen_on_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"wanted|brackets"):
        address(text)


def test_a_host_and_port_name_both() -> None:
    assert host_port("API.Example.com:443") == ("api.example.com", 443)
    assert host_port("[fd00::1]:80") == ("fd00::1", 80)
    assert host_port("10.0.0.7:5432") == ("10.0.0.7", 5432)
    for text in ("example.com", "example.com:0", "exa mple.com:1", "*:1", "fd00::1:80"):
        with pytest.raises(ValueError, match=r".+"):
            host_port(text)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("API.GitHub.com", "api.github.com"), ("api.github.com.", "api.github.com"), ("*.Example.com", "*.example.com"), ("example.com:8443", "example.com:8443"),
        ("*.example.com:8443", "*.example.com:8443"), ("bücher.example", "xn--bcher-kva.example"), ("a_b-c.x", "a_b-c.x"), ("[FD00::1]", "[fd00::1]"), ("[::1]:80", "[::1]:80"),
        ("10.0.0.7", "10.0.0.7"),
    ],
)  # fmt: skip
def test_a_host_has_one_spelling(text: str, wanted: str) -> None:
    assert host_name(text) == wanted
    assert host_name(wanted) == wanted


@pytest.mark.parametrize(
    "text",
    ["", ".", "*", "*.", "a..b", "-a.com", "a-.com", "a.*.com", "**.a.com", "a b.com", "a/b", "a@b.com", "a.com:", "a.com:0", "a.com:65536", "a.com:99x", "a.com:1:2", "[::1", "[::1]x", "[::1]:", "[::1]:0", "[::1]:65536", "[a.com]",
     "x" * 64 + ".com", ".".join(["x" * 60] * 5), "a\n.com", "a.com\n", "a%41.com", "\ud800.com", "a.com?x", "a.com#x", "é" * 64 + ".com"],
)  # fmt: skip
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        host_name(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://API.github.com", "https://api.github.com"), ("https://api.github.com/", "https://api.github.com"), ("https://a.com:8443", "https://a.com:8443"),
        ("http://127.0.0.1:4001", "http://127.0.0.1:4001"), ("http://[::1]:80", "http://[::1]"), ("http://localhost", "http://localhost"), ("HTTPS://a.com", "https://a.com"),
    ],
)  # fmt: skip
def test_a_base_url_is_scheme_host_and_port(text: str, shown: str) -> None:
    assert str(base_url(text)) == shown


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ftp://a.com", "a base URL is wanted"), ("a.com", "a base URL is wanted"), ("https://", "a base URL is wanted"), ("//a.com", "a base URL is wanted"),
        ("https://a.com/path", "without path"), ("https://a.com?x=1", "without path"), ("https://a.com#x", "without path"), ("https://me@a.com", "without path"), ("https://:p@a.com", "without path"),
        ("http://a.com", "loopback"), ("http://10.0.0.7", "loopback"), ("http://localhost.evil.com", "loopback"), ("http://127.0.0.1.evil.com", "loopback"), ("http://[fd00::1]", "loopback"),
        ("https://a..com", "not a host name"), ("https://a.com:x", "."), ("https://a.com:99999", "."), ("https://[::1", "."),
    ],
)  # fmt: skip
def test_what_is_no_base_url_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        base_url(text)


@pytest.mark.parametrize("read", [address, host_port, host_name, base_url])
@given(text=st.text(max_size=12) | st.text("[]:.*@/a1-%é\0 ", max_size=12))
def test_any_text_is_a_value_or_a_value_error(read: Callable[[str], object], text: str) -> None:
    for written in (text, f"https://{text}", f"{text}:80", f"[{text}]:80"):
        with suppress(ValueError):
            read(written)

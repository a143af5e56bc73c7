"""Host patterns: a host and its port, or all hosts below a domain."""

import pytest

from goex_proxy.core.exchange import Origin
from goex_proxy.core.host import matches, split


@pytest.mark.parametrize(
    ("pattern", "scheme", "host", "port", "expected"),
    [
        ("api.example", "https", "api.example", 443, True),
        ("API.example.", "https", "api.example", 443, True),
        ("api.example", "http", "api.example", 80, True),
        ("api.example", "https", "api.example", 8443, False),
        ("api.example:8443", "https", "api.example", 8443, True),
        ("api.example", "https", "evil-api.example", 443, False),
        ("*.example", "https", "a.example", 443, True),
        ("*.example", "https", "a.b.example", 443, True),
        ("*.example", "https", "example", 443, False),
        ("*.example", "https", ".example", 443, False),
        ("*.example", "https", "badexample", 443, False),
        ("[::1]:8080", "http", "::1", 8080, True),
        ("[::1]", "http", "::1", 80, True),
    ],
)
def test_a_pattern_names_an_origin(
    pattern: str, scheme: str, host: str, port: int, expected: bool
) -> None:
    assert matches(pattern, Origin(scheme=scheme, host=host, port=port)) is expected


def test_a_pattern_is_a_host_and_perhaps_a_port() -> None:
    assert split("a.example:1") == ("a.example", 1)
    assert split("[2001:DB8::1]:2") == ("2001:db8::1", 2)
    assert split("a.example") == ("a.example", None)

"""Nothing inside is dialled unless it was listed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.upstream.network import refusal


@pytest.mark.parametrize(
    "ip",
    ["127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.1.1",
     "100.64.0.1", "192.0.0.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.88.99.1",
     "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "2001:db8::1",
     "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::1",
     "2002:7f00:1::", "2002:a00:1::1", "::127.0.0.1", "2001:0:4136:e378:8000:63bf:80ff:fffe",
     "2130706433", "127.1", "localhost", ""],
)  # fmt: skip
def test_an_inner_address_is_refused(ip: str) -> None:
    assert refusal(ip, "host.example", 443)


@pytest.mark.parametrize(
    "ip", ["140.82.112.6", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_a_public_address_is_not(ip: str) -> None:
    assert refusal(ip, "host.example", 443) is None


@pytest.mark.parametrize(
    "ip",
    ["169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::",
     "fd00:ec2::254", "100.100.100.200", "168.63.129.16"],
)  # fmt: skip
def test_metadata_is_refused_even_of_a_listed_name(ip: str) -> None:
    reason = refusal(ip, "host.example", 80, {"host.example:80"})
    assert reason is not None
    assert "metadata" in reason


def test_what_is_listed_by_name_or_address_may_be_dialled_at_that_port() -> None:
    allow = {"intranet.example:8443", "10.0.0.9:80", "[::1]:80"}
    assert refusal("10.0.0.1", "intranet.example", 8443, allow) is None
    assert refusal("10.0.0.1", "intranet.example", 443, allow)
    assert refusal("10.0.0.9", "anything.example", 80, allow) is None
    assert refusal("::ffff:10.0.0.9", "anything.example", 80, allow) is None
    assert refusal("::1", "anything.example", 80, allow) is None
    assert refusal("169.254.169.254", "x", 80, {"169.254.169.254:80"}) is None


INNER = ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10", "224.0.0.0/4")  # fmt: skip
FORMS = ("{}", "::ffff:{}", "64:ff9b::{}", "::{}")


@given(st.sampled_from(INNER).flatmap(lambda of: st.ip_addresses(network=of)), st.sampled_from(FORMS))  # fmt: skip
def test_an_embedded_address_is_no_way_round(address: object, form: str) -> None:
    assert refusal(form.format(address), "h", 1)


@given(st.ip_addresses(v=4), st.sampled_from(FORMS[1:3]))
def test_an_embedded_address_is_refused_if_and_only_if_it_would_be_plain(
    address: object, form: str
) -> None:
    plain, embedded = refusal(str(address), "h", 1), refusal(form.format(address), "h", 1)
    assert (plain is None) == (embedded is None)

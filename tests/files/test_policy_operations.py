"""A rule about nothing is told from one that may come to be about something."""

import pytest

from goex_proxy.core.decision import Effect
from goex_proxy.core.policy import Rule
from goex_proxy.engine.library import Library
from goex_proxy.files.config import Config
from goex_proxy.files.policy_operations import idle


@pytest.mark.parametrize(
    ("pattern", "wrong", "later"),
    [
        ("github.issues/create-coment", 1, 0),
        ("github.nothing*", 0, 1),
        ("ours.pay", 0, 1),
        ("github.issues/create-comment", 0, 0),
        ("http.unregistered", 0, 0),
        ("*", 0, 0),
    ],
)
def test_only_the_full_name_of_a_known_service_is_surely_wrong(
    pattern: str, wrong: int, later: int
) -> None:
    rule = Rule(id="t/x", effect=Effect.DENY, operations=(pattern,), location="t.yaml:3")
    found = idle([rule], Library().catalog(Config()))
    assert [len(each) for each in found] == [wrong, later]
    for issue in (*found[0], *found[1]):
        assert str(issue).startswith(f"t.yaml:3:1: no operation matches {pattern!r}")

"""Decisions: effects in the order of severity; what was looked at is no part of what was decided."""

import itertools
from dataclasses import replace

import pytest

from goex_proxy.core.decision import Effect, Hit
from tests.core.world import a_decision


def test_of_all_effects_the_severest_is_the_greatest() -> None:
    for order in itertools.permutations(Effect):
        assert max(order) is Effect.DENY
        assert min(order) is Effect.ALLOW
    assert Effect.ALLOW < Effect.HOLD < Effect.DENY


def test_effects_read_as_they_are_written_in_policies() -> None:
    assert [str(effect) for effect in Effect] == ["allow", "hold", "deny"]


@pytest.mark.parametrize("effect", Effect)
def test_only_an_allow_allows(effect: Effect) -> None:
    assert a_decision(effect).allowed is (effect is Effect.ALLOW)


def test_what_was_looked_at_neither_compares_nor_prints() -> None:
    hit = Hit(rule="team/deny", effect=Effect.DENY, matched=False, failed="no such key")
    explained = replace(a_decision(), hits=(hit,))
    assert explained == a_decision()
    assert "team/deny" not in repr(explained)

"""Rules: every one is looked at, order says nothing, what cannot be told fails closed."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.core.decision import Decision, Effect
from goex_proxy.core.policy import Mode, Rule, Ruleset, Where
from tests.core.world import PYTHON, Py, a_decision, a_rule

ALLOW, HOLD, DENY = Effect.ALLOW, Effect.HOLD, Effect.DENY
FACTS: dict[str, object] = {
    "operation": "x.create",
    "is_undo": False,
    "path": "/a/b",
    "method": "POST",
    "host": "api.example",
    "agent.id": "bot",
    "credential.name": "c",
    "n": 1,
}
DEFAULT = a_decision(ALLOW, "posture:balanced")
BROKEN = Py("nothing['x']")


def decided(*rules: Rule, default: Decision = DEFAULT, **facts: object) -> Decision:
    return Ruleset(language=PYTHON, rules=rules).decide({**FACTS, **facts}, default)


def test_the_severest_wins_and_without_a_rule_the_default() -> None:
    assert decided().effect is ALLOW
    assert decided(a_rule(ALLOW), a_rule(DENY), a_rule(HOLD)).rule == "team/deny"
    assert decided(a_rule(ALLOW), default=a_decision(HOLD)).effect is ALLOW


@pytest.mark.parametrize(("effect", "expected"), [(DENY, DENY), (HOLD, HOLD), (ALLOW, HOLD)])
@pytest.mark.parametrize("broken", [BROKEN, Py("n"), Py("'true'")])
def test_a_condition_that_cannot_be_told_fails_closed(
    effect: Effect, expected: Effect, broken: Py
) -> None:
    default = a_decision(HOLD, "default")
    for rule in (a_rule(effect, conditions=(broken,)), a_rule(effect, unless=broken)):
        assert decided(rule, default=default).effect is expected


def test_a_condition_that_is_false_spares_the_broken_one() -> None:
    for conditions in ((BROKEN, Py("False")), (Py("False"), BROKEN)):
        assert decided(a_rule(DENY, conditions=conditions)).effect is ALLOW
    assert decided(a_rule(DENY, conditions=(BROKEN,), unless=Py("True"))).effect is ALLOW


@pytest.mark.parametrize(("effect", "decoded_too"), [(DENY, True), (HOLD, True), (ALLOW, False)])
@pytest.mark.parametrize("glob", ["/a/b/c", "/a/*/c", "/a/b/*"])
def test_what_forbids_a_path_matches_it_with_its_slash_encoded_too(
    effect: Effect, decoded_too: bool, glob: str
) -> None:
    default = a_decision(HOLD if effect is ALLOW else ALLOW, "default")
    rule = a_rule(effect, where=Where(paths=(glob,)))
    assert decided(rule, default=default, path="/a/b/c").rule == rule.id
    assert (decided(rule, default=default, path="/a/b%2Fc").rule == rule.id) is decoded_too
    as_sent = a_rule(effect, where=Where(paths=("/a/b%2Fc",)))
    assert decided(as_sent, default=default, path="/a/b%2Fc").rule == as_sent.id


rules = st.builds(
    lambda effect, name, conditions, mode: a_rule(
        effect, id=f"t/{name}", conditions=conditions, mode=mode, timeout=float(name)
    ),
    st.sampled_from(Effect),
    st.integers(0, 5),
    st.lists(st.sampled_from([Py("True"), Py("False"), BROKEN]), max_size=2).map(tuple),
    st.sampled_from(Mode),
)


@given(st.lists(rules, max_size=5, unique_by=lambda r: r.id), st.randoms())
def test_the_order_of_rules_says_nothing(given_rules: list[Rule], random: Random) -> None:
    shuffled = list(given_rules)
    random.shuffle(shuffled)
    assert decided(*given_rules) == decided(*shuffled)


def test_a_shadow_rule_is_recorded_and_never_applied() -> None:
    found = decided(a_rule(DENY, mode=Mode.SHADOW))
    assert (found.effect, found.shadow) == (ALLOW, ("team/deny would deny",))
    assert decided(a_rule(DENY, mode=Mode.OFF)) == DEFAULT


def test_only_marked_rules_bind_an_undo() -> None:
    assert decided(a_rule(DENY), is_undo=True).effect is ALLOW
    assert decided(a_rule(DENY, undo=True), is_undo=True).effect is DENY


@pytest.mark.parametrize(
    ("where", "covers"),
    [
        (Where(methods=("POST", "PUT")), True),
        (Where(methods=("PUT",)), False),
        (Where(paths=("/a/*",)), True),
        (Where(paths=("/a",)), False),
        (Where(hosts=("*.example",), agents=("b*",), credentials=("c",)), True),
        (Where(hosts=("*.example",), agents=("other",)), False),
        (Where(credentials=("d",)), False),
    ],
)
def test_where_is_matched_before_any_expression(where: Where, covers: bool) -> None:
    assert decided(a_rule(DENY, where=where)).effect is (DENY if covers else ALLOW)
    assert decided(a_rule(DENY, "y.*", where=where)).effect is ALLOW


def test_the_reason_is_words_and_decides_nothing() -> None:
    assert decided(a_rule(HOLD, reason=("n is ", Py("n"), Py("missing")))).reason == "n is 1(?)"
    assert decided(a_rule(HOLD, reason=())).reason == "rule team/hold"
    found = decided(a_rule(DENY, conditions=(BROKEN,)))
    assert found.reason == "rule team/deny could not be evaluated"
    assert found.hits[0].failed.startswith("nothing")


def test_of_rules_as_severe_one_that_could_be_evaluated_speaks() -> None:
    broken, sound = a_rule(DENY, id="a", conditions=(BROKEN,)), a_rule(DENY, id="b")
    assert decided(broken, sound).rule == decided(sound, broken).rule == "b"
    assert replace(DEFAULT, effect=DENY).allowed is False

"""A group says of rules that none applies only if each by itself would not have applied."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goex_proxy.core.expression import ExpressionError
from goex_proxy.core.policy import Group, Rule
from goex_proxy.files import policy_file, yamltext
from goex_proxy.files.cel import CelExpression
from goex_proxy.files.policy_groups import groups

LANGUAGE = policy_file.load([]).language


def rules(*texts: str) -> tuple[Rule, ...]:
    text = "version: 1\nrules:\n" + "".join(f"  - {{{one}}}\n" for one in texts)
    return policy_file.read(yamltext.parse(text, "f"), "f", {})


def silent(found: tuple[Group, ...], **facts: object) -> list[bool]:
    return [group.silent("x.y", LANGUAGE.scope(facts)) for group in found]


def test_rules_of_the_same_operations_are_one_group_and_others_another() -> None:
    found = groups(
        rules(
            "deny: x.*, if: port == 1, id: a",
            "deny: x.*, if: port == 2, id: b",
            "hold: z, if: port == 1, id: c",
        )
    )
    assert [sorted(group.rules) for group in found] == [["f/a", "f/b"], ["f/c"]]
    assert [group.operations for group in found] == [("x.*",), ("z",)]


@pytest.mark.parametrize(
    "rule",
    [
        "allow: x.*, if: port == 1",
        "deny: x.*",
        "deny: x.*, if: port == 1, mode: shadow",
        "deny: x.*, if: port == 1, match: {method: GET}",
        "deny: x.*, if: port == 1, undo: true",
    ],
)
def test_what_a_false_condition_does_not_settle_is_in_no_group(rule: str) -> None:
    """Allowing, in shadow, matched by more than its operation, without a condition."""
    grouped = {name for group in groups(rules(rule)) for name in group.rules}
    (made,) = rules(rule)
    assert (made.id in grouped) is ("undo" in rule)


@pytest.mark.parametrize(
    ("port", "host", "wanted"),
    [(1, "a", False), (2, "b", False), (2, "c", True), (3, "a", True)],
)
def test_a_group_is_silent_when_every_rule_has_a_condition_that_is_false(
    port: int, host: str, wanted: bool
) -> None:
    found = groups(
        rules(
            "deny: x.*, if: [port == 1, host == 'a']",
            "hold: x.*, if: port == 2, unless: host == 'c'",
        )
    )
    assert silent(found, port=port, host=host) == [wanted]


def test_an_error_proves_nothing_unless_another_condition_is_false() -> None:
    found = groups(rules("deny: x.*, if: [args.q == 1, port == 1]"))
    assert silent(found, args={}, port=1) == [False]
    assert silent(found, args={}, port=2) == [True]


def test_a_group_is_silent_about_operations_that_are_not_its_own() -> None:
    (group,) = groups(rules("deny: x.*, if: port == 1"))
    assert group.silent("other.y", LANGUAGE.scope({"port": 1}))


def test_a_comment_and_an_or_stay_inside_their_condition() -> None:
    found = groups(
        rules(
            "deny: x.*, if: [\"port == 1 // the first\", \"host == 'a' || host == 'b'\"]",
            "deny: x.*, if: port == 9, unless: \"host == 'a' || host == 'c'\", id: z",
        )
    )
    assert silent(found, port=2, host="b") == [True]
    assert silent(found, port=9, host="c") == [True]
    assert silent(found, port=1, host="b") == [False]


def test_many_rules_are_several_groups_and_each_rule_is_in_one() -> None:
    made = rules(*(f"deny: x.*, if: port == {number}, id: r{number}" for number in range(40)))
    found = groups(made)
    assert [len(group.rules) for group in found] == [16, 16, 8]
    assert set().union(*(group.rules for group in found)) == {rule.id for rule in made}
    assert silent(found, port=39) == [True, True, False]


def test_rules_that_are_too_much_together_are_left_to_themselves() -> None:
    long = " || ".join(f"host == '{'a' * 200}{number}'" for number in range(20))
    made = rules(*(f'deny: x.*, if: "{long}", id: r{number}' for number in range(8)))
    assert groups(made) == ()


conditions = st.sampled_from(
    ["port == 1", "host == 'a'", "args.q == 1", "args.?r.orValue(false)", "size(args) > 1"]
)
rule_texts = st.builds(
    lambda many, unless: f"deny: x.*, if: [{', '.join(many)}]" + (f", unless: {unless}" if unless else ""),
    st.lists(conditions, min_size=1, max_size=3),
    st.none() | conditions,
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(
    st.lists(rule_texts, min_size=1, max_size=4),
    st.integers(1, 2), st.sampled_from("ab"), st.dictionaries(st.sampled_from("qr"), st.sampled_from([1, True, "x"])),
)  # fmt: skip
def test_a_silent_group_has_no_rule_that_applies_or_fails(
    texts: list[str], port: int, host: str, args: dict[str, object]
) -> None:
    made = rules(*(f"{text}, id: r{number}" for number, text in enumerate(texts)))
    scope = LANGUAGE.scope({"port": port, "host": host, "args": args})
    for group in groups(made):
        if group.silent("x.y", scope):
            assert not [
                rule.id for rule in made if rule.id in group.rules and may_apply(rule, scope)
            ]


def may_apply(rule: Rule, scope: object) -> bool:
    """Whether no condition of the rule is false: an error may hide either."""
    values = [outcome(each, scope) for each in rule.conditions]
    if rule.unless is not None:
        said = outcome(rule.unless, scope)
        values.append(None if said is None else not said)
    return False not in values


def outcome(expression: object, scope: object) -> bool | None:
    assert isinstance(expression, CelExpression)
    try:
        return expression.evaluate(scope) is True
    except ExpressionError:
        return None

"""A group says which of its rules apply only if each by itself would have said the same."""

from hypothesis import given, settings
from hypothesis import strategies as st

from goex_proxy.core.expression import ExpressionError
from goex_proxy.core.policy import Rule
from goex_proxy.files import policy_file, yamltext
from goex_proxy.files.cel import CelExpression
from goex_proxy.files.policy_groups import combine

LANGUAGE = policy_file.load([]).language


def rules(*texts: str, let: str = "") -> tuple[Rule, ...]:
    lets = f"let: {{{let}}}\n" if let else ""
    text = f"version: 1\n{lets}rules:\n" + "".join(f"  - {{{one}}}\n" for one in texts)
    return policy_file.read(yamltext.parse(text, "f"), "f", {})


def applying(made: tuple[Rule, ...], **facts: object) -> list[list[str] | None]:
    """The names of the rules that apply, by group; None where it could not be said."""
    said = [group.applying(LANGUAGE.scope(facts)) for group in combine(made)]
    return [each if each is None else [rule.id for rule in each] for each in said]


def test_one_evaluation_says_which_rules_apply() -> None:
    made = rules(
        "deny: x.*, if: port == 1, id: a",
        "hold: y.*, if: port < 3, id: b",
        "allow: z, if: port == 2, id: c, mode: shadow",
        "deny: x.*, if: port > 0, unless: host == 'a', id: d",
    )
    assert applying(made, port=1, host="a") == [["f/a", "f/b"]]
    assert applying(made, port=2, host="b") == [["f/b", "f/c", "f/d"]]
    assert applying(made, port=9, host="a") == [[]]


def test_a_rule_without_conditions_is_in_no_group() -> None:
    assert combine(rules("deny: x.*")) == ()


def test_an_error_proves_nothing_unless_another_condition_is_false() -> None:
    made = rules("deny: x.*, if: [args.q == 1, port == 1]")
    assert applying(made, args={}, port=1) == [None]
    assert applying(made, args={}, port=2) == [[]]


def test_a_comment_and_an_or_stay_inside_their_condition() -> None:
    made = rules(
        "deny: x.*, if: [\"port == 1 // the first\", \"host == 'a' || host == 'b'\"], id: a",
        "deny: x.*, if: port == 9, unless: \"host == 'a' || host == 'c'\", id: z",
    )
    assert applying(made, port=2, host="b") == [[]]
    assert applying(made, port=9, host="c") == [[]]
    assert applying(made, port=1, host="b") == [["f/a"]]


def test_names_of_the_file_are_written_out() -> None:
    made = rules(
        "deny: x.*, if: let.whole == 'a:1', id: a",
        "deny: x.*, if: \"let.whole.startsWith('b') // let.whole\", id: b",
        let='whole: "let.head + \':\' + string(port)", head: "host // its name"',
    )
    (group,) = combine(made)
    assert isinstance(group.mask, CelExpression)
    assert {"host", "port"} == group.mask.names
    assert applying(made, host="a", port=1) == [["f/a"]]
    assert applying(made, host="b", port=1) == [["f/b"]]


def test_many_rules_are_several_groups_and_each_rule_is_in_one() -> None:
    made = rules(*(f"deny: x.*, if: port == {number}, id: r{number}" for number in range(40)))
    found = combine(made)
    assert [len(group.rules) for group in found] == [16, 16, 8]
    assert [rule for group in found for rule in group.rules] == list(made)
    assert applying(made, port=39) == [[], [], ["f/r39"]]


def test_rules_that_are_too_much_together_are_left_to_themselves() -> None:
    long = " || ".join(f"host == '{'a' * 200}{number}'" for number in range(20))
    made = rules(*(f'deny: x.*, if: "{long}", id: r{number}' for number in range(8)))
    assert combine(made) == ()


conditions = st.sampled_from(
    ["port == 1", "host == 'a'", "args.q == 1", "args.?r.orValue(false)", "size(args) > 1",
     "let.q == 1", "let.h == 'aa'"]
)  # fmt: skip
rule_texts = st.builds(
    lambda many, unless: f"deny: x.*, if: [{', '.join(many)}]" + (f", unless: {unless}" if unless else ""),
    st.lists(conditions, min_size=1, max_size=3),
    st.none() | conditions,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    st.lists(rule_texts, min_size=1, max_size=4),
    st.integers(1, 2), st.sampled_from("ab"), st.dictionaries(st.sampled_from("qr"), st.sampled_from([1, True, "x"])),
)  # fmt: skip
def test_what_a_group_says_each_rule_says_by_itself(
    texts: list[str], port: int, host: str, args: dict[str, object]
) -> None:
    numbered = (f"{text}, id: r{number}" for number, text in enumerate(texts))
    made = rules(*numbered, let='q: args.q, h: "host + host"')
    scope = LANGUAGE.scope({"port": port, "host": host, "args": args})
    for group in combine(made):
        said = group.applying(scope)
        alone = [applies(rule, scope) for rule in group.rules]
        if said is None:
            assert None in alone
        else:
            assert alone == [rule in said for rule in group.rules]


def applies(rule: Rule, scope: object) -> bool | None:
    """None: an error decides."""
    values = [outcome(each, scope) for each in rule.conditions]
    if rule.unless is not None:
        said = outcome(rule.unless, scope)
        values.append(None if said is None else not said)
    if False in values:
        return False
    return None if None in values else True


def outcome(expression: object, scope: object) -> bool | None:
    assert isinstance(expression, CelExpression)
    try:
        return expression.evaluate(scope) is True
    except ExpressionError:
        return None

"""CEL through the adapter: every trap of the engine ends there."""

import concurrent.futures
import datetime
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.core.expression import ExpressionError
from goex_proxy.files.cel import Want
from goex_proxy.files.issue import FileError
from goex_proxy.files.node import Fields, Scalar
from goex_proxy.files.yamltext import parse
from tests.files.cel_world import PLAIN, error, refusal, run

# --- what the engine would get wrong ------------------------------------------------------


def test_a_nul_does_not_end_a_text() -> None:
    assert run("x.k == 'a'", {"x": {"k": "a\0evil"}}, "bool") is False
    assert run("x.k", {"x": {"k": "a\0evil"}}) == "a\ufffdevil"


def test_a_nul_does_not_end_a_key() -> None:
    assert run("has(x.a)", {"x": {"a\0b": 1}}, "bool") is False
    assert run("'a' in x.m", {"x": {"m": {"a\0b": 1}}}, "bool") is False


def test_keys_that_only_a_nul_tells_apart_are_an_error() -> None:
    assert "two keys" in error("size(x)", {"x": {"a\0": 1, "a\ufffd": 2}})


def test_a_lone_surrogate_is_replaced() -> None:
    assert run("x.k + x.l", {"x": {"k": "\ud800", "l": "\U0001f600"}}) == "\ufffd\U0001f600"


@pytest.mark.parametrize("depth", [65, 500, 5_000])
def test_deep_nesting_is_an_error_and_no_crash(depth: int) -> None:
    deep: object = 1
    for _ in range(depth):
        deep = {"k": [deep]}
    assert "nested deeper" in error("x.k == 1", {"x": deep}, "bool")


def test_nesting_up_to_the_cap_is_read() -> None:
    deep: object = 1
    for _ in range(64):
        deep = [deep]
    assert run("size(x)", {"x": deep}) == 1


@pytest.mark.parametrize(
    ("number", "bigger"),
    [
        (2**63 - 1, True),
        (2**63, True),
        (2**64 - 1, True),
        (2**64, True),
        (10**400, True),
        (-(2**63), False),
        (-(2**63) - 1, False),
        (-(10**400), False),
    ],
)
def test_a_whole_number_of_any_size_compares(number: int, bigger: bool) -> None:
    assert run("x > 5", {"x": number}, "bool") is bigger


def test_ids_up_to_64_bits_are_told_apart() -> None:
    assert run("x == y", {"x": 2**63, "y": 2**63 + 1}, "bool") is False


@pytest.mark.parametrize("want", ["bool", "string", "any"])
def test_an_error_is_never_a_value(want: Want) -> None:
    assert "missing" in error("x.missing", {"x": {}}, want)


@pytest.mark.parametrize("value", ["true", 1, [], None, {}, 0.5])
def test_what_is_neither_true_nor_false_is_an_error_where_truth_is_wanted(value: object) -> None:
    assert "true or false is wanted" in error("x", {"x": value}, "bool")


def test_has_of_a_dotted_name_is_refused_at_load() -> None:
    assert "true or false is wanted" in refusal("has(credential.name)", "bool").what


def test_a_name_without_a_value_is_an_error_that_says_so() -> None:
    assert "s: it has no value here" in error("s == 'a'", {}, "bool")


def test_a_name_without_a_value_does_not_matter_where_it_is_not_needed() -> None:
    assert run("b || s == 'a'", {"b": True}, "bool") is True


def test_a_time_without_its_zone_is_an_error() -> None:
    assert "zone" in error("now", {"now": datetime.datetime(2025, 1, 1)})  # noqa: DTZ001


@pytest.mark.parametrize("value", [object(), {1}, {1: 2}, datetime.date(2025, 1, 1)])
def test_a_value_that_cel_does_not_know_is_an_error(value: object) -> None:
    assert error("x == 1", {"x": value}, "bool")


@pytest.mark.parametrize(
    "source",
    [
        "[args.?q]",
        "{'a': args.?q}",
        "[1, args.?q]",
        "x.map(i, i.?q)",
        "[dyn(args.?q)]",
        "names(dyn([dyn(args.?q)]))",
        "x.transformMap(k, v, v.?q)",
        "b ? dyn(args.?q) : 1",
        "[[args.?q]]",
    ],
)
def test_an_optional_inside_a_value_is_refused_where_the_engine_would_crash(source: str) -> None:
    assert refusal(source).hint


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("args.?q", None),
        ("args.?k", 1),
        ("args.?k.orValue(5)", 1),
        ("args[?'q'].orValue(5)", 5),
        ("[?args.?q, ?args.?k]", [1]),
        ("{?'q': args.?q}", {}),
        ("args.?m.?n", 2),
        ("args.?m.optMap(v, v.n + 1)", 3),
        ("[1, 2].first()", 1),
        ("x.first()", None),
        ("args.?q.hasValue()", False),
        ("args.?q.or(args.?k)", 1),
        ("b ? args.?k : args.?q", 1),
    ],
)
def test_an_optional_comes_out_as_its_value_or_as_nothing(source: str, value: object) -> None:
    assert run(source, {"args": {"k": 1, "m": {"n": 2}}, "x": [], "b": True}) == value


def test_endless_loops_end() -> None:
    many = list(range(10_001))
    assert "Iteration" in error("x.all(i, i >= 0)", {"x": many}, "bool")
    assert "Iteration" in error("x.all(i, x.all(j, i + j >= 0))", {"x": many[:500]}, "bool")


def test_no_regular_expression_takes_for_ever() -> None:
    assert (
        run("rx(s, '(a+)+$') || s.matches('(a|aa)+$')", {"s": "a" * 50_000 + "!"}, "bool") is False
    )


def test_expressions_on_eight_threads_do_not_mix() -> None:
    check = PLAIN.compile("n == size(split(s, ',')) && x.exists(i, i == n)", "bool")

    def many(number: int) -> bool:
        s = ",".join("a" * number)
        values = {"n": number, "s": s, "x": list(range(10))}
        return all(check.evaluate(PLAIN.scope(values)) is (number < 10) for _ in range(200))

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert all(pool.map(many, range(1, 17)))


# --- what is refused when a file is loaded ------------------------------------------------


@pytest.mark.parametrize(
    ("source", "want", "word"),
    [
        ("nope == 1", "bool", "undeclared reference to 'nope'"),
        ("nope == 1 || true", "bool", "undeclared"),
        ("credential.nme == 'a'", "bool", "credential.nme"),
        ("let.repo == 'a'", "bool", "let.repo"),
        ("Let.repo == 'a'", "bool", "undeclared"),
        ("s == 1", "bool", "'==' applied to (string, int)"),
        ("n < 1.5", "bool", "'<' applied to (int, double)"),
        ("s", "bool", "true or false is wanted"),
        ("b", "string", "a text is wanted"),
        ("s", "list", "a list is wanted"),
        ("args.?x", "bool", "true or false is wanted"),
        ("nofunction(s)", "any", "nofunction"),
        ("rx(s, 1)", "bool", "rx"),
        ("rx(s, '(')", "bool", "not a regular expression"),
        ("s.matches('(?=a)')", "bool", "not a regular expression"),
        ("s ==", "bool", "Syntax error"),
        ("", "bool", "empty expression"),
        ("'a", "any", "Syntax error"),
        ("+".join("1" * 40), "any", "recursion"),
        ("s" + " " * 20_000, "any", "longer than"),
        ("true) || (true", "bool", "Syntax error"),
        ("args.?x)] + [?(args.?y", "any", "Syntax error"),
    ],
)
def test_a_mistake_is_found_at_load(source: str, want: Want, word: str) -> None:
    assert word in refusal(source, want).what


def test_all_mistakes_of_an_expression_are_named_with_their_place_in_the_file() -> None:
    node = parse("rules:\n  - if: >-\n      nope == 1 &&\n      s == 2\n", "team.yaml")
    assert isinstance(node, Fields)
    (_, items) = node.entries["rules"]
    rule = next(iter(items))  # type: ignore[arg-type]
    assert isinstance(rule, Fields)
    text = rule.get("if")
    assert isinstance(text, Scalar)
    with pytest.raises(FileError) as caught:
        PLAIN.compile(text.text, "bool", text)
    assert [(i.at.line, i.at.col) for i in caught.value.issues] == [(3, 7), (4, 9)]
    assert "^" in str(caught.value)


leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(codec=None), max_size=8)
    | st.text(st.sampled_from("a\0\ufdd0\ufdd10\ud800"), max_size=6)
)
bodies = st.recursive(
    leaves | st.floats(allow_nan=False, allow_infinity=False),
    lambda c: st.lists(c, max_size=4) | st.dictionaries(st.sampled_from("abcd"), c, max_size=4),
    max_leaves=10,
)


@given(bodies)
def test_any_body_gives_true_false_or_an_expression_error(body: object) -> None:
    for source in (
        "x.a == 'a'",
        "x.?a.?b.orValue(1) == 1",
        "has(x.a) && size(x.a) > 1",
        "x.exists(i, i == 1)",
        "names(x.a) == []",
        "'a' in x",
        "x.a < 5",
    ):
        try:
            assert run(source, {"x": body}, "bool") in (True, False)
        except ExpressionError as refused:
            assert refused.why  # noqa: PT017
    json.dumps(body)

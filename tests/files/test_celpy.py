"""The second engine: the same values by other means, and never a value where it cannot say."""

import concurrent.futures
import datetime
import sys
from collections.abc import Mapping

import pytest

from goex_proxy.core.expression import ExpressionError
from goex_proxy.files.cel import Cel, Want
from goex_proxy.files.celpy import Celpy, CelpyExpression, NotCore
from tests.files.cel_world import FUNCTIONS, NAMES, PLAIN

SECOND = Celpy(FUNCTIONS)
NOON = datetime.datetime(2025, 11, 20, 12, tzinfo=datetime.UTC)


def taken(source: str, want: Want = "any", cel: Cel = PLAIN) -> CelpyExpression:
    return SECOND.take(cel.compile(source, want))


def run(
    source: str, values: Mapping[str, object] = {}, want: Want = "any", cel: Cel = PLAIN
) -> object:
    return taken(source, want, cel).evaluate(SECOND.scope(values))


@pytest.mark.parametrize(
    "value",
    [True, False, None, 7, -7, 2**63 - 1, 2**64 - 1, 1.5, "ü😀", "", [], {}, [1, ["a", None]], {"k": {"l": [True]}}, NOON, datetime.timedelta(hours=1)],
)  # fmt: skip
def test_a_value_comes_out_as_the_python_value_it_was(value: object) -> None:
    found = run("x", {"x": value})
    assert found == value
    if not isinstance(value, datetime.datetime | datetime.timedelta):
        assert type(found) is type(value)


def test_what_stands_inside_a_value_is_of_python_too() -> None:
    found = run("{'k': [s, n, b]}", {"s": "a", "n": 1, "b": True})
    assert isinstance(found, dict)
    assert [type(item) for item in found["k"]] == [str, int, bool]
    assert [type(key) for key in found] == [str]


def test_names_with_dots_are_one_map_and_each_keeps_its_value() -> None:
    cel = Cel({**NAMES, "credential.labels": "list<string>"}, FUNCTIONS)
    values = {"credential.name": "gh", "credential.labels": ["prod"]}
    source = "credential.name == 'gh' && 'prod' in credential.labels"
    assert run(source, values, "bool", cel) is True


def test_lets_and_constants_are_known_to_it() -> None:
    cel = Cel({**NAMES, "lists.us": "list<string>"}, FUNCTIONS, constants={"lists.us": ["b.co"]})
    cel = cel.with_let("let.who", cel.compile("domain(s)"))
    cel = cel.with_let("let.ours", cel.compile("let.who in lists.us"))
    assert run("let.ours", {"s": "a@b.co"}, "bool", cel) is True
    assert run("let.ours", {"s": "a@c.co"}, "bool", cel) is False


def test_our_functions_give_it_the_same() -> None:
    assert run("domain(s) + url('a b')", {"s": "a@b.co"}) == "b.coa%20b"
    assert run("names(x)", {"x": [{"name": "a"}, "b"]}) == ["a", "b"]
    assert run("split(s, ',')", {"s": "a,b"}) == ["a", "b"]


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("args.?q.orValue(1) == 1", "_?._"),
        ("'a'.trim() == 'a'", "trim"),
        ("cel.bind(a, 1, a) == 1", "a macro of an extension"),
        ("args.exists(k, v, v == 1)", "a macro of an extension"),
        ("abs('/a') == ''", "abs"),
    ],
)
def test_what_it_needs_beyond_the_core_is_named(source: str, word: str) -> None:
    with pytest.raises(NotCore, match="not in the core profile: .*" + word.replace("?", r"\?")):
        taken(source)


def test_a_let_beyond_the_core_is_no_value_but_an_error() -> None:
    cel = PLAIN.with_let("let.q", PLAIN.compile("args.?q.orValue(1)"))
    with pytest.raises(ExpressionError, match="not in the core profile"):
        run("let.q == 1", {"args": {}}, "bool", cel)


@pytest.mark.parametrize(
    ("source", "values"),
    [
        ("s == 'a'", {}),
        ("x.missing == 1", {"x": {}}),
        ("x", {"x": object()}),
        ("rx(s, s) && b", {"s": "(", "b": True}),
        ("n / 0 == 1", {"n": 1}),
        ("pluck(x, 'k') == []", {"x": [{}]}),
        ("x == 1", {"x": datetime.datetime(2025, 1, 1)}),  # noqa: DTZ001
    ],
)
def test_what_it_cannot_say_is_an_error_with_its_source(
    source: str, values: Mapping[str, object]
) -> None:
    with pytest.raises(ExpressionError) as caught:
        run(source, values)
    assert caught.value.source == source
    assert caught.value.why


def test_an_error_does_not_list_the_values_of_the_scope() -> None:
    untaken = CelpyExpression(Celpy(()), PLAIN.compile("split(s, 'q') == []"))
    with pytest.raises(ExpressionError, match="undeclared reference to 'split'") as caught:
        untaken.evaluate(SECOND.scope({"s": "attack at dawn"}))
    assert "attack" not in caught.value.why


@pytest.mark.parametrize("value", [1, "true", None, []])
def test_only_true_and_false_are_truth(value: object) -> None:
    with pytest.raises(ExpressionError, match="true or false is wanted"):
        run("x", {"x": value}, "bool")


def test_a_scope_of_the_first_engine_is_not_its_own() -> None:
    with pytest.raises(ExpressionError, match="another language"):
        taken("s == 'a'").evaluate(PLAIN.scope({"s": "a"}))
    with pytest.raises(ExpressionError, match="another language"):
        PLAIN.compile("s == 'a'").evaluate(SECOND.scope({"s": "a"}))


def test_the_limit_of_the_whole_process_stays_as_it_was() -> None:
    before = sys.getrecursionlimit()
    assert Celpy(FUNCTIONS).take(PLAIN.compile("n == 41")).evaluate(SECOND.scope({"n": 41})) is True
    assert sys.getrecursionlimit() == before


def test_expressions_on_eight_threads_do_not_mix() -> None:
    asks = [taken(f"n == {number} && domain(s) == 'b.co'", "bool") for number in range(4)]

    def many(number: int) -> bool:
        scope = SECOND.scope({"n": number, "s": "a@b.co"})
        return all(ask.evaluate(scope) is (at == number) for _ in range(20) for at, ask in enumerate(asks))  # fmt: skip

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert all(pool.map(many, [0, 1, 2, 3] * 4))


def test_it_says_what_it_was_made_of() -> None:
    expression = taken("s == 'a' && n == 1")
    assert expression.source == "s == 'a' && n == 1"
    assert expression.names == {"s", "n"}

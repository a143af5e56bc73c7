"""Names are looked up once, and only those that an expression reads."""

from collections.abc import Iterator, Mapping

import pytest

from goex_proxy.core.expression import ExpressionError
from goex_proxy.files.cel import Cel
from tests.files.cel_world import EXACT, FUNCTIONS, NAMES, PLAIN, error, run


class Counting(Mapping[str, object]):
    def __init__(self, values: Mapping[str, object]) -> None:
        self.values_ = values
        self.asked: list[str] = []

    def __getitem__(self, name: str) -> object:
        self.asked.append(name)
        return self.values_[name]

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("a scope must not look at all its names")

    def __len__(self) -> int:
        return len(self.values_)


def test_a_value_is_looked_up_once_and_only_if_an_expression_reads_it() -> None:
    values = Counting({"s": "a", "n": 1, "x": {"k": 1}})
    scope = PLAIN.scope(values)
    for source in ("s == 'a'", "s == 'b'", "n == 1 && s == 'a'"):
        PLAIN.compile(source, "bool").evaluate(scope)
    assert values.asked == ["s", "n"]


@pytest.mark.parametrize(
    ("source", "fields"),
    [
        ("args.a == 1 && has(args.b) && 'c' in args && args['d'] == args[?'e'].orValue(1) && args.?f.hasValue()", {"a", "b", "c", "d", "e", "f"}),
        ("args.a.b.c == 1", {"a"}),
        ("args == {}", None), ("size(args) == 1", None), ("args.exists(k, k == 'a') && args.b == 1", None), ("args[s] == 1", None),
        ("[args.a].exists(i, i == args.b)", {"a", "b"}), ("{'k': args.a} == {args.b: 1}", {"a", "b"}),
    ],
)  # fmt: skip
def test_what_is_read_of_a_map_is_known(source: str, fields: set[str] | None) -> None:
    assert PLAIN.compile(source).fields["args"] == fields


def test_expressions_that_read_more_of_a_map_than_those_before_find_it() -> None:
    scope = PLAIN.scope({"args": {"a": 1, "b": 2}})
    found = [
        PLAIN.compile(f"args == {{'a': 1, 'b': 2}} || {f}", "bool").evaluate(scope)
        for f in ("args.a == 9", "args.b == 9")
    ]
    assert found == [True, True]
    scope = PLAIN.scope({"args": {"a": 1, "b": 2}})
    assert [
        PLAIN.compile(f).evaluate(scope) for f in ("args.a", "args.b", "size(args)", "args.a")
    ] == [1, 2, 2, 1]


def test_a_let_is_evaluated_once_and_only_if_it_is_read() -> None:
    values = Counting({"s": "a/b", "n": 1})
    cel = PLAIN.with_let("let.repo", PLAIN.compile("split(s, '/')[1]"))
    cel = cel.with_let("let.twice", cel.compile("string(let.repo) + let.repo"))
    scope = cel.scope(values)
    assert cel.compile("n == 1", "bool").evaluate(scope) is True
    assert values.asked == ["n"]
    assert cel.compile("let.twice").evaluate(scope) == "bb"
    assert cel.compile("let.repo").evaluate(scope) == "b"
    assert values.asked == ["n", "s"]


def test_a_let_that_fails_is_an_error_only_where_it_is_needed() -> None:
    cel = PLAIN.with_let("let.bad", PLAIN.compile("x.nope"))
    values = {"x": {}, "b": True}
    assert run("b || let.bad == 1", values, "bool", cel) is True
    assert "let.bad" in error("let.bad == 1", values, "bool", cel)


def test_a_part_of_a_value_never_passes_for_the_whole() -> None:
    deep: object = 1
    for _ in range(100):
        deep = [deep]
    cel = Cel(NAMES, FUNCTIONS)
    part, whole = cel.compile("x.a == 1", "bool"), cel.compile("size(x) == 1", "bool")
    scope = cel.scope({"x": {"a": 1, "deep": deep}})
    assert part.evaluate(scope) is True
    with pytest.raises(ExpressionError, match="nested deeper"):
        whole.evaluate(scope)


def test_a_scope_of_two_languages_has_one_set_of_values_and_two_of_names() -> None:
    """One decision reads several files: each has lets of its own under the same name."""
    values = Counting({"s": "a", "n": 1})
    one = PLAIN.with_let("let.x", PLAIN.compile("s + '1'"))
    two = PLAIN.with_let("let.x", PLAIN.compile("s + '2'"))
    scope = PLAIN.scope(values)
    assert one.compile("let.x").evaluate(scope) == "a1"
    assert two.compile("let.x").evaluate(scope) == "a2"
    assert one.compile("let.x").evaluate(scope) == "a1"


def test_constants_are_bound_without_being_looked_up() -> None:
    cel = Cel({**NAMES, "lists.us": "list<string>"}, FUNCTIONS, constants={"lists.us": ["a.com"]})
    values = Counting({"s": "a.com"})
    assert cel.compile("s in lists.us", "bool").evaluate(cel.scope(values)) is True
    assert values.asked == ["s"]


def test_names_at_hand_are_bound_together_and_the_others_one_by_one() -> None:
    cel = Cel(NAMES, FUNCTIONS, at_hand=frozenset({"s", "n", "args"}))
    first = cel.compile("s == 'a'", "bool")
    cel.compile("n == 1 && b && args.k == 1 && size(x) == 1", "bool")
    values = Counting({"s": "a", "n": 1, "b": True, "args": {"k": 1}, "x": [1]})
    assert first.evaluate(cel.scope(values)) is True
    assert sorted(set(values.asked)) == ["args", "n", "s"]


def test_a_name_at_hand_without_a_value_hurts_only_who_reads_it() -> None:
    cel = Cel(NAMES, FUNCTIONS, at_hand=frozenset({"s", "n"}))
    needy = cel.compile("n == 1", "bool")
    scope = cel.scope({"s": "a"})
    assert cel.compile("s == 'a'", "bool").evaluate(scope) is True
    with pytest.raises(ExpressionError, match="n: it has no value here"):
        needy.evaluate(scope)


def test_of_a_map_only_the_fields_that_are_read_must_be_fit_for_cel() -> None:
    assert run("args.a == 1", {"args": {"a": 1, "b": object()}}, "bool") is True
    assert "CEL has no object" in error("args.b == 1", {"args": {"a": 1, "b": object()}}, "bool")


@pytest.mark.parametrize("source", ["type(s)", "[type(s)]", "{1: s}"])
def test_what_is_no_value_never_comes_out(source: str) -> None:
    assert error(source, {"s": "a"})
    assert error(source, {"s": "a"}, cel=EXACT)


def test_bytes_come_out_as_bytes() -> None:
    found = run("[b'\\xff', x.raw]", {"x": {"raw": b"ab"}})
    assert found == [b"\xff", b"ab"]
    assert [type(item) for item in found] == [bytes, bytes]


def test_a_let_is_evaluated_in_the_scope_of_who_reads_it() -> None:
    cel = PLAIN.with_let("let.who", PLAIN.compile("domain(s)"))
    ask = cel.compile("let.who + domain('x@b.co')")
    for s, wanted in (("a@one.com", "one.comb.co"), ("a@two.com", "two.comb.co")):
        assert ask.evaluate(cel.scope({"s": s})) == wanted

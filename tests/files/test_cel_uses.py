"""What an expression reads, told from the engine's checked tree."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.files.cel_text import hidden, hidden_name
from goex_proxy.files.cel_uses import Uses, uses
from tests.files.cel_world import NAMES, PLAIN

DECLARED = frozenset(map(hidden_name, NAMES))


def read(source: str) -> Uses:
    return uses(PLAIN.env.compile(hidden(source)).serialize(), DECLARED)


@pytest.mark.parametrize(
    ("source", "fields"),
    [
        ("1 + 1", {}),
        ("s", {"s": None}),
        ("credential.name == 'a'", {"credential.name": None}),
        ("args.a", {"args": {"a"}}),
        ("args['a b'] == 1 || has(args.c)", {"args": {"a b", "c"}}),
        ("args[?'a'].hasValue() || 'b' in args", {"args": {"a", "b"}}),
        ("args.a.b.c[0]", {"args": {"a"}}),
        ("args[s]", {"args": None, "s": None}),
        ("s in args", {"args": None, "s": None}),
        ("'a' in s.split(',')", {"s": None}),
        ("args.a == args", {"args": None}),
        ("args == args.a", {"args": None}),
        ("size(args)", {"args": None}),
        ("args.all(k, k == 'a')", {"args": None}),
        ("b ? args.a : args.c", {"b": None, "args": {"a", "c"}}),
        ("[args.a, {'k': args.b, args.c: n}]", {"args": {"a", "b", "c"}, "n": None}),
        ("x.exists(i, i.s == s)", {"x": None, "s": None}),
        ("[1].exists(args, args == 2)", {"args": None}),  # not told apart: too much is read
        ("cel.bind(s, args.a, s == 1)", {"args": {"a"}, "s": None}),
        ("headers.host.startsWith(s)", {"headers": {"host"}, "s": None}),
    ],
)
def test_names_are_known_with_the_fields_that_are_read(
    source: str, fields: dict[str, set[str] | None]
) -> None:
    assert read(source).fields == fields


@pytest.mark.parametrize(
    ("source", "patterns"),
    [
        ("rx(s, 'a+')", [("a+", 6)]),
        ("s.matches(r'\\d')", [("\\d", 10)]),
        ("b || rx(s, 'a') || rx(s, 'b')", [("a", 11), ("b", 25)]),
        ("rx(s, s)", []),
        ("s.contains('(')", []),
        ("x.exists(i, rx(i, 'q'))", [("q", 18)]),
    ],
)
def test_patterns_that_stand_in_the_source_are_known_with_their_place(
    source: str, patterns: list[tuple[str, int]]
) -> None:
    assert sorted(read(source).patterns) == patterns


def test_functions_are_known_wherever_they_are_called() -> None:
    found = read("x.exists(i, size(i) > 1) ? {'k': [domain(s)]} : {s.trim(): [b64('a')]}")
    assert {"size", "domain", "trim", "b64", "_>_", "_?_:_"} <= found.functions
    assert not found.two_variables


def test_a_comprehension_with_two_variables_is_told_apart() -> None:
    assert read("[{'a': 1}.transformList(k, v, k)]").two_variables
    assert read("args.exists(k, v, k == 'a' && v == 1)").two_variables


@pytest.mark.parametrize(
    ("source", "offset"),
    [
        ("[args.?q]", 5), ("b ? dyn([1]) : [args.?q]", 20), ("{'a': args.?q}", 10), ("[1].map(i, args.?q)", 15), ("[optional.of(n)]", 12),
        ("size([args.?q])", 10), ("domain(string(dyn(args.?q)))", 22),
    ],
)  # fmt: skip
def test_an_optional_inside_a_value_is_found_where_it_is(source: str, offset: int) -> None:
    assert read(source).optional_inside == offset


@pytest.mark.parametrize(
    "source",
    ["args.?q", "[?args.?q]", "[1, ?args.?q]", "{?'a': args.?q}", "args.?q.orValue(1)", "args.?q.?r.hasValue()", "args.?q.or(args.?r)", "b ? args.?q : args.?r", "args.?q == args.?r",
     "args.?q.optMap(v, v.n)", "[args.?q.orValue(1)]", "optional.of(args.?q).value().hasValue()"],
)  # fmt: skip
def test_an_optional_that_is_taken_or_left_out_is_none_inside_a_value(source: str) -> None:
    assert read(source).optional_inside is None


@given(st.binary(max_size=60))
def test_bytes_that_are_no_tree_are_an_error_or_a_tree_that_reads_nothing(data: bytes) -> None:
    try:
        found = uses(data, DECLARED)
    except ValueError:
        return
    assert found.fields == {}


@given(st.data())
def test_a_tree_that_was_cut_never_hangs_and_fails_with_no_other_error(data: st.DataObject) -> None:
    whole = PLAIN.env.compile("args.a == 1 && x.exists(i, rx(i, 'a'))").serialize()
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    try:
        uses(cut, DECLARED)
    except ValueError:
        return

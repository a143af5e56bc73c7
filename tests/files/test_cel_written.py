"""What is written out means what it stood for, and calls none of our functions."""

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from goex_proxy.core.expression import ExpressionError
from goex_proxy.core.policy import Ruleset
from goex_proxy.files import policy_file, yamltext
from goex_proxy.files.cel import Cel, CelExpression
from goex_proxy.files.cel_functions import POLICY_FUNCTIONS
from goex_proxy.files.cel_written import Let, each_written_out, written_out
from goex_proxy.files.policy_groups import combine

TYPES = {"text": "string", "other": "string", "many": "list<string>", "args": "map<string, dyn>"}
CEL = Cel(TYPES, POLICY_FUNCTIONS)


def uncalled(*args: object) -> object:
    raise AssertionError("the engine called a function of ours")


NATIVE = Cel(TYPES, [replace(each, impl=uncalled) for each in POLICY_FUNCTIONS])


def both(source: str, **values: object) -> tuple[object, object]:
    """What it comes to as it stands, and written out; None for an error."""
    return value(CEL.compile(source), values), value(
        NATIVE.compile(written_out(source, {})), values
    )


def value(expression: CelExpression, values: dict[str, object]) -> object:
    try:
        return expression.evaluate(expression.cel.scope(values))
    except ExpressionError:
        return None


LETS = each_written_out(
    {"let.a": Let("X", frozenset("X")), "let.nested": Let("let.a + 1", frozenset(("let",)))}
)


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("let.a == 1", "(\nX\n) == 1"),
        ("'let.a' + let.a", "'let.a' + (\nX\n)"),
        ("args.let.a", "args.let.a"),
        ("args.?let.a", "args.?let.a"),
        ("let . a", "(\nX\n)"),
        ("let.other", "let.other"),
        ("let.nested", "(\n(\nX\n) + 1\n)"),
        ("a // let.a\n+ let.a.b", "a // let.a\n+ (\nX\n).b"),
        ("l.exists(X, X == let.a)", "l.exists(X, X == let.a)"),
        ("l.exists(X, X == let.nested)", "l.exists(X, X == let.nested)"),
        ("l.exists(i , X , X == let.a)", "l.exists(i , X , X == let.a)"),
        ("rx(a, 'b')", "((\na\n).matches(\n 'b'\n))"),
        ("args.rx(a, 'b')", "args.rx(a, 'b')"),
        ("rx(f(a, b), g[',)'])", "((\nf(a, b)\n).matches(\n g[',)']\n))"),
        ("'rx(a, b)' // rx(a, b)", "'rx(a, b)' // rx(a, b)"),
        ('glob(a, "b*.c")', "((\na\n).matches(r'''(?s)^(?:b.*\\.c)$'''))"),
        ("rx(a", "rx(a"),
        ("rx(a)", "rx(a)"),
        ("rx", "rx"),
        ("", ""),
    ],
)
def test_only_what_is_meant_is_written_out(source: str, wanted: str) -> None:
    assert written_out(source, LETS) == wanted


@given(st.text(max_size=12), st.text("ab.*[](|)^$\\+?{1}", max_size=6))
@example("a\nb", "^b")
@example("b\n", "b$")
@example("\ufffd", ".")
def test_a_pattern_finds_the_same(text: str, pattern: str) -> None:
    as_it_stands, native = both("rx(text, other)", text=text, other=pattern)
    assert as_it_stands == native


@given(
    st.text("ab/.*-[(\n \u00e4", max_size=8),
    st.text("ab/.*?-[]()+^$|{} #&~\u00e4", max_size=8),
)
def test_a_glob_matches_the_same(text: str, pattern: str) -> None:
    as_it_stands, native = both(f"glob(text, '{pattern}')", text=text)
    assert as_it_stands is native


def test_a_glob_that_is_not_plain_text_stays_a_call() -> None:
    for source in ("glob(text, other)", "glob(text, 'a' + other)", r"glob(text, 'a\\b')"):
        assert written_out(source, {}) == source


def test_functions_within_functions_and_macros_are_written_out_too() -> None:
    source = "many.all(m, rx(m, '^(' + string(rx(other, 'c')) + ')$') || glob(m, 'b*'))"
    values = {"many": ["true", "b@x.com"], "other": "c@x.com"}
    assert both(source, **values) == (True, True)
    assert both(source, **{**values, "other": "y.om"}) == (False, False)


def test_lets_that_double_with_each_stay_lets_and_take_no_time() -> None:
    lets = {
        f"let.a{n}": Let(f"let.a{n - 1} + let.a{n - 1}", frozenset("let")) for n in range(1, 60)
    }
    done = each_written_out({"let.a0": Let("path", frozenset(("path",)))} | lets)
    assert done["let.a3"].source.count("path") == 8
    assert all(len(let.source) <= 4096 and "path" in let.reads for let in done.values())


@pytest.mark.parametrize("source", ["rx(args.a, 'x')", "glob(args.a, 'x')"])
def test_what_is_an_error_stays_one(source: str) -> None:
    assert both(source, args={"a": 1}, text="t") == (None, None)


def test_a_name_that_a_macro_binds_is_not_taken_for_the_one_that_a_let_reads() -> None:
    text = """\
version: 1
let: {first: "path"}
rules:
  - {deny: "*", id: a, if: "segments.exists(path, path == let.first)"}
  - {deny: "*", id: b, if: "port == 1"}
"""
    rules = policy_file.read(yamltext.parse(text, "f"), "f", {})
    ruleset = Ruleset(language=policy_file.load([]).language, rules=rules, combine=combine)
    (group,) = combine(rules)
    facts = {"path": "/a", "segments": ["b", "/a"], "port": 2}
    assert group.applying(ruleset.language.scope(facts)) == [rules[0]]

"""A map of a file, key by key: a wrong value is noted in its place and reading goes on."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.files.form import Form, form_of, said
from goex_proxy.files.issue import FileError, Issue, Issues
from goex_proxy.files.node import Items
from goex_proxy.files.yamltext import parse


def form(text: str) -> Form:
    return form_of(parse(text, "f"), Issues())


def only(made: Form) -> Issue:
    (issue,) = made.issues.found
    return issue


@pytest.mark.parametrize(
    ("ask", "default"),
    [
        (lambda f: f.text("k"), None), (lambda f: f.texts("k"), ()), (lambda f: f.flag("k", True), True), (lambda f: f.choice("k", ["a"], "a"), "a"),
        (lambda f: f.number("k", 7), 7), (lambda f: f.duration("k"), None), (lambda f: f.size("k", 9), 9), (lambda f: f.form("k"), None), (lambda f: list(f.forms("k")), []),
    ],
)  # fmt: skip
def test_what_is_not_there_has_its_default_and_is_no_mistake(
    ask: Callable[[Form], object], default: object
) -> None:
    made = form("version: 1")
    assert ask(made) == default
    assert made.issues.found == []


@pytest.mark.parametrize(
    ("text", "ask", "value"),
    [
        ("k: a b", lambda f: f.text("k").text, "a b"),
        ("k: on", lambda f: f.text("k").text, "on"),
        ("k: a", lambda f: [t.text for t in f.texts("k")], ["a"]),
        ("k: [a, '1']", lambda f: [t.text for t in f.texts("k")], ["a", "1"]),
        ("k: false", lambda f: f.flag("k", True), False),
        ("k: hold", lambda f: f.choice("k", ["deny", "hold"], "deny"), "hold"),
        ("k: 403", lambda f: f.number("k", 1), 403),
        ("k: 1h30m", lambda f: f.duration("k"), 5400.0),
        ("k: 1.5s500ms", lambda f: f.duration("k"), 2.0),
        ("k: 30d", lambda f: f.duration("k"), 2592000.0),
        ("k: 64KiB", lambda f: f.size("k", 1), 65536),
        ("k: 7B", lambda f: f.size("k", 1), 7),
        ("k: {a: 1}", lambda f: f.form("k").number("a", 0), 1),
        ("k: [{a: 1}, {a: 2}]", lambda f: [i.number("a", 0) for i in f.forms("k")], [1, 2]),
    ],
)
def test_what_is_right_is_read(text: str, ask: Callable[[Form], object], value: object) -> None:
    made = form(text)
    assert ask(made) == value
    assert made.issues.found == []


@pytest.mark.parametrize(
    ("value", "ask", "default", "what"),
    [
        ("403", lambda f: f.text("k"), None, "k: the number 403, and a text is wanted"),
        ("true", lambda f: f.text("k"), None, "k: true, and a text is wanted"),
        ("''", lambda f: f.text("k"), None, "k: '', and a text is wanted"),
        ("null", lambda f: f.text("k"), None, "k: nothing, and a text is wanted"),
        ("[a]", lambda f: f.text("k"), None, "k: a list, and a text is wanted"),
        ("{a: 1}", lambda f: f.texts("k"), (), "k: a map, and a text is wanted"),
        ("[]", lambda f: f.texts("k"), (), "k: an empty list, and a text or a list of texts is wanted"),
        ("[a, 1]", lambda f: len(f.texts("k")), 1, "k: a list, and a text or a list of texts is wanted"),
        ("'true'", lambda f: f.flag("k"), False, "k: 'true', and true or false is wanted"),
        ("1", lambda f: f.flag("k"), False, "k: the number 1, and true or false is wanted"),
        ("hodl", lambda f: f.choice("k", ["deny"], "deny"), "deny", "k: 'hodl'"),
        ("[deny]", lambda f: f.choice("k", ["deny"], "deny"), "deny", "k: a list"),
        ("0", lambda f: f.number("k", 7), 7, "k: the number 0, and a whole number above 0 is wanted"),
        ("-3", lambda f: f.number("k", 7), 7, "k: the number -3, and a whole number above 0 is wanted"),
        ("1.0", lambda f: f.number("k", 7), 7, "k: the number 1.0, and a whole number above 0 is wanted"),
        ("true", lambda f: f.number("k", 7), 7, "k: true, and a whole number above 0 is wanted"),
        ("30", lambda f: f.duration("k"), None, "k: the number 30, and a time span is wanted"),
        ("0s", lambda f: f.duration("k"), None, "k: '0s', and a time span is wanted"),
        ("-5s", lambda f: f.duration("k"), None, "k: '-5s', and a time span is wanted"),
        ("5 s", lambda f: f.duration("k"), None, "k: '5 s', and a time span is wanted"),
        ("\u0665s", lambda f: f.duration("k"), None, "k: '\u0665s', and a time span is wanted"),
        ("1MB", lambda f: f.size("k", 7), 7, "k: '1MB', and a size is wanted"),
        ("0MiB", lambda f: f.size("k", 7), 7, "k: '0MiB', and a size is wanted"),
        ("[1MiB]", lambda f: f.size("k", 7), 7, "k: a list, and a size is wanted"),
        ("text", lambda f: f.form("k"), None, "k: 'text', and a map is wanted"),
        ("{a: 1}", lambda f: list(f.forms("k")), [], "k: a map, and a list is wanted"),
        ("[text]", lambda f: list(f.forms("k")), [], "'text', and a map is wanted"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_noted_where_it_stands_and_the_default_taken(
    value: str, ask: Callable[[Form], object], default: object, what: str
) -> None:
    made = form(f"a: 1\nk: {value}")
    assert ask(made) == default
    issue = only(made)
    assert issue.what == what
    assert issue.at.line == 2


def test_a_number_in_the_place_of_a_text_is_told_to_be_quoted() -> None:
    made = form("k: 403")
    made.text("k")
    assert only(made).hint == 'quote it: "403"'


def test_keys_that_are_not_known_are_named_with_what_was_meant() -> None:
    made = form("rules: []\nrulse: []\nzzz: 1\nbudgets: []\n")
    made.only(["rules", "mode"], later=["budgets"])
    assert [(i.at.line, i.what.split(":")[0], i.hint) for i in made.issues.found] == [
        (2, "unknown key 'rulse'", "did you mean 'rules'?"),
        (3, "unknown key 'zzz'", "known here: mode, rules"),
        (4, "'budgets' is not there yet", "remove it; it would not be enforced"),
    ]


@pytest.mark.parametrize("text", ["a: 1", "version: 2", "version: '1'", "version: true", "version: [1]", "version: 1.5"])  # fmt: skip
def test_a_file_of_another_version_is_not_read_as_one_of_ours(text: str) -> None:
    made = form(text)
    made.version()
    assert only(made).hint == "begin with: version: 1"


def test_version_one_is_ours() -> None:
    made = form("version: 1")
    made.version()
    assert made.issues.found == []


@pytest.mark.parametrize("text", ["[a]", "text", "1"])
def test_a_file_that_is_no_map_is_refused(text: str) -> None:
    with pytest.raises(FileError, match="and a map is wanted"):
        form(text)


def test_a_missing_value_is_noted_at_the_map_itself() -> None:
    made = form("a: 1\nk: {b: 1}")
    inner = made.form("k")
    assert inner is not None
    inner.wrong("c", "a text")
    assert (only(made).what, only(made).at.line) == ("c: nothing, and a text is wanted", 2)
    assert inner.place("b").col > inner.place("c").col


def test_a_long_text_is_not_repeated_whole() -> None:
    made = form(f"k: {'x' * 500}")
    made.form("k")
    assert len(only(made).what) < 120


@given(st.integers(0, 10**6), st.sampled_from(["ms", "s", "m", "h", "d"]))
def test_a_time_span_is_its_number_of_units(number: int, unit: str) -> None:
    seconds = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}[unit] * number
    assert form(f"k: {number}{unit}").duration("k") == (seconds or None)


def test_every_kind_of_value_is_said_in_words() -> None:
    node = parse("[null, true, 1, 1.5, x, [], [1], {}]", "f")
    assert isinstance(node, Items)
    assert [said(item) for item in node] == [
        "nothing", "true", "the number 1", "the number 1.5", "'x'", "an empty list", "a list", "a map",
    ]  # fmt: skip
    assert said(None) == "nothing"

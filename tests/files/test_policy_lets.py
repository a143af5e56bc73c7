"""Names that a policy file makes itself: their types, their order, their mistakes."""

from collections.abc import Mapping

import pytest

from goex_proxy.files.cel import Cel
from goex_proxy.files.form import form_of
from goex_proxy.files.issue import FileError, Issue, Issues
from goex_proxy.files.node import Plain
from goex_proxy.files.policy_lets import language
from goex_proxy.files.yamltext import parse


def read(text: str, lists: Mapping[str, Plain] = {}) -> tuple[Cel, list[Issue]]:
    issues = Issues()
    return language(form_of(parse(text, "f"), issues), lists), issues.found


def made(text: str, lists: Mapping[str, Plain] = {}) -> Cel:
    cel, issues = read(text, lists)
    assert issues == []
    return cel


def mistakes(text: str, lists: Mapping[str, Plain] = {}) -> list[tuple[int, str]]:
    return [(issue.at.line, issue.what.splitlines()[0]) for issue in read(text, lists)[1]]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("[a, b]", "list<string>"), ("[1, 2]", "list<int>"), ("[1.5]", "list<double>"), ("[true]", "list<bool>"), ("[a, 1]", "list<dyn>"), ("[]", "list<dyn>"), ("[[a]]", "list<dyn>"),
        ("[1, true]", "list<dyn>"), ("3", "int"), ("2.5", "double"), ("text", "string"), ("true", "bool"), ("{a: 1}", "map<string, dyn>"), ("[{a: 1}]", "list<dyn>"),
    ],
)  # fmt: skip
def test_a_list_has_the_type_that_it_is_written_as(value: str, kind: str) -> None:
    assert made(f"lists: {{x: {value}}}").declarations["lists.x"] == kind


def test_a_typed_list_finds_a_mistake_when_the_file_is_loaded() -> None:
    cel = made("lists: {ports: [80, 443], names: [a]}")
    cel.compile("port in lists.ports", "bool")
    with pytest.raises(FileError, match="overload"):
        cel.compile("port in lists.names", "bool")


def test_lists_and_lets_are_known_to_expressions_whatever_their_order() -> None:
    cel = made(
        """
lists: {us: [example.com], none: []}
let:
  ours: let.domains.all(d, d in lists.us)
  domains: recipients.map(r, domain(r))
  both: "let.ours ? 'ours' : let.domains[0]"
"""
    )
    ask = cel.compile("let.both")
    assert ask.evaluate(cel.scope({"recipients": ["a@example.com"]})) == "ours"
    assert ask.evaluate(cel.scope({"recipients": ["a@evil.com"]})) == "evil.com"
    assert cel.compile("'a' in lists.none", "bool").evaluate(cel.scope({})) is False


def test_a_list_may_be_given_from_outside_and_only_as_what_it_is() -> None:
    text = "lists: {us: [a.com], any: []}"
    assert made(text, {"us": ["b.com"], "any": [1]}).constants["lists.us"] == ["b.com"]
    assert made(text, {"us": []}).constants["lists.us"] == []
    for given in (["b.com", 1], "b.com", 7, None):
        ((line, what),) = mistakes(text, {"us": given})  # type: ignore[dict-item]
        assert line == 1
        assert "here it is list<string>" in what


def test_lists_of_other_files_are_no_matter() -> None:
    assert "lists.other" not in made("lists: {us: [a]}", {"other": ["b"]}).declarations


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("lists: {Us: [a]}", "a list named 'Us'"), ("lists: {a-b: [a]}", "a list named 'a-b'"), ("lists: {us: null}", "the list 'us' has no value"),
        ("let: {Repo: '1'}", "let: the name 'Repo'"), ("let: {a.b: '1'}", "let: the name 'a.b'"), ("let: {a: [x]}", "let.a: an expression is wanted"), ("let: {a: null}", "let.a: an expression is wanted"),
        ("lists: [a]", "lists: a list, and a map is wanted"), ("let: text", "let: 'text', and a map is wanted"),
    ],
)  # fmt: skip
def test_what_is_no_list_or_let_is_named(text: str, what: str) -> None:
    assert mistakes(text) == [(1, what)]


def test_a_circle_is_named_as_it_runs_and_the_others_are_read() -> None:
    cel, issues = read("let:\n  a: let.b\n  b: let.c + let.b\n  c: let.a\n  good: port + 1\n")
    assert "let.good" in {name for name in cel.lets}
    text = " | ".join(issue.what for issue in issues)
    assert "a circle: b -> b" in text or "a circle: a -> b -> c -> a" in text
    assert all(issue.at.line in (2, 3, 4) for issue in issues)


def test_a_let_that_is_its_own_part_is_a_circle() -> None:
    assert mistakes("let: {a: let.a + 1}") == [(1, "let: a circle: a -> a")]


def test_a_mistake_in_a_let_is_said_once_and_not_where_it_is_used() -> None:
    found = mistakes("let:\n  bad: nope + 1\n  user: let.bad + 1\n  other: let.user == 2\n")
    assert [line for line, _ in found] == [2]


def test_a_let_with_a_mistake_is_still_declared_for_rules() -> None:
    cel, issues = read("let: {bad: nope}")
    assert len(issues) == 1
    cel.compile("let.bad == 1", "bool")


def test_a_let_that_may_come_to_nothing_is_told_how_to_end() -> None:
    _, (issue,) = read("let: {branch: args.?branch}")
    assert (issue.at.line, issue.what) == (1, "let.branch may come to nothing")
    assert issue.hint == "end it with .orValue(...)"

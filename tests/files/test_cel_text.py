"""The source that the engine gets, and its messages in our names and places."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.files import cel_text
from goex_proxy.files.issue import At, Typed


@given(
    st.text(max_size=20)
    | st.sampled_from(
        [
            "split(s, 'let.x')",
            "'let.' + s",
            "// let.x\ns",
            "args.let",
            "args.?let",
            "args.split",
            "r'let.\\d'",
            '"""let."x"""',
        ]
    )
)
def test_hiding_names_never_changes_the_length_of_a_source(source: str) -> None:
    try:
        hidden = cel_text.hidden(source)
    except ValueError:
        return
    assert len(hidden) == len(source)
    assert (
        cel_text.hidden(
            "'" + source.replace("'", "").replace("\\", "").replace("\n", "") + "'"
        ).lower()
        == ("'" + source.replace("'", "").replace("\\", "").replace("\n", "") + "'").lower()
    )


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("let.repo == 'x'", "Let.repo == 'x'"),
        ("let . repo", "Let . repo"),
        ("split(s, ',') + join (l, '')", "Split(s, ',') + Join (l, '')"),
        ("s.split(',').join('')", "s.split(',').join('')"),
        ("args.?let.x", "args.?let.x"),
        ("args.let.x", "args.let.x"),
        ("args. let.x", "args. let.x"),
        ("args./* no comment */let.x", "args./* no comment */Let.x"),
        ("'let.x' + \"let.x\" + '''let.x\n'''", "'let.x' + \"let.x\" + '''let.x\n'''"),
        ("'it\\'s let.x' + let.x", "'it\\'s let.x' + Let.x"),
        (r"r'\' + let.x", r"r'\' + Let.x"),
        ("// let.x\nlet.x", "// let.x\nLet.x"),
        ("a.// let\nlet.x", "a.// let\nlet.x"),
        ("`let.x`", "`let.x`"),
        ("x ? let.a : let.b", "x ? Let.a : Let.b"),
        ("letter.x + outlet.x + split2(s)", "letter.x + outlet.x + split2(s)"),
        ("split", "split"),
    ],
)
def test_our_names_are_hidden_where_they_are_names_and_nowhere_else(
    source: str, wanted: str
) -> None:
    assert cel_text.hidden(source) == wanted


@pytest.mark.parametrize("source", ["Let.x", "Split(s, ',')", "x + Join(l, '')"])
def test_the_hidden_spelling_is_nobodys_to_write(source: str) -> None:
    with pytest.raises(ValueError, match=r"undeclared reference to '(Let|Split|Join)'"):
        cel_text.hidden(source)


@pytest.mark.parametrize(
    "name", ["let.repo", "args", "credential.name", "split", "join", "letter.x", "lists.split"]
)
def test_a_declared_name_is_hidden_and_shown_again(name: str) -> None:
    assert cel_text.shown(cel_text.hidden_name(name)) == name
    assert len(cel_text.hidden_name(name)) == len(name)


def test_messages_speak_of_our_names_and_of_no_container() -> None:
    source = "let.a ==\n  nope"
    error = (
        "ERROR: <input>:1:1: undeclared reference to 'Let.a' (in container '')\n | let.a ==\n | ^\n"
        "ERROR: <input>:2:3: undeclared reference to 'nope' (in container '') [INVALID_ARGUMENT]"
    )
    first, second = cel_text.issues(error, source, Typed("f"))
    assert first.what == "undeclared reference to 'let.a'\n  | let.a ==\n  | ^"
    assert second.what == "undeclared reference to 'nope'\n  |   nope\n  |   ^"
    assert [issue.at for issue in (first, second)] == [At("f", 1, 1), At("f", 1, 12)]
    assert "text wants quotes" in first.hint


def test_a_message_without_a_place_is_at_the_beginning() -> None:
    (issue,) = cel_text.issues("something unforeseen", "a + b", Typed("f"))
    assert (issue.at, issue.what.splitlines()[0]) == (At("f", 1, 1), "something unforeseen")


@pytest.mark.parametrize(("line", "column"), [(-1, -1), (0, 0), (9, 9), (1, 99)])
def test_a_place_outside_of_the_source_is_brought_into_it(line: int, column: int) -> None:
    (issue,) = cel_text.issues(f"ERROR: <input>:{line}:{column}: odd", "a\nb", Typed("f"))
    assert 1 <= issue.at.col <= 4


def test_operators_are_shown_as_they_are_written() -> None:
    error = "ERROR: <input>:1:3: found no matching overload for '_==_' applied to '(int, string)'"
    (issue,) = cel_text.issues(error, "n == s", Typed("f"))
    assert "'==' applied to (int, string)" in issue.what
    assert "convert with int()" in issue.hint


@pytest.mark.parametrize(
    ("what", "word"),
    [
        ("undeclared reference to 'x'", "quotes"),
        ("found no matching overload for '_==_' applied to '(optional_type(dyn), int)'", "orValue"),
        ("Exceeded max recursion depth of 32", "under let:"),
        ("Syntax error: mismatched input", ""),
    ],
)
def test_the_mistakes_that_everybody_makes_once_have_a_hint(what: str, word: str) -> None:
    assert word in cel_text.hint(what)
    assert bool(cel_text.hint(what)) is bool(word)

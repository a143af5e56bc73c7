"""Names and functions of reversers' expressions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.core.expression import ExpressionError
from goex_proxy.files.issue import Issues, Typed
from goex_proxy.files.reverser_language import ASKED, LEFT, Tongue, absolute, same_host_path

AT = {"origin": "https://files.example.com"}


def tongue() -> Tongue:
    return Tongue(["path", "n"], ["dest"], Issues())


def test_a_name_that_has_no_value_here_is_refused_with_those_that_have() -> None:
    made = tongue()
    made.compile("res.id", Typed(), ASKED)
    [issue] = made.issues.found
    assert issue.what == "res has no value here"
    assert "args" in issue.hint
    assert issue.at.col == 1


def test_an_undeclared_name_is_refused() -> None:
    made = tongue()
    made.compile("rse.id", Typed(), LEFT)
    assert "rse" in made.issues.found[0].what


def test_a_destination_is_read_as_parameters_hold_paths() -> None:
    assert same_host_path(AT, "https://files.example.com/a%20b/c%2Fd") == "a b/c%2Fd"
    assert same_host_path(AT, "https://FILES.example.com:443/a/") == "a/"
    assert same_host_path(AT, "/a/b") == "a/b"


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/a",
        "http://files.example.com/a",
        "https://files.example.com:8443/a",
        "https://files.example.com@evil.example/a",
        "https://u@files.example.com/a",
        "//evil.example/a",
        "https://files.example.com/a/../b",
        "https://files.example.com/a/%2e%2e/b",
        "https://files.example.com/a%252e",
        "https://files.example.com/a?x",
        "https://files.example.com/a#x",
        "https://files.example.com//a",
        "a/b",
        "",
        "https://files.example.com/a\n",
        "https://files.example.com\\@evil.example/a",
        "https://[/a",
        "https://files.example.com:x/a",
    ],
)
def test_a_destination_elsewhere_or_of_two_readings_is_refused(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each says something of its own
        same_host_path(AT, url)


@given(st.text(max_size=40))
def test_no_text_breaks_the_reading_of_a_destination(text: str) -> None:
    try:
        path = same_host_path(AT, text)
    except ValueError:
        return
    assert not {"..", "."} & set(path.split("/"))


def test_an_absolute_url_is_encoded_and_read_back() -> None:
    assert absolute(AT, "a b/ü/") == "https://files.example.com/a%20b/%C3%BC/"
    assert same_host_path(AT, absolute(AT, "a b/%2Fü/")) == "a b/%2Fü/"
    with pytest.raises(ValueError, match="dot"):
        absolute(AT, "a/../b")


def test_an_expression_with_a_mistake_cannot_be_used() -> None:
    made = tongue()
    broken = made.compile("((", Typed(), LEFT)
    with pytest.raises(AssertionError):
        broken.evaluate(made.cel.scope({}))


def test_the_functions_know_the_origin_of_the_request() -> None:
    made = tongue()
    text = made.compile("abs(path)", Typed(), LEFT | {"path"})
    assert text.evaluate(made.cel.scope({**AT, "path": "x"})) == "https://files.example.com/x"
    with pytest.raises(ExpressionError):
        text.evaluate(made.cel.scope({"path": "x"}))

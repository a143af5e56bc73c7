"""What is wrong with a file is said in its place, all of it, in order."""

import pytest

from goex_proxy.files.issue import At, FileError, Issue, Issues, Typed, Within


def test_a_place_is_written_as_editors_read_it() -> None:
    assert str(At("team.yaml", 3, 7)) == "team.yaml:3:7"
    assert str(At("team.yaml")) == "team.yaml"


def test_a_part_of_a_text_counts_from_where_it_stands_also_inside_a_part() -> None:
    text = Typed("f")
    assert text.inside(0) == At("f", 1, 1)
    assert Within(text, 4).inside(2) == At("f", 1, 7)
    assert Within(Within(text, 4), 10).inside(2) == text.inside(16)


def test_an_issue_says_where_what_and_what_to_write() -> None:
    at = At("f", 1, 2)
    assert str(Issue(at, "a key twice")) == "f:1:2: a key twice"
    assert str(Issue(at, "a key twice", "remove one")) == "f:1:2: a key twice\n  hint: remove one"


def test_an_error_is_a_value_error_that_has_the_first_issue_at_hand() -> None:
    error = FileError(Issue(At("f", 2, 5), "odd", "even"), Issue(At("g", 1, 1), "more"))
    assert isinstance(error, ValueError)
    found = (error.path, error.line, error.col, error.what, error.hint)
    assert found == ("f", 2, 5, "odd", "even")
    assert str(error) == "f:2:5: odd\n  hint: even\ng:1:1: more"


def test_an_error_that_says_nothing_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="says what is wrong"):
        FileError()


def test_nothing_is_refused_while_nothing_is_wrong() -> None:
    Issues().refuse()


def test_everything_found_is_named_once_in_the_order_of_the_file() -> None:
    issues = Issues()
    issues.add(At("f", 9, 1), "last")
    issues.add(At("f", 1, 7), "second", "hint")
    issues.extend([Issue(At("f", 1, 2), "first"), Issue(At("f", 9, 1), "last")])
    with pytest.raises(FileError) as caught:
        issues.refuse()
    assert [issue.what for issue in caught.value.issues] == ["first", "second", "last"]

"""What differs, for a person: names for objects, lines for texts, nothing a service keeps itself."""

import base64

from goex_proxy.cli.differing import differing, shown
from goex_proxy.core.value import ABSENT


def told(old: object, new: object) -> list[str]:
    return [f"{sign} {text}" for sign, text in differing(old, new)]


def test_a_short_field_is_told_from_what_to_what() -> None:
    assert told({"state": "open", "n": 1}, {"state": "closed", "n": 1}) == [
        "  state: open -> closed"
    ]
    assert told({"milestone": None}, {"milestone": {"id": 7, "title": "v1", "url": "u"}}) == [
        "  milestone: null -> v1"
    ]
    assert told({"body": ""}, {"body": "x"}) == ['  body: "" -> x']


def test_a_text_is_told_line_by_line() -> None:
    old = "\n".join(f"line {n} of the text" for n in range(9))
    new = old.replace("line 4", "LINE 4")
    assert told({"body": old}, {"body": new}) == [
        "  body:",
        "    line 2 of the text",
        "    line 3 of the text",
        "-   line 4 of the text",
        "+   LINE 4 of the text",
        "    line 5 of the text",
        "    line 6 of the text",
    ]


def test_members_of_a_set_stand_as_their_names() -> None:
    old, new = [{"name": "bug", "url": "u"}], [{"name": "bug", "url": "u"}, {"name": "new"}]
    assert told(old, new) == ["  bug", "+ new"]
    assert told({"labels": []}, {"labels": new}) == ["  labels: (none) -> bug, new"]


def test_what_a_service_keeps_is_named_and_not_shown() -> None:
    old = {"git_url": "a", "updated_at": "1", "title": "x"}
    new = {"git_url": "b", "updated_at": "2", "title": "y"}
    assert told(old, new) == [
        "  title: x -> y",
        "  (and what the service keeps itself: git_url, updated_at)",
    ]


def test_base64_is_told_as_the_text_that_it_is() -> None:
    def file(data: bytes) -> dict[str, object]:
        return {"encoding": "base64", "content": base64.b64encode(data).decode(), "name": "aGk="}

    assert told(file(b"one\n"), file(b"two\n")) == ["  content:", "-   one", "+   two"]
    assert told(file(b"one\n"), file(b"\xff\x00"))[-1] == "+   (2 bytes, not text; --json has them)"
    assert told(b"\xff", b"text") == ["- (1 bytes, not text; --json has them)", "+ text"]


def test_what_came_and_what_went_is_told_without_the_empty() -> None:
    issue = {"title": "t", "body": "a\nb", "milestone": None, "locked": False, "html_url": "u"}
    assert told(ABSENT, issue) == ["+ title: t", "+ body:", "+   a", "+   b"]
    assert told(issue, ABSENT)[0] == "- title: t"
    assert next(iter(shown(issue))) == "title: t"
    assert told(issue, dict(issue)) == []


def test_no_text_of_a_stranger_moves_the_cursor_or_floods_the_terminal() -> None:
    lines = told({"body": ""}, {"body": "\x1b[2J\n" * 1000})
    assert "\x1b" not in "".join(lines)
    assert len(lines) < 130
    assert "lines more; --json has them" in lines[-1]
    assert "--json has both" in told(b"", b"x\n" * 100_000)[-1]

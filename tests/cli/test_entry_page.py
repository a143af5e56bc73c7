"""What a call changed is told by what was read after it; what was not read is not said to be gone."""

import pytest

from goex_proxy.cli.entry_page import _laid_out, changes
from goex_proxy.core.command import FetchFailed
from goex_proxy.core.entry import Entry
from goex_proxy.core.event import Answered, Applied
from goex_proxy.core.exchange import Request
from goex_proxy.core.image import Image
from goex_proxy.core.operation import Operation, Undo
from goex_proxy.report import differences
from tests.core.settle_world import NEW, OLD, PATCH, READ, UPDATE, applied, settled
from tests.core.world import (
    a_book,
    a_call,
    a_request,
    a_service,
    a_use,
    an_answer,
    an_image,
    an_operation,
    sent,
    then,
)

DELETE = an_operation("notes/delete", "DELETE /notes/{id}", images=(a_use(),), undo=Undo.RESTORE)
GONE = Image(instance=an_image(OLD).instance, present=False)


def done(
    *after: Image, request: Request = PATCH, operation: Operation = UPDATE, why: str = ""
) -> Entry:
    book = a_book(a_service(operation))
    entry = sent(a_call(request), book, operation, an_image(OLD))
    return then(entry, Answered(response=an_answer({})), Applied(after=after, why=why))


def test_what_could_not_be_read_afterwards_is_not_said_to_be_gone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    settling = settled(an_answer({}), UPDATE).asks_and_fails(READ, FetchFailed("reset"))
    entry = done(why=applied(settling).why)
    assert differences(entry) == []
    assert not changes(entry), "no change is known"
    said = capsys.readouterr().out
    assert "was there before; what it left was not read" in said
    assert "    title: old" in said
    assert "- title" not in said
    assert "changed" not in said


def test_what_is_seen_to_be_gone_is_said_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    entry = done(GONE, request=a_request("DELETE"), operation=DELETE)
    assert [(d["before"], d["after"]) for d in differences(entry)] == [('{"title":"old"}', None)]
    assert changes(entry)
    said = capsys.readouterr().out
    assert "- title: old" in said
    assert "was not read" not in said


def test_what_was_read_before_and_after_is_told_by_its_fields(
    capsys: pytest.CaptureFixture[str],
) -> None:
    entry = done(an_image(NEW))
    assert [(d["field"], d["before"], d["after"]) for d in differences(entry)] == [
        ("title", '"old"', '"new"')
    ]
    assert changes(entry)
    assert "title: old -> new" in capsys.readouterr().out


@pytest.mark.parametrize(
    "text",
    ['{"amount":1000000,"amount":1}', '{"a":1.50}', "[" * 200_000 + "]" * 200_000, "[1e999]", "{"],
)
def test_a_body_that_would_read_otherwise_is_not_laid_out(text: str) -> None:
    assert _laid_out(text) == text


def test_a_body_that_reads_the_same_is_laid_out() -> None:
    assert _laid_out('{"a":[1,"\u00e4"]}') == '{\n  "a": [\n    1,\n    "\u00e4"\n  ]\n}'

"""Subjects: a call by today's rules, an entry by those of its day."""

from dataclasses import replace

import pytest

from goex_proxy.core.call import Initiator, Link
from goex_proxy.core.event import RuleText
from goex_proxy.core.expression import ExpressionError
from goex_proxy.core.operation import Fidelity
from goex_proxy.core.service import Trust
from goex_proxy.core.subjects import rule_text, subject_now, subject_of
from tests.core.world import (
    Py,
    a_book,
    a_call,
    a_request,
    a_rule_text,
    a_service,
    a_subject,
    an_operation,
    classified,
    fold_of,
    opened,
    sent,
)

BOUND = (("box", Py("args['to']")), ("twice", Py("box + box")))
SEND = an_operation("mail/send", "POST /mail/{id}", binds=BOUND)
SERVICE = a_service(SEND)
BOOK = a_book(SERVICE)
CALL = a_call(a_request("POST", "/mail/7", json={"to": "ann"}), principal="me@x.example")
THEN = replace(SEND, text="the rule of its day", fidelity=Fidelity.NONE)
LATER = a_book(SERVICE, day=(a_service(THEN, trust=Trust.INFERRED),))


def test_its_names_are_the_request_its_path_and_what_the_rule_binds_in_order() -> None:
    names = a_subject(CALL, BOOK).names
    assert (names["id"], names["box"], names["twice"]) == ("7", "ann", "annann")
    assert names["me"] == "me@x.example"
    assert names["args"] == {"to": "ann"}


def test_a_call_that_no_rule_describes_has_none() -> None:
    for book in (a_book(), a_book(a_service())):
        assert subject_now(CALL, classified(CALL, book), book) is None


def test_a_bind_that_cannot_be_told_is_an_error() -> None:
    bare = replace(CALL, request=a_request("POST", "/mail/7"))
    with pytest.raises(ExpressionError, match="to"):
        subject_now(bare, classified(bare, BOOK), BOOK)


def test_an_entry_goes_by_the_rule_of_its_day_whatever_the_file_says_now() -> None:
    subject = subject_of(sent(CALL, BOOK, THEN), LATER)
    assert subject is not None
    assert (subject.operation, subject.service.trust) == (THEN, Trust.INFERRED)
    assert subject.names["twice"] == "annann"


def test_an_entry_without_a_rule_has_no_subject() -> None:
    assert subject_of(sent(CALL, BOOK, None), BOOK) is None


def test_a_rule_that_nobody_can_read_any_more_is_an_error() -> None:
    with pytest.raises(ValueError, match="nobody knows"):
        subject_of(sent(CALL, BOOK, THEN), BOOK)


def test_a_rule_that_does_not_match_its_call_is_an_error() -> None:
    other = an_operation("mail/send", "POST /other", text="moved")
    with pytest.raises(ValueError, match=r"example\.mail/send of its day no longer matches"):
        subject_of(sent(CALL, BOOK, other), a_book(SERVICE, day=(a_service(other),)))


def test_a_step_of_an_undo_goes_by_the_rule_of_what_it_undoes_without_names_of_its_own() -> None:
    step = a_call(
        a_request("DELETE", "/mail/7"), initiator=Initiator.PERSON, link=Link(undo_of=1, run="u1")
    )
    subject = subject_of(fold_of(opened(step, BOOK, rule=a_rule_text(THEN))), LATER)
    assert subject is not None
    assert (subject.operation, subject.call, subject.names) == (THEN, step, {})


def test_a_rules_text_names_its_service_and_who_vouched_for_it() -> None:
    subject = a_subject(CALL, a_book(a_service(SEND, trust=Trust.PROPOSED)))
    assert rule_text(subject) == RuleText(
        name="example.mail/send", text=SEND.text, digest=SEND.digest, trust="proposed"
    )

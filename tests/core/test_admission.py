# ruff: noqa: ANN401 - what a factory is given goes to the type that it makes
"""May it go? What passes, what is held or refused, and how an entry begins."""

from dataclasses import replace
from typing import Any

import pytest

from goex_proxy.core.admission import admit, arrive
from goex_proxy.core.book import Book
from goex_proxy.core.call import Call, Initiator, Link
from goex_proxy.core.command import Fetch, FetchFailed, Pass
from goex_proxy.core.decision import Auth, Effect, Posture
from goex_proxy.core.event import Admitted, Held, Opened, Refused
from goex_proxy.core.exchange import Headers, Request
from goex_proxy.core.operation import Fidelity, Kind, Match, Undo
from goex_proxy.core.service import NamedRead
from goex_proxy.core.template import parse_template
from tests.core.story import Story
from tests.core.world import (
    Py,
    a_book,
    a_call,
    a_request,
    a_rule,
    a_service,
    a_use,
    an_answer,
    an_operation,
)

UPDATE = an_operation("notes/update", "PATCH /notes/{id}", images=(a_use(),), undo=Undo.RESTORE)
MAIL = an_operation("mail/send", "POST /mail", fidelity=Fidelity.NONE, residue=("mail",))
CHAT = NamedRead(
    name="chat", match=Match(template=parse_template("/chat"), methods=frozenset({"POST"}))
)
SERVICE = a_service(UPDATE, MAIL, reads=(CHAT,))
BOOK = a_book(SERVICE)
HOLDING = a_book(SERVICE, rules=(a_rule(Effect.HOLD),))
PATCH = a_request("PATCH", json={"title": "new"})
READ = Fetch(request=a_request(), credential="c1")
UNDOING = Link(undo_of=7, run="u1")
SOCKET = Headers((("Connection", "Upgrade"), ("Upgrade", "websocket")))


def story(
    request: Request = PATCH, book: Book = BOOK, kept: bool = True, **more: Any
) -> Story[Any]:
    return Story(admit(arrive(a_call(request, **more), book, kept=kept)))


def refused(told: Story[Any]) -> str:
    first, second = told.events
    assert isinstance(first, Opened)
    assert isinstance(second, Refused)
    return second.decision.reason


def began(told: Story[Any], kind: type) -> Any:
    first, second = told.events
    assert isinstance(first, Opened)
    assert isinstance(second, kind)
    return second


def test_an_allowed_read_leaves_no_trace_in_the_journal() -> None:
    story(a_request()).returns(Pass())


def test_an_allowed_change_is_opened_and_admitted_in_one_commit() -> None:
    assert began(story(), Admitted).decision.allowed


@pytest.mark.parametrize(
    "request_",
    [replace(a_request("POST", "/chat"), body=None), replace(a_request(), body=None)],
)
def test_a_read_above_the_cap_passes(request_: Request) -> None:
    """An LLM's conversation may be long: nothing of it is asked for, nothing of it is promised."""
    story(request_).returns(Pass())


def test_a_read_whose_body_is_no_json_passes() -> None:
    story(a_request("POST", "/chat").with_body(b"{", "application/json")).returns(Pass())


def test_a_held_read_is_on_record_and_nothing_is_read_for_it() -> None:
    held = began(story(a_request(), HOLDING), Held)
    assert held.images == ()


def test_a_step_of_an_undo_is_on_record_even_where_it_is_taken_for_a_read() -> None:
    """A POST that a file calls a read, or a GET that a rule's undo names."""
    for request in (a_request(), a_request("POST", "/chat")):
        told = story(request, initiator=Initiator.PERSON, link=UNDOING)
        assert began(told, Admitted).decision.rule == "undo"


def test_nothing_is_read_for_a_step_of_an_undo() -> None:
    """Its entry's own check has read it; its holds stand without images."""
    book = a_book(SERVICE, rules=(a_rule(Effect.HOLD, undo=True),))
    assert began(story(PATCH, book, initiator=Initiator.PERSON, link=UNDOING), Held).images == ()


@pytest.mark.parametrize("body", [b"{", b"[1,", b'{"a":01}'])
def test_a_change_whose_body_cannot_be_read_is_refused(body: bytes) -> None:
    for target, method in (("/notes/1", "PATCH"), ("/mail", "POST"), ("/other", "POST")):
        request = a_request(method, target).with_body(body, "application/json")
        assert "cannot be read" in refused(story(request))


def test_of_a_service_without_a_file_nobody_reads_the_body() -> None:
    request = a_request("POST", "/x").with_body(b"{", "application/json")
    assert began(story(request, a_book(), auth=Auth.NONE), Admitted)


def test_a_change_above_the_cap_goes_or_is_refused_and_never_waits() -> None:
    """What is not kept could never be sent later; where an undo is promised, it must be read."""
    large = replace(a_request("POST", "/mail"), body=None)
    assert "too large to be held" in refused(story(large, kept=False))
    told = story(large, a_book(SERVICE, posture=Posture.OPEN), kept=False)
    assert began(told, Admitted)
    opened = told.events[0]
    assert isinstance(opened, Opened)
    assert (opened.kept, opened.fingerprint) == (False, "")
    assert "cannot be read" in refused(story(replace(PATCH, body=None)))


def test_a_call_with_a_foreign_credential_is_promised_nothing_and_read_for_nothing() -> None:
    held = began(story(auth=Auth.FOREIGN, credential=""), Held)
    assert held.images == ()
    assert "cannot be undone" in held.decision.reason
    story(a_request(), auth=Auth.FOREIGN).returns(Pass())


def test_a_credential_that_must_not_go_there_refuses_reads_too() -> None:
    for request in (PATCH, a_request()):
        assert refused(story(request, problem="it is bound to other hosts")).startswith(
            "it is bound"
        )


@pytest.mark.parametrize("target", ["//notes/1", "/notes/../1", "/notes/%2e%2E", "/a%00"])
def test_a_path_that_reads_two_ways_is_refused_and_keeps_nothing_of_the_call(target: str) -> None:
    told = story(a_request("PATCH", target))
    opened = told.events[0]
    assert "path" in refused(told)
    assert isinstance(opened, Opened)
    assert (opened.operation, opened.kind, opened.kept) == ("http.unreadable", Kind.UNKNOWN, False)
    assert (
        arrive(a_call(a_request("PATCH", target)), BOOK).decide(Fidelity.EXACT).effect
        is Effect.DENY
    )


def test_a_target_that_cannot_be_told_refuses_the_call() -> None:
    move = an_operation("move", "PATCH /notes/{id}", binds=(("to", Py("headers['destination']")),))
    arrival = arrive(a_call(PATCH), a_book(a_service(move)))
    assert arrival.seen is None
    assert "destination" in refused(Story(admit(arrival)))


def test_a_websocket_that_nobody_can_read_is_refused_and_a_named_read_goes() -> None:
    socket = a_request(headers=SOCKET)
    assert "WebSocket" in refused(story(socket))
    named = NamedRead(name="listen", match=Match(template=parse_template("/notes/{id}")))
    story(socket, a_book(a_service(reads=(named,)))).returns(Pass())


def test_a_person_sees_the_images_of_what_is_held() -> None:
    held = began(story(PATCH, HOLDING).asks(READ, told=an_answer({"title": "old"})), Held)
    assert [image.value for image in held.images] == [{"title": "old"}]


def test_what_cannot_be_read_beforehand_is_refused() -> None:
    told = story(PATCH, HOLDING).asks_and_fails(READ, FetchFailed("reset"))
    assert "beforehand" in refused(told)


def test_nothing_is_read_for_what_is_denied_in_any_case() -> None:
    told = story(PATCH, a_book(SERVICE, rules=(a_rule(Effect.DENY),)))
    assert refused(told) == "because"


@pytest.mark.parametrize(("status", "kind"), [(200, Admitted), (404, Held)])
def test_where_the_fidelity_hangs_on_the_before_image_it_is_read_first(
    status: int, kind: type
) -> None:
    put = an_operation(
        "notes/put",
        "PUT /notes/{id}",
        images=(a_use(),),
        undo=Undo.RESTORE,
        fidelity=Py("'exact' if before else 'none'"),
    )
    told = story(a_request("PUT", json={"title": "x"}), a_book(a_service(put)))
    assert began(told.asks(READ, told=an_answer({"title": "old"}, status)), kind)


def test_an_entry_begins_with_who_called_what_and_what_is_promised() -> None:
    call = a_call(a_request("POST", "/mail", json={"to": "ann"}))
    opened = arrive(call, BOOK).opened
    assert (opened.by, opened.service, opened.operation) == ("bot", "example", "example.mail/send")
    assert (opened.kind, opened.fidelity, opened.residue) == (Kind.WRITE, Fidelity.NONE, ("mail",))
    assert opened.targets == ("/mail",)
    assert len(opened.fingerprint) == 32
    assert arrive(replace(call, initiator=Initiator.PERSON), BOOK).opened.by == "person"


def test_a_decision_is_made_once_for_each_fidelity() -> None:
    arrival = arrive(a_call(PATCH), BOOK)
    exact = arrival.decide(Fidelity.EXACT)
    assert arrival.decide(Fidelity.EXACT) is exact
    assert arrival.decide(Fidelity.NONE).effect is Effect.HOLD


@pytest.mark.parametrize("posture", Posture)
def test_in_every_posture_a_call_that_is_not_a_read_gets_an_entry(posture: Posture) -> None:
    calls: list[Call] = [a_call(a_request("POST", target)) for target in ("/mail", "/unknown")]
    for call in calls:
        told = Story(admit(arrive(call, a_book(SERVICE, posture=posture))))
        assert isinstance(told.events[0], Opened)

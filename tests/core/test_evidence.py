"""What a rule itself takes for proof: never what was so before, never a contradiction."""

from typing import Any

import pytest

from goex_proxy.core.command import Elapsed, Fetch, Lock, Rest
from goex_proxy.core.event import Applied, Event, Failed, Lost, Probed
from goex_proxy.core.evidence import Settles, settles
from goex_proxy.core.exchange import Response
from goex_proxy.core.operation import Evidence, Operation, Undo
from goex_proxy.core.probing import probe
from goex_proxy.core.resource import Form
from tests.core.story import Story
from tests.core.world import (
    GONE,
    Py,
    a_book,
    a_call,
    a_request,
    a_resource,
    a_service,
    a_step,
    a_use,
    an_answer,
    an_image,
    an_operation,
    sent,
    then,
)

LOCKED = Evidence(
    applied=Py("now['locked'] and now['why'] == args['why']"),
    not_applied=Py("now['rev'] == before['rev']"),
)
READ = Fetch(request=a_request(), credential="c1")
READ_COPY = Fetch(request=a_request(target="/notes/2"), credential="c1")
FREE = {"locked": False, "rev": 1}


def a_lock(evidence: Evidence | None = LOCKED, **more: Any) -> Operation:  # noqa: ANN401 - what an operation takes
    unlock = a_step("DELETE", "/notes/{id}/lock")
    fields = {"images": (a_use(),), "writes": ("locked", "why"), "undo": (unlock,)}
    return an_operation(
        "notes/lock", "PUT /notes/{id}/lock", **{**fields, "evidence": evidence, **more}
    )


def doubtful(
    operation: Operation, before: object = FREE, use: str = "", why: str = "spam"
) -> Story[Any]:
    request = a_request("PUT", "/notes/1/lock", json={"why": why})
    image = an_image(before, use=use)
    book = a_book(a_service(operation))
    entry = then(sent(a_call(request), book, operation, image), Lost(reason="reset"))
    return Story(probe(entry, book)).asks(Lock(keys=("example:note:id=1",)))


def looked(operation: Operation, now: Response, before: object = FREE) -> Story[Any]:
    return doubtful(operation, before).asks(READ, told=now)


def held(**more: object) -> Response:
    return an_answer({"locked": True, "why": "spam", "rev": 2, **more})


def test_what_the_rule_takes_for_proof_settles_it_and_its_undo_is_made() -> None:
    event = looked(a_lock(), held()).asks(READ, told=held()).event
    assert isinstance(event, Applied)
    assert event.inverse is not None
    assert [step.request.target for step in event.inverse.steps] == ["/notes/1/lock"]


def test_without_the_evidence_nothing_would_tell() -> None:
    assert isinstance(looked(a_lock(None), held()).event, Probed)


def test_its_undo_is_made_only_if_the_proof_still_holds_when_it_is_read_for_it() -> None:
    event = looked(a_lock(), held()).asks(READ, told=held(why="a person's")).event
    assert isinstance(event, Applied)
    assert (event.inverse, bool(event.why)) == (None, True)


def test_that_it_did_not_happen_is_believed_only_when_it_cannot_arrive_any_more() -> None:
    def told(seconds: float) -> Story[Any]:
        return looked(a_lock(), an_answer(FREE)).asks(Elapsed(), told=seconds)

    assert isinstance(told(600.0).event, Failed)
    assert isinstance(told(599.9).result, Rest)


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (held(rev=1), "its rule's evidence contradicts itself"),
        (held(why="other"), "its rule knows no proof here"),
    ],
)
def test_two_proofs_or_none_are_none(now: Response, why: str) -> None:
    looked(a_lock(), now).appends(Probed(evidence=why))


def test_what_cannot_be_evaluated_proves_nothing_and_is_said() -> None:
    [event] = looked(a_lock(), an_answer({"rev": 1})).events
    assert isinstance(event, Probed)
    assert "cannot be evaluated" in event.evidence
    [event] = looked(a_lock(), GONE).events
    assert isinstance(event, Probed)


def test_what_was_so_before_proves_nothing_either_way() -> None:
    was = {"locked": True, "why": "spam", "rev": 1}
    for now in (held(), held(rev=1), an_answer(FREE)):
        looked(a_lock(), now, was).appends(
            Probed(evidence="what would prove it was so before the call")
        )


@pytest.mark.parametrize(
    ("evidence", "now", "event"),
    [
        (Evidence(applied=LOCKED.applied), held(), Applied),
        (Evidence(applied=LOCKED.applied), an_answer(FREE), Probed),
        (Evidence(not_applied=LOCKED.not_applied), held(), Probed),
        (Evidence(not_applied=LOCKED.not_applied), an_answer(FREE), Failed),
    ],
)
def test_a_rule_may_know_one_side_only(
    evidence: Evidence, now: Response, event: type[Event]
) -> None:
    told = looked(a_lock(evidence), now)
    if event is Applied:
        told.asks(READ, told=now)
    if event is Failed:
        told.asks(Elapsed(), told=601.0)
    assert isinstance(told.event, event)


def test_a_rule_may_leave_it_to_a_person_though_something_could_be_inferred() -> None:
    operation = an_operation(
        "notes/update",
        "PATCH /notes/{id}",
        images=(a_use(),),
        undo=Undo.RESTORE,
        evidence=Evidence(),
    )
    book = a_book(a_service(operation))
    request = a_request("PATCH", json={"title": "new"})
    entry = sent(a_call(request), book, operation, an_image({"title": "old"}))
    assert isinstance(Story(probe(then(entry, Lost(reason="reset")), book)).result, Rest)


def test_more_is_read_only_to_settle_and_only_if_it_applies() -> None:
    copy = a_use(
        name="copy",
        params={"id": Py("str(2)")},
        when=Py("args['why'] == 'spam' and before['note'] is not None"),
    )
    evidence = Evidence(applied=Py("now['copy'] == now['note']"), reads=(copy,))
    operation = a_lock(evidence, images=(a_use(name="note"),))

    def told(why: str) -> Story[Any]:
        return doubtful(operation, use="note", why=why).asks(READ, told=held())

    event = (
        told("spam")
        .asks(READ_COPY, told=held())
        .asks(READ, told=held())
        .asks(READ_COPY, told=held())
        .event
    )
    assert isinstance(event, Applied)
    assert event.inverse is not None
    assert isinstance(told("spam").asks(READ_COPY, told=an_answer(FREE)).event, Probed)
    assert isinstance(told("other").event, Probed)


SET = a_use(a_resource(form=Form.SET))


@pytest.mark.parametrize(
    ("operation", "how"),
    [
        (a_lock(), Settles.EVIDENCE),
        (a_lock(Evidence(applied=LOCKED.applied)), Settles.PARTLY),
        (a_lock(Evidence()), Settles.PERSON),
        (a_lock(None), Settles.PARTLY),
        (a_lock(None, images=()), Settles.PERSON),
        (a_lock(None, undo=Undo.RESTORE), Settles.EVIDENCE),
        (a_lock(None, images=(SET,), adds=Py("[]")), Settles.EVIDENCE),
        (a_lock(None, images=(SET,)), Settles.PARTLY),
        (a_lock(None, images=(SET,), adds=Py("after")), Settles.PARTLY),
        (an_operation("x", "DELETE /notes/{id}", images=(a_use(),)), Settles.EVIDENCE),
        (an_operation("x", "DELETE /notes/{id}/lock", images=(a_use(),)), Settles.PARTLY),
    ],
)
def test_how_far_a_doubt_is_settled_can_be_said_of_an_operation(
    operation: Operation, how: Settles
) -> None:
    assert settles(operation) is how

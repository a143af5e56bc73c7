# ruff: noqa: ANN401 - what a factory is given goes to the type that it makes
"""What an answer means, and what is known of undoing it."""

from dataclasses import replace
from typing import Any

import pytest

from goex_proxy.core.call import Initiator, Link
from goex_proxy.core.command import Fetch, FetchFailed
from goex_proxy.core.decision import Auth
from goex_proxy.core.event import Applied, Doubted, Failed
from goex_proxy.core.exchange import Response
from goex_proxy.core.operation import Fidelity, Operation, Undo
from goex_proxy.core.resource import Form
from goex_proxy.core.settling import settle
from tests.core.settle_world import NEW, OLD, READ, SEND, UPDATE, applied, said, settled
from tests.core.story import Story
from tests.core.world import (
    Py,
    a_book,
    a_call,
    a_request,
    a_resource,
    a_rule_text,
    a_service,
    a_step,
    a_use,
    an_answer,
    an_image,
    an_operation,
    answered,
    opened,
    sent,
)


def test_success_reads_what_was_left_and_makes_the_inverse() -> None:
    event = applied(settled(an_answer(NEW)).asks(READ, told=an_answer(NEW)))
    assert (event.fidelity, event.residue, event.why) == (Fidelity.EXACT, ("mail",), "")
    assert event.inverse is not None
    assert event.inverse.steps[0].request.body == b'{"title":"old"}'


@pytest.mark.parametrize("status", [301, 304, 400, 401, 404, 409, 412, 422, 429])
def test_the_service_said_no(status: int) -> None:
    settled(Response(status=status)).appends(Failed(reason=f"the service answered {status}"))


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_the_service_did_not_say(status: int) -> None:
    settled(Response(status=status)).appends(Doubted(reason=f"the service answered {status}"))


@pytest.mark.parametrize(("status", "event"), [(200, Applied), (422, Failed), (502, Doubted)])
def test_without_a_rule_the_status_speaks(status: int, event: type) -> None:
    told = settled(Response(status=status), operation=None).event
    assert isinstance(told, event)
    assert not isinstance(told, Applied) or told.fidelity is Fidelity.NONE


def test_a_rule_that_cannot_be_read_leaves_the_status() -> None:
    book = a_book(a_service(UPDATE), day=())
    assert "cannot be read" in applied(settled(an_answer(), book=book)).why


def test_a_rule_whose_bind_fails_leaves_the_status() -> None:
    """An exception here would leave the entry answered for ever."""
    broken = replace(UPDATE, binds=(("x", Py("args['nothing']")),))
    book = a_book(a_service(UPDATE), day=(a_service(broken),))
    assert "cannot be read" in applied(settled(an_answer(), book=book)).why


DONE = Py("res['ok']")


@pytest.mark.parametrize(
    ("response", "event"),
    [
        (
            an_answer({"ok": False, "error": "no_such"}),
            Failed(reason="the service said no: no_such"),
        ),
        (an_answer({"ok": False}), Failed(reason="the service said no")),
        (
            an_answer({}),
            Doubted(reason="the answer does not say whether it was done (KeyError: 'ok')"),
        ),
        (an_answer({"ok": True}, 200), None),
        (an_answer({}, 404), Failed(reason="the service answered 404")),
        (an_answer({}, 500), Doubted(reason="the service answered 500")),
    ],
)
def test_a_service_may_say_otherwise_than_by_its_status(response: Response, event: Any) -> None:
    book = a_book(a_service(SEND, done=DONE))
    told = settled(response, SEND, a_request("POST", "/send"), (), book)
    assert isinstance(told.event, Applied) if event is None else told.event == event


def test_an_operation_without_undo_says_so() -> None:
    event = applied(settled(an_answer(), SEND, a_request("POST", "/send"), ()))
    assert (event.fidelity, event.inverse, event.why) == (
        Fidelity.NONE,
        None,
        "this operation has no inverse",
    )


def test_an_answer_that_nothing_happened_is_believed() -> None:
    operation = replace(UPDATE, noop=Py("status == 208"))
    assert applied(settled(Response(status=208), operation)).fidelity is Fidelity.EXACT
    broken = replace(UPDATE, noop=Py("res['x']"))
    assert applied(settled(an_answer(), broken).asks(READ, told=an_answer(NEW))).inverse is not None


def test_a_call_that_changed_nothing_is_exact_and_has_no_inverse() -> None:
    """What it asked for stood there already; or the answer says, too, that it was not done."""
    same = a_request("PATCH", json=OLD)
    for told in (settled(an_answer(), request=same), settled(an_answer(OLD))):
        event = applied(told.asks(READ, told=an_answer(OLD)))
        assert (event.fidelity, event.inverse) == (Fidelity.EXACT, None)


def test_accepted_and_not_yet_seen_is_not_unchanged() -> None:
    event = applied(settled(Response(status=202)).asks(READ, told=an_answer(OLD)))
    assert event.fidelity is Fidelity.NONE
    assert "202" in event.why


def test_what_was_left_and_cannot_be_read_is_said() -> None:
    event = applied(settled(an_answer()).asks_and_fails(READ, FetchFailed("reset")))
    assert event.why == "what it left could not be read: GET /notes/1: reset"
    assert event.inverse is not None


def test_a_foreign_credential_is_never_used_again() -> None:
    event = applied(settled(an_answer(), auth=Auth.FOREIGN))
    assert (event.fidelity, event.inverse) == (Fidelity.NONE, None)


def test_a_field_that_nobody_can_read_lowers_what_is_delivered() -> None:
    told = settled(an_answer(), request=a_request("PATCH", json={"title": "new", "password": "x"}))
    event = applied(told.asks(READ, told=an_answer(NEW)))
    assert event.fidelity is Fidelity.COMPENSATING
    assert event.residue == ("mail", "password cannot be read, so not restored")


def test_a_call_of_which_only_the_unreadable_may_have_changed_is_not_unchanged() -> None:
    told = settled(an_answer(), request=a_request("PATCH", json={"title": "old", "password": "x"}))
    event = applied(told.asks(READ, told=an_answer(OLD)))
    assert (event.fidelity, event.inverse) == (Fidelity.NONE, None)


@pytest.mark.parametrize(
    ("source", "fidelity"),
    [
        ("'exact' if status == 200 else 'none'", Fidelity.EXACT),
        ("res['x']", Fidelity.NONE),
        ("'?'", Fidelity.NONE),
    ],
)
def test_the_fidelity_may_hang_on_the_answer(source: str, fidelity: Fidelity) -> None:
    operation = replace(UPDATE, fidelity=Py(source))
    assert (
        applied(settled(an_answer(), operation).asks(READ, told=an_answer(NEW))).fidelity
        is fidelity
    )


def test_an_inverse_that_cannot_be_made_is_said() -> None:
    steps = (a_step("POST", "/back", json={"raw": None}, when=Py("before['nothing']")),)
    event = applied(
        settled(an_answer(), replace(UPDATE, undo=steps)).asks(READ, told=an_answer(NEW))
    )
    assert event.fidelity is Fidelity.NONE
    assert "cannot be made" in event.why


def test_the_step_of_an_undo_is_judged_by_its_own_ok() -> None:
    operation = replace(UPDATE, undo=(a_step("POST", "/back", ok=Py("status == 404")),))
    book = a_book(a_service(operation))
    for status, event in ((404, Applied), (200, Failed), (500, Doubted)):
        call = a_call(
            a_request("POST", "/back"), link=Link(undo_of=1, template=0), initiator=Initiator.PERSON
        )
        entry = sent(call, book, None)
        entry = replace(entry, opened=opened(call, book, rule=a_rule_text(operation)))
        assert isinstance(
            Story(settle(answered(entry, Response(status=status)), book)).event, event
        )


def test_a_read_that_was_held_is_never_in_doubt() -> None:
    for status, event in ((200, Applied), (404, Failed), (503, Failed)):
        assert isinstance(settled(Response(status=status), None, a_request(), ()).event, event)


# Sets.

TAGS = a_resource("tags", "/notes/{id}/tags", form=Form.SET)
ADD = an_operation(
    "tags/add",
    "POST /notes/{id}/tags",
    images=(a_use(TAGS),),
    adds=Py("args['tags']"),
    undo=(a_step("DELETE", "/notes/{id}/tags/{it}", each=Py("added")),),
)
READ_TAGS = Fetch(request=a_request(target="/notes/1/tags"), credential="c1")


def tagged(asked: object, had: list[str], operation: Operation = ADD) -> Story[Any]:
    request = a_request("POST", "/notes/1/tags", json={"tags": asked})
    return settled(an_answer(), operation, request, (an_image(had, resource="tags"),))


@pytest.mark.parametrize(
    ("asked", "had", "has", "undone"),
    [
        (["a"], ["x"], ["x", "a"], ["a"]),
        (["a", "x"], ["x"], ["x", "a"], ["a"]),
        (["a"], [], ["a", "theirs"], ["a"]),
        (["a", "ignored"], [], ["a"], ["a"]),
    ],
)
def test_only_what_the_call_added_is_taken_out(
    asked: object, had: list[str], has: list[str], undone: list[str]
) -> None:
    event = applied(tagged(asked, had).asks(READ_TAGS, told=an_answer(has)))
    assert event.inverse is not None
    assert [step.request.path for step in event.inverse.steps] == [
        f"/notes/1/tags/{m}" for m in undone
    ]


def test_members_that_were_there_are_nothing_to_undo() -> None:
    event = applied(tagged(["a"], ["a"]).asks(READ_TAGS, told=an_answer(["a"])))
    assert (event.fidelity, event.inverse) == (Fidelity.EXACT, None)


@pytest.mark.parametrize(
    ("asked", "has"),
    [(["Bug"], ["bug"]), (["a", "Bug"], ["a", "bug"])],
)
def test_a_member_that_stands_there_under_another_name_is_not_called_unchanged(
    asked: object, has: list[str]
) -> None:
    event = applied(tagged(asked, []).asks(READ_TAGS, told=an_answer(has)))
    assert (event.fidelity, event.inverse) == (Fidelity.NONE, None)


def test_a_set_that_was_not_read_afterwards_is_not_called_unchanged() -> None:
    event = applied(tagged(["a"], []).asks_and_fails(READ_TAGS, FetchFailed("reset")))
    assert (event.fidelity, event.inverse) == (Fidelity.NONE, None)


@pytest.mark.parametrize("adds", ["args['nothing']", "1"])
def test_a_rule_that_cannot_say_which_members_is_not_called_unchanged(adds: str) -> None:
    event = applied(
        tagged(["a"], [], replace(ADD, adds=Py(adds))).asks(READ_TAGS, told=an_answer(["a"]))
    )
    assert (event.fidelity, event.inverse) == (Fidelity.NONE, None)


def test_a_set_that_is_replaced_is_undone_both_ways() -> None:
    both = (
        (*ADD.undo, a_step("POST", "/notes/{id}/tags/{it}", each=Py("removed")))
        if isinstance(ADD.undo, tuple)
        else ()
    )
    event = applied(
        tagged(["a"], ["b"], replace(ADD, adds=None, undo=both)).asks(
            READ_TAGS, told=an_answer(["a"])
        )
    )
    assert event.inverse is not None
    assert [s.restores for s in event.inverse.steps] == [False, True]


def test_what_was_removed_is_put_back() -> None:
    undo = (a_step("POST", "/notes/{id}/tags/{it}", each=Py("removed")),)
    operation = replace(ADD, adds=None, removes=Py("args['tags']"), undo=undo)
    event = applied(
        tagged(["a"], ["a", "b"], operation).asks(READ_TAGS, told=an_answer(["theirs"]))
    )
    assert event.inverse is not None
    assert event.inverse.touches[0].removed == ("a",)


# What a call created, and images whose place hangs on the before-image.


def test_what_was_created_is_read_where_the_answer_says() -> None:
    create = an_operation(
        "notes/create",
        "POST /notes",
        creates=a_use(params={"id": Py("res['id']")}),
        undo=Undo.DELETE,
    )
    told = settled(an_answer({"id": 7}, 201), create, a_request("POST", "/notes", json=NEW), ())
    event = applied(
        told.asks(
            Fetch(request=a_request(target="/notes/7"), credential="c1"), told=an_answer({"id": 7})
        )
    )
    assert event.inverse is not None
    assert event.inverse.steps[0].request.target == "/notes/7"


def test_an_image_is_read_again_where_it_was_read_before() -> None:
    """Its place may hang on what the before-image said, and that is another now."""
    uses = (a_use(name="a"), a_use(name="b", params={"id": Py("before['a']['next']")}))
    operation = replace(UPDATE, images=uses)
    before = (an_image({"next": "2", "title": "old"}, "a"), an_image(OLD, "b", id="2"))
    told = settled(an_answer(), operation, before=before).asks(
        READ, told=an_answer({"next": "3", "title": "new"})
    )
    told.asks(Fetch(request=a_request(target="/notes/2"), credential="c1"), told=an_answer(OLD))
    assert applied(told).inverse is not None


# A person says that a lost call took effect.


def test_what_a_person_says_is_recorded_as_theirs() -> None:
    event = said(NEW).result
    assert (event.by, event.evidence, event.fidelity) == ("ann", "ann said so", Fidelity.EXACT)
    assert event.inverse is not None


def test_what_others_may_have_written_since_is_not_undone() -> None:
    event = said({"title": "theirs"}).result
    assert (event.fidelity, event.inverse) == (Fidelity.NONE, None)


def test_of_what_was_only_accepted_nobody_says_that_it_was_carried_out() -> None:
    accepted = Response(status=202)
    blind = applied(settled(accepted, operation=None))
    sent_off = applied(
        settled(accepted, operation=SEND, request=a_request("POST", "/send"), before=())
    )
    for event in (blind, sent_off):
        assert event.fidelity is Fidelity.NONE
        assert "accepted it (202); that it was carried out was not seen" in event.why

# ruff: noqa: ANN401 - what a factory is given goes to the type that it makes
"""Decisions on calls and on undos; what is foreseen of the fidelity."""

from typing import Any

import pytest

from goex_proxy.core.book import Book
from goex_proxy.core.call import Initiator, Link
from goex_proxy.core.deciding import decide, foreseen
from goex_proxy.core.decision import Auth, Decision, Effect, Posture
from goex_proxy.core.exchange import Request
from goex_proxy.core.expression import Expression
from goex_proxy.core.image import Image
from goex_proxy.core.operation import Fidelity, Undo
from goex_proxy.core.service import Trust
from tests.core.world import (
    Py,
    a_book,
    a_call,
    a_request,
    a_rule,
    a_service,
    a_subject,
    a_use,
    an_image,
    an_operation,
    classified,
)

ALLOW, HOLD, DENY = Effect.ALLOW, Effect.HOLD, Effect.DENY
UPDATE = an_operation("notes/update", "PATCH /notes/{id}", images=(a_use(),), undo=Undo.RESTORE)
PATCH = a_request("PATCH", json={"title": "new"})
LINK = Link(undo_of=7, run="u1")


def decided(
    book: Book, request: Request = PATCH, fidelity: Fidelity = Fidelity.EXACT, **more: Any
) -> Decision:
    call = a_call(request, **more)
    return decide(call, classified(call, book), book, fidelity=fidelity)


def undo(book: Book, initiator: Initiator, request: Request = PATCH) -> Decision:
    return decided(book, request, initiator=initiator, link=LINK)


def of_trust(trust: Trust, **more: Any) -> Book:
    return a_book(a_service(UPDATE, trust=trust), **more)


@pytest.mark.parametrize("posture", Posture)
@pytest.mark.parametrize(
    ("initiator", "trust", "effect"),
    [
        (Initiator.PERSON, Trust.REVIEWED, ALLOW),
        (Initiator.PERSON, Trust.INFERRED, HOLD),
        (Initiator.PERSON, Trust.PROPOSED, HOLD),
        (Initiator.AGENT, Trust.REVIEWED, DENY),
        (Initiator.AGENT, Trust.INFERRED, DENY),
        (Initiator.AGENT, Trust.PROPOSED, DENY),
    ],
)
def test_an_undo_is_decided_for_who_wants_it_in_every_posture(
    posture: Posture, initiator: Initiator, trust: Trust, effect: Effect
) -> None:
    found = undo(of_trust(trust, posture=posture), initiator)
    assert (found.effect, found.rule) == (effect, "undo")
    assert found.reason


def test_an_undo_at_a_service_that_has_no_file_any_more_is_held() -> None:
    assert undo(a_book(), Initiator.PERSON).effect is HOLD


def test_the_rules_for_the_agents_calls_do_not_bind_an_undo() -> None:
    for effect, initiator, default in (
        (DENY, Initiator.PERSON, ALLOW),
        (HOLD, Initiator.PERSON, ALLOW),
        (ALLOW, Initiator.AGENT, DENY),
    ):
        book = of_trust(Trust.REVIEWED, rules=(a_rule(effect),))
        assert undo(book, initiator).effect is default


@pytest.mark.parametrize("effect", Effect)
@pytest.mark.parametrize("initiator", Initiator)
def test_the_rules_marked_for_undo_bind_whoever_wants_it(
    effect: Effect, initiator: Initiator
) -> None:
    book = of_trust(Trust.REVIEWED, rules=(a_rule(effect, undo=True),))
    assert undo(book, initiator).effect is effect


def test_a_redo_is_decided_like_any_call() -> None:
    book = of_trust(Trust.REVIEWED, rules=(a_rule(DENY),))
    assert decided(book, initiator=Initiator.PERSON, link=Link(redo_of=7)).effect is DENY


def test_a_foreign_credential_leaves_nothing_to_undo_with_and_reads_alone() -> None:
    book = of_trust(Trust.REVIEWED, rules=(a_rule(DENY, conditions=(Py("fidelity == 'none'"),)),))
    assert decided(book, auth=Auth.FOREIGN).effect is DENY
    assert decided(book, auth=Auth.OURS).effect is ALLOW
    assert decided(book, a_request(), auth=Auth.FOREIGN).effect is ALLOW


@pytest.mark.parametrize(
    ("outside", "effect"),
    [
        (None, ALLOW),
        (Py("False"), ALLOW),
        (Py("True"), HOLD),
        (Py("'perhaps'"), HOLD),
        (Py("res['ok']"), ALLOW),
        (Py("before['x'] or True"), ALLOW),
        (Py("args['missing']"), DENY),
    ],
)
def test_what_people_outside_may_notice_is_held_and_what_cannot_be_told_is_denied(
    outside: Expression | None, effect: Effect
) -> None:
    """What only the answer tells is not known yet; an error is not the same as no."""
    book = a_book(
        a_service(
            an_operation("x", "PATCH /notes/{id}", fidelity=Fidelity.COMPENSATING, outside=outside)
        )
    )
    assert decided(book, fidelity=Fidelity.COMPENSATING).effect is effect


def expected(
    fidelity: Fidelity | Expression,
    *images: Image,
    request: Request = PATCH,
    promise: Fidelity = Fidelity.COMPENSATING,
    **more: Any,
) -> Fidelity:
    operation = an_operation("x", "PATCH /notes/{id}", fidelity=fidelity, promise=promise, **more)
    book = a_book(a_service(operation))
    return foreseen(a_subject(a_call(request), book), images)


BEFORE = Py("'exact' if before['mine'] else 'compensating'")


def test_a_fidelity_that_stands_in_the_file_is_foreseen() -> None:
    assert expected(Fidelity.EQUIVALENT) is Fidelity.EQUIVALENT


@pytest.mark.parametrize(("mine", "found"), [(True, "exact"), (False, "compensating")])
def test_a_fidelity_that_hangs_on_the_before_image_is_read_from_it(mine: bool, found: str) -> None:
    assert expected(BEFORE, an_image({"mine": mine})) == found


def test_what_only_the_answer_tells_is_the_promise() -> None:
    assert expected(Py("'exact' if res['new'] else 'compensating'")) is Fidelity.COMPENSATING


@pytest.mark.parametrize("rule", [Py("before['missing']"), Py("'fine'"), Py("None")])
def test_a_fidelity_that_cannot_be_told_is_none(rule: Py) -> None:
    assert expected(rule, an_image({})) is Fidelity.NONE


def test_where_a_secret_stood_nothing_can_be_written_back() -> None:
    image = scrubbed(an_image({"mine": True}))
    assert expected(Fidelity.EXACT, image) is Fidelity.NONE


def scrubbed(image: Image) -> Image:
    return Image(instance=image.instance, body=image.body, scrubbed=True)


def test_a_restore_of_fields_that_nobody_read_is_not_promised() -> None:
    bare = a_request("PATCH")
    restores: dict[str, Any] = {"undo": Undo.RESTORE, "images": (a_use(),)}
    assert expected(Fidelity.EXACT, an_image({}), request=bare, **restores) is Fidelity.NONE
    assert expected(Fidelity.EXACT, an_image({}), **restores) is Fidelity.EXACT
    named = {**restores, "writes": ("title",)}
    assert expected(Fidelity.EXACT, an_image({}), request=bare, **named) is Fidelity.EXACT
    for whole in (an_image(b"x"), an_image(None)):
        assert expected(Fidelity.EXACT, whole, request=bare, **restores) is Fidelity.EXACT

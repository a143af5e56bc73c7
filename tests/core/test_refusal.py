"""What an agent is told: in its service's dialect, on one line, in words to act on."""

import pytest

from goex_proxy.core import exact
from goex_proxy.core.refusal import Refusal, Told, response
from goex_proxy.core.service import Dialect
from tests.core.world import a_service, encode, text

HELD = Refusal(told=Told.HELD, reason="mail stays inside", rule="team/mail", entry="e7")


def test_the_default_dialect() -> None:
    told = response(HELD, None)
    body = exact.loads(told.body or b"")
    assert isinstance(body, dict)
    assert (told.status, told.headers.get("x-goex-entry")) == (403, "e7")
    assert "goex approve e7" in body["message"]
    assert body["goex"] == {
        "outcome": "held",
        "rule": "team/mail",
        "reason": "mail stays inside",
        "entry": "e7",
        "hint": "do not retry; ask your user to run `goex approve e7`",
    }


def test_a_services_own_dialect() -> None:
    dialect = Dialect(status=200, json={"ok": False, "error": text("'goex_' + outcome")})
    told = response(HELD, a_service(dialect=dialect))
    body = exact.loads(told.body or b"")
    assert isinstance(body, dict)
    assert (told.status, body["ok"], body["error"]) == (200, False, "goex_held")
    assert body["goex"]["outcome"] == "held"


def test_a_dialect_that_fails_falls_back() -> None:
    told = response(HELD, a_service(dialect=Dialect(json={"x": text("missing")})))
    assert b'"message"' in (told.body or b"")


@pytest.mark.parametrize(
    ("codec", "args", "kind"),
    [
        ("shout", {"a": 1}, "text/shout"),
        ("none", {"a": 1}, "application/json"),
        ("shout", None, "application/json"),
    ],
)
def test_a_dialect_may_be_a_codec(codec: str, args: object, kind: str) -> None:
    told = response(HELD, a_service(dialect=Dialect(codec=codec)), encode, args)
    assert told.headers.get("content-type") == kind


def test_statuses() -> None:
    assert response(Refusal(told=Told.IN_DOUBT, reason="x"), None).status == 409
    assert (
        response(
            Refusal(told=Told.REFUSED, reason="x", status=429),
            a_service(dialect=Dialect(status=200)),
        ).status
        == 429
    )
    assert not response(Refusal(told=Told.UNAVAILABLE, reason="x"), None).headers.has(
        "x-goex-entry"
    )


@pytest.mark.parametrize("told", Told)
def test_the_phrase_is_ascii_on_one_line(told: Told) -> None:
    phrase = response(Refusal(told=told, reason="é\r\nX: y" + "z" * 400), None).reason
    assert phrase.isascii()
    assert phrase.isprintable()
    assert len(phrase) <= 250
    assert told in phrase


def test_only_what_was_not_sent_is_said_to_be_so() -> None:
    said = {told: Refusal(told=told, reason="x", entry="e1").message for told in Told}
    assert [told for told in Told if "nothing was sent" in said[told]] == [Told.UNAVAILABLE]
    assert "it was sent" in said[Told.FAILED]
    assert "may be asked again" in said[Told.FAILED]


def test_a_read_that_failed_is_a_bad_gateway_but_where_errors_are_said_with_200() -> None:
    failed = Refusal(told=Told.FAILED, reason="x")
    assert response(failed, None).status == 502
    assert response(failed, a_service(dialect=Dialect(status=400))).status == 502
    assert response(failed, a_service(dialect=Dialect(status=200))).status == 200


def test_a_hint_of_its_own() -> None:
    assert Refusal(told=Told.HELD, reason="x", hint="run this").advice == "run this"

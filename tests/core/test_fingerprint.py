# ruff: noqa: ANN401 - what a factory is given goes to the type that it makes
"""A retry has the fingerprint of its first try; nothing else has."""

from dataclasses import replace
from typing import Any

import pytest

from goex_proxy.core.call import Caller
from goex_proxy.core.decision import Auth
from goex_proxy.core.exchange import Headers
from goex_proxy.core.fingerprint import fingerprint
from tests.core.world import (
    a_book,
    a_call,
    a_request,
    a_service,
    an_operation,
    as_decoded,
    classified,
)

BOOK = a_book(a_service(an_operation("notes/create", "POST /notes", nonce=("nonce",))))
POST = a_request("POST", "/notes", json={"title": "a"})


def print_of(**more: Any) -> str:
    call = a_call(**{"request": POST, **more})
    return fingerprint(call, classified(call, BOOK))


def test_a_retry_has_the_fingerprint_of_its_first_try() -> None:
    noisy = replace(POST, headers=POST.headers.set("X-Request-Id", "7"))
    assert print_of() == print_of(request=noisy, at="2026-11-21T10:00:09.000000Z")
    assert len(print_of()) == 32


@pytest.mark.parametrize(
    "more",
    [
        {"request": a_request("PUT", "/notes", json={"title": "a"})},
        {"request": a_request("POST", "/notes?x=1", json={"title": "a"})},
        {"request": a_request("POST", "/notes", json={"title": "b"})},
        {"request": replace(POST, headers=Headers())},
        {"caller": Caller(agent="bot", session="s2")},
        {"caller": Caller(agent="other", session="s1")},
        {"credential": "c2"},
        {"auth": Auth.NONE},
    ],
)
def test_another_call_has_another(more: dict[str, Any]) -> None:
    assert print_of(**more) != print_of()


@pytest.mark.parametrize(
    "field",
    [
        ("Destination", "/other"),
        ("If-Match", '"2"'),
        ("Content-Encoding", "gzip"),
        ("Dropbox-API-Arg", '{"path":"/b"}'),
        ("X-Of-Some-Service", "b"),
        ("Accept", "application/vnd.of-some-service.v4+json"),
    ],
)
def test_a_field_that_a_service_may_act_on_makes_another_call(field: tuple[str, str]) -> None:
    """An approval of a MOVE to one place must not be a pass for a MOVE to another."""
    one, other = (
        replace(POST, headers=POST.headers.set(field[0], value)) for value in ("a", field[1])
    )
    assert print_of(request=one) != print_of(request=other) != print_of()
    assert print_of(request=one) == print_of(request=one)


@pytest.mark.parametrize("name", ["Traceparent", "X-Stainless-Retry-Count", "User-Agent", "Date"])
def test_what_says_nothing_of_the_call_may_differ_between_retries(name: str) -> None:
    assert print_of(request=replace(POST, headers=POST.headers.set(name, "7"))) == print_of()


def test_another_foreign_credential_makes_another_call() -> None:
    call = a_call(POST)
    seen = classified(call, BOOK)
    prints = {fingerprint(call, seen, foreign) for foreign in ("", "a", "b")}
    assert len(prints) == 3


def test_a_nonce_does_not_tell_retries_apart() -> None:
    first, second, other = (
        print_of(request=a_request("POST", "/notes", json=body))
        for body in (
            {"title": "a", "nonce": 1},
            {"nonce": 2, "title": "a"},
            {"title": "b", "nonce": 1},
        )
    )
    assert first == second != other


def test_a_body_that_was_not_read_has_no_fingerprint() -> None:
    """Two uploads to one place would be taken for one, and the second never sent."""
    assert print_of(request=replace(POST, body=None, prefix=b"same start")) == ""


def test_a_body_that_json_cannot_say_counts_as_it_is() -> None:
    call = a_call(POST)
    seen = classified(call, BOOK)
    value = {"file": b"\x00", "nonce": 1}
    odd = replace(seen, once=as_decoded(replace(seen.decoded, value=value)))
    assert fingerprint(call, odd) == fingerprint(replace(call), odd) != print_of(credential="c2")

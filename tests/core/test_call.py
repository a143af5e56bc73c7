# ruff: noqa: ANN401 - what a factory is given goes to the type that it makes
"""A call, and the facts that policies may look at: those of docs/policies.md, and no other."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from goex_proxy.core.call import Call, Caller, Link, facts, forced, recipients, targets
from goex_proxy.core.decision import Auth
from goex_proxy.core.exchange import Headers, Origin, Request
from goex_proxy.core.expression import ExpressionError
from goex_proxy.core.operation import Fidelity, Operation, Proof
from tests.core.world import AT, Py, a_book, a_call, a_request, a_service, an_operation, classified

PAGE = Path(__file__).parents[2] / "docs" / "policies.md"
TYPES: dict[str, type] = {
    "port": int,
    "segments": list,
    "query": dict,
    "headers": dict,
    "size": int,
    "body": dict,
    "args": dict,
    "residue": list,
    "outside": bool,
    "recipients": list,
    "targets": list,
    "blast": int,
    "cost_usd": float,
    "is_undo": bool,
    "credential.labels": list,
    "agent.labels": list,
    "session.started": datetime,
    "session.writes": int,
    "now": datetime,
}
"""All others are texts."""
SEND = an_operation(
    "mail/send",
    "POST /mail/{box}",
    residue=("mail",),
    proved=Proof.BED,
    recipients=Py("args['to']"),
    forced=Py("'yes' if args.get('force') else 'no'"),
)
POST = a_request(
    "POST",
    "/mail/in%2Fbox?draft=1",
    json={"to": ["Ann@X.example"]},
    headers=Headers((("X-A", "1"), ("x-a", "2"))),
)


def documented() -> list[str]:
    """The names of the page's paragraph, without what a policy file itself defines."""
    paragraph = PAGE.read_text().partition("**Names.**")[2].partition("Functions:")[0]
    names = [n for quoted in re.findall(r"`([^`]+)`", paragraph) for n in quoted.split()]
    return [n for n in names if not n.startswith(("lists.", "let."))]


def told(
    request: Request = POST, operation: Operation | None = SEND, **more: Any
) -> Mapping[str, object]:
    book = a_book(a_service(*([operation] if operation else [])))
    call = a_call(request, **more)
    return facts(call, classified(call, book), Fidelity.COMPENSATING, outside=True)


def test_the_facts_are_those_of_the_page() -> None:
    assert sorted(documented()) == sorted(told())
    assert len(told()) == len(documented()) >= 34


@pytest.mark.parametrize("name", documented())
def test_every_fact_has_its_type(name: str) -> None:
    assert type(told()[name]) is TYPES.get(name, str)


@pytest.mark.parametrize("name", [n for n in documented() if n not in ("args", "body")])
def test_of_a_strange_call_every_fact_can_be_told(name: str) -> None:
    """No file, no credential, no body, no session's beginning."""
    call = Call(request=replace(a_request("POST", "/x"), body=None), at=AT)
    found = facts(call, classified(call, a_book()), Fidelity.NONE, outside=False)[name]
    assert type(found) is TYPES.get(name, str)


def test_the_facts_of_a_call() -> None:
    caller = Caller(agent="bot", session="s1", started="2026-11-21T09:00:00Z", labels=("team",))
    found = told(caller=caller, credential_labels=("rw",), session_writes=3)
    expected = {
        "method": "POST",
        "host": "api.example",
        "path": "/mail/in%2Fbox",
        "segments": ["mail", "in%2Fbox"],
        "query": {"draft": "1"},
        "content_type": "application/json",
        "args": {"draft": "1", "to": ["Ann@X.example"]},
        "body_state": "parsed",
        "operation": "example.mail/send",
        "service": "example",
        "kind": "write",
        "fidelity": "compensating",
        "residue": ["mail"],
        "outside": True,
        "proved": "bed",
        "recipients": ["ann@x.example"],
        "targets": ["/mail/in%2Fbox"],
        "forced": "no",
        "auth": "ours",
        "is_undo": False,
        "credential.name": "example",
        "credential.labels": ["rw"],
        "agent.id": "bot",
        "agent.labels": ["team"],
        "session.id": "s1",
        "session.writes": 3,
        "session.started": datetime(2026, 11, 21, 9, tzinfo=UTC),
        "now": datetime(2026, 11, 21, 10, tzinfo=UTC),
    }
    assert {name: found[name] for name in expected} == expected
    headers = found["headers"]
    assert isinstance(headers, dict)
    assert headers["x-a"] == "1, 2"


def test_what_an_expression_does_to_a_fact_stays_out_of_the_call() -> None:
    found = told()
    args = found["args"]
    assert isinstance(args, dict)
    args.clear()
    assert told()["args"]


def test_a_session_of_unknown_beginning_began_with_the_call() -> None:
    found = told(caller=Caller())
    assert found["session.started"] == found["now"]


@pytest.mark.parametrize(
    ("length", "size"),
    [("70", 70), ("", -1), ("-1", -1), ("1, 1", -1), ("\xb2", -1), ("9" * 5000, -1)],
)
def test_the_size_of_what_is_streamed_past_is_what_its_length_says(length: str, size: int) -> None:
    request = replace(a_request("POST", "/x"), body=None)
    assert told(replace(request, headers=Headers((("Content-Length", length),))))["size"] == size
    assert (
        told(a_request("POST", "/x", headers=Headers((("Content-Length", length),))))["size"] == 0
    )


@pytest.mark.parametrize("value", ["'ann'", "[1]", "args['missing']", "None"])
def test_recipients_that_are_no_list_of_texts_are_an_error(value: str) -> None:
    operation = replace(SEND, recipients=Py(value))
    with pytest.raises(ExpressionError):
        recipients(classified(a_call(POST), a_book(a_service(operation))))


def test_recipients_of_a_body_that_nobody_read_are_an_error_and_not_none() -> None:
    unread = POST.with_body(b"to=ann", "text/plain")
    with pytest.raises(ExpressionError, match="cannot be read"):
        recipients(classified(a_call(unread), a_book(a_service(SEND))))


@pytest.mark.parametrize(
    ("rule", "said"),
    [(None, ""), (Py("'yes'"), "yes"), (Py("1"), "unknown"), (Py("None"), "unknown")],
)
def test_whether_a_push_rewrites_history_may_be_unknown(rule: Py | None, said: str) -> None:
    operation = replace(SEND, forced=rule)
    assert forced(classified(a_call(POST), a_book(a_service(operation)))) == said


def test_a_target_is_also_what_the_rule_binds() -> None:
    move = an_operation("move", "POST /mail/{box}", binds=(("to", Py("'/else/' + box")),))
    assert targets(classified(a_call(POST), a_book(a_service(move)))) == [
        "/mail/in%2Fbox",
        "/else/in/box",
    ]


def test_a_step_of_an_undo_is_one_and_a_redo_is_not() -> None:
    assert told(link=Link(undo_of=0))["is_undo"] is True
    assert told(link=Link(redo_of=7))["is_undo"] is False


SIGNED = a_request("POST", "/x", headers=Headers((("authorization", "Basic PLACEHOLDER"),)))


def test_our_request_bears_the_authorization_of_the_call() -> None:
    made = a_call(SIGNED).signed(a_request())
    assert made.headers.all("Authorization") == ("Basic PLACEHOLDER",)


@pytest.mark.parametrize(
    ("call", "request_"),
    [
        (a_call(SIGNED, auth=Auth.FOREIGN), a_request()),
        (a_call(SIGNED, auth=Auth.NONE), a_request()),
        (a_call(a_request()), a_request()),
        (a_call(SIGNED), a_request(headers=Headers((("Authorization", "own"),)))),
        (
            a_call(SIGNED),
            a_request(origin=Origin(scheme="https", host="other.example", port=443)),
        ),
        (a_call(SIGNED), a_request(origin=Origin(scheme="http", host="api.example", port=80))),
    ],
)
def test_no_other_request_does(call: Call, request_: Request) -> None:
    """Another origin's, one with its own, one whose call bore nothing of ours."""
    assert call.signed(request_) == request_


@pytest.mark.parametrize("name", ["now", "session.started"])
def test_a_call_without_a_time_has_no_time_to_tell_and_says_so(name: str) -> None:
    book = a_book(a_service())
    call = replace(a_call(at=""), caller=Caller())
    told = facts(call, classified(call, book), Fidelity.EXACT, False)
    with pytest.raises(ExpressionError, match="the call has no time"):
        told[name]

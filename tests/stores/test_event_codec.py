"""Every event survives being stored; what is personal is only in blobs."""

from dataclasses import fields, replace
from typing import Any

import pytest

from goex_proxy.core import event as events
from goex_proxy.core.call import Call, Caller, Link
from goex_proxy.core.decision import Auth, Decision, Effect
from goex_proxy.core.event import Event
from goex_proxy.core.exchange import Headers, Origin, Request, Response
from goex_proxy.core.image import Goal, Image, Touch
from goex_proxy.core.inverse import Inverse, InverseStep
from goex_proxy.core.operation import Fidelity, Kind
from goex_proxy.core.resource import Form, Instance
from goex_proxy.stores.event_codec import from_stored, to_row
from goex_proxy.stores.rows import Row, StoredEvent

PERSONAL = "Zwiebelkuchen"
REQUEST = Request(
    method="PATCH",
    origin=Origin(scheme="https", host="api.github.com", port=443),
    target=f"/repos/a/b/issues/7?q={PERSONAL}",
    headers=Headers((("Authorization", "Bearer ghp_placeholder"), ("X-Note", PERSONAL))),
    body=b'{"title":"' + PERSONAL.encode() + b'","big":12345678901234567890,"n":1.10}',
)
RESPONSE = Response(
    status=200, headers=Headers((("ETag", '"x"'),)), body=PERSONAL.encode(), reason="OK"
)
DECISION = Decision(effect=Effect.HOLD, rule="team/x", reason="because", timeout=30.0)
IMAGE = Image(
    instance=Instance(use="", resource="issue", params={"n": "7"}),
    body=b'{"title":"' + PERSONAL.encode() + b'","n":1.10}',
    tags={"etag": '"x"'},
)
ABSENT = Image(
    instance=Instance(use="dst", resource="file", params={}), form=Form.BYTES, present=False
)
TOUCH = Touch(use="", fields=("title",), goal=Goal.VALUES, values={"title": PERSONAL, "n": None})
MEMBERS = Touch(use="l", form=Form.SET, added=(PERSONAL,), removed=(1,))
INVERSE = Inverse(
    steps=(InverseStep(request=REQUEST, template=0, guard="", member=("l", PERSONAL)),),
    touches=(TOUCH, MEMBERS),
    guarded=True,
)
CALL = Call(
    request=REQUEST,
    caller=Caller(agent="bot", session="s1"),
    auth=Auth.OURS,
    credential="c1",
    link=Link(undo_of=3, run="r", step=1, template=0),
    at="2026-11-21T10:00:00.000000Z",
)
RULE = events.RuleText(name="github.issues/update", text="version: 1", digest="d")
SOME: dict[str, Any] = {
    "call": CALL,
    "decision": DECISION,
    "images": (IMAGE, ABSENT),
    "now": (IMAGE,),
    "after": (IMAGE, ABSENT),
    "response": RESPONSE,
    "inverse": INVERSE,
    "rule": RULE,
    "fidelity": Fidelity.EXACT,
    "kind": Kind.WRITE,
    "differences": (events.Difference(use="", field="title", why="changed"),),
    "residue": ("mail",),
    "targets": (f"/{PERSONAL}",),
    "old": {"n": "7"},
    "new": {"n": "8"},
    "entry": 7,
    "kept": False,
    "already": True,
    "force": True,
    "refused": True,
}
ALL: list[type[Event]] = [
    t
    for t in vars(events).values()
    if isinstance(t, type) and issubclass(t, Event) and t is not Event
]


def example(kind: type[Event]) -> Event:
    given = {f.name: SOME.get(f.name, "text") for f in fields(kind)}
    return kind(**given)


def stored(row: Row) -> StoredEvent:
    return StoredEvent(
        seq=1, entry=1, n=1, type=row.type, version=row.version, fields=row.fields, at="",
        mono=0, actor=row.actor, blobs=(), previous="", hash="", raw=b"",
    )  # fmt: skip


def back(row: Row) -> Event:
    blobs = {blob.name: blob.data for blob in row.blobs}
    return from_stored(stored(row), blobs.get)


@pytest.mark.parametrize("kind", ALL, ids=lambda k: k.__name__)
def test_an_event_survives_being_stored(kind: type[Event]) -> None:
    event = example(kind)
    assert back(to_row(event)) == event


@pytest.mark.parametrize("kind", ALL, ids=lambda k: k.__name__)
def test_what_is_personal_is_only_in_blobs(kind: type[Event]) -> None:
    assert PERSONAL not in repr(to_row(example(kind)).fields)


@pytest.mark.parametrize("kind", ALL, ids=lambda k: k.__name__)
def test_a_shredded_event_can_still_be_read(kind: type[Event]) -> None:
    row = to_row(example(kind))
    assert type(from_stored(stored(row), lambda _: None)) is kind


def test_an_event_of_an_unknown_type_is_a_clear_error() -> None:
    row = Row(type="Teleported", version=1, fields={}, actor="goex")
    with pytest.raises(ValueError, match="newer goex-proxy"):
        from_stored(stored(row), lambda _: None)


def test_a_streamed_body_is_not_an_empty_one() -> None:
    event = events.Answered(response=Response(status=200, body=None))
    assert back(to_row(event)) == event


def test_of_a_streamed_request_the_beginning_is_kept() -> None:
    request = Request(
        method="POST",
        origin=REQUEST.origin,
        target="/r/git-receive-pack",
        body=None,
        prefix=b"00a4",
    )
    event = example(events.Opened)
    assert isinstance(event, events.Opened)
    streamed = replace(event, call=replace(CALL, request=request))
    assert back(to_row(streamed)) == streamed

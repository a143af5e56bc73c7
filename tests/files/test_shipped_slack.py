"""reversers/slack.yaml: which request is which operation, and undone against the bed."""

from __future__ import annotations

import pytest

from goex_proxy.core import exact
from goex_proxy.core.exchange import Headers, Request, Response
from goex_proxy.core.journal import State
from goex_proxy.core.operation import Fidelity, Kind, Operation
from tests.beds import emulate
from tests.beds.bed import ask
from tests.files.reverser_world import World, book, classified, reply, request, services

API = "https://slack.com/api/"
BOOK = book(*services("slack"))
[SLACK] = services("slack")


def method(name: str, /, **fields: str) -> Request:
    return request("POST", API + name, form=fields)


@pytest.mark.parametrize("made", SLACK.operations, ids=lambda made: made.name)
@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_a_method_is_its_operation_by_any_verb(made: Operation, verb: str) -> None:
    name = made.name
    fields = "channel=C1&ts=1.2&timestamp=1.2&name=x&text=y"
    assert classified(BOOK, request(verb, f"{API}{name}?{fields}")).name == f"slack.{name}"


@pytest.mark.parametrize("read", [read.name for read in SLACK.reads])
def test_a_method_that_reads_is_a_read_by_any_verb(read: str) -> None:
    for verb in ("GET", "POST"):
        found = classified(BOOK, request(verb, API + read))
        assert (found.kind, found.name) == (Kind.READ, f"slack.{read}")


@pytest.mark.parametrize(
    "name",
    [
        "auth.revoke",
        "chat.unknown",
        "files.getUploadURLExternal",
        "admin.emoji.add",
        "oauth.v2.exchange",
    ],
)
def test_a_name_that_nobody_knows_is_no_read_though_it_be_a_get(name: str) -> None:
    assert classified(BOOK, request("GET", API + name)).kind is Kind.UNKNOWN


def test_a_message_with_what_cannot_be_read_back_is_unregistered() -> None:
    made = request("POST", API + "chat.update", json={"channel": "C", "ts": "1", "metadata": {}})
    assert classified(BOOK, made).kind is Kind.UNKNOWN


@pytest.mark.parametrize("how", ["form", "json", "query"])
def test_arguments_come_as_form_json_or_query(how: str) -> None:
    fields = {"channel": "C1", "topic": "new"}
    made = {
        "form": request("POST", API + "conversations.setTopic", form=fields),
        "json": request("POST", API + "conversations.setTopic", json=fields),
        "query": request("GET", API + "conversations.setTopic?channel=C1&topic=new"),
    }[how]
    topics = iter(["old", "new"])

    def answer(asked: Request) -> Response:
        if asked.path.endswith("conversations.info"):
            assert asked.body == b"channel=C1"
            channel = {"id": "C1", "name": "c", "topic": {"value": next(topics)}}
            return reply(200, {"ok": True, "channel": channel})
        return reply(200, {"ok": True})

    entry = World(BOOK, answer).call(made)
    assert entry.inverse is not None
    assert entry.inverse.steps[0].request.body == b"channel=C1&topic=old"


def test_ok_false_is_a_failure_though_the_status_be_200() -> None:
    def answer(asked: Request) -> Response:
        if asked.path.endswith("conversations.info"):
            return reply(200, {"ok": True, "channel": {"id": "C1", "name": "c"}})
        return reply(200, {"ok": False, "error": "name_taken"})

    entry = World(BOOK, answer).call(method("conversations.rename", channel="C1", name="x"))
    assert entry.state is State.FAILED
    assert "name_taken" in entry.reason


def test_joining_a_channel_one_is_in_is_nothing_to_undo() -> None:
    def answer(asked: Request) -> Response:
        if asked.path.endswith("conversations.members"):
            return reply(200, {"ok": True, "members": ["U1"]})
        return reply(200, {"ok": True, "warning": "already_in_channel"})

    entry = World(BOOK, answer, principal="U1").call(method("conversations.join", channel="C1"))
    assert (entry.fidelity, entry.inverse) == (Fidelity.EXACT, None)


def test_only_our_own_reaction_is_taken_back_under_the_name_that_slack_gave_it() -> None:
    lists = iter([["U9"], ["U9", "U1", "U2"]])

    def answer(asked: Request) -> Response:
        if asked.path.endswith("reactions.get"):
            return reply(
                200, {"ok": True, "message": {"reactions": [{"name": "+1", "users": next(lists)}]}}
            )
        return reply(200, {"ok": True})

    made = method("reactions.add", channel="C1", timestamp="1.2", name="thumbsup")
    entry = World(BOOK, answer, principal="U1").call(made)
    assert entry.inverse is not None
    [step] = entry.inverse.steps
    assert step.request.body == b"channel=C1&timestamp=1.2&name=%2B1"


def test_members_are_read_page_by_page_and_only_the_new_are_taken_out() -> None:
    after = False

    def answer(asked: Request) -> Response:
        nonlocal after
        if asked.path.endswith("conversations.invite"):
            after = True
            return reply(200, {"ok": True})
        body = asked.body or b""
        if b"cursor=p2" in body:
            members = ["U3", "U4"] if after else ["U3"]
            return reply(
                200, {"ok": True, "members": members, "response_metadata": {"next_cursor": ""}}
            )
        return reply(
            200, {"ok": True, "members": ["U1", "U2"], "response_metadata": {"next_cursor": "p2"}}
        )

    entry = World(BOOK, answer).call(method("conversations.invite", channel="C1", users="U3, U4"))
    assert entry.inverse is not None
    assert [s.request.body for s in entry.inverse.steps] == [b"channel=C1&user=U4"]


def test_the_tombstone_of_a_message_counts_as_gone() -> None:
    message = {"ts": "1.2", "text": "x"}
    gone = {"ts": "1.2", "text": "This message was deleted.", "subtype": "tombstone"}
    reads = iter([message, message, gone])

    def answer(asked: Request) -> Response:
        if asked.path.endswith("conversations.replies"):
            return reply(200, {"ok": True, "messages": [next(reads)]})
        return reply(200, {"ok": True, "channel": "C1", "ts": "1.2"})

    world = World(BOOK, answer)
    entry = world.call(method("chat.postMessage", channel="#general", text="x"))
    undone = world.undo(entry)
    assert undone.state is State.COMPENSATED
    assert world.sent[-1].body == b"channel=C1&ts=1.2"


def test_a_thread_is_not_deleted_over_the_head_of_those_who_answered() -> None:
    message: dict[str, object] = {"ts": "1.2", "text": "x"}
    reads = iter([message, message | {"reply_count": 1}])

    def answer(asked: Request) -> Response:
        if asked.path.endswith("conversations.replies"):
            return reply(200, {"ok": True, "messages": [next(reads)]})
        return reply(200, {"ok": True, "channel": "C1", "ts": "1.2"})

    world = World(BOOK, answer)
    entry = world.call(method("chat.postMessage", channel="C1", text="x"))
    assert world.undo(entry).state is State.CONFLICT


@pytest.fixture
def world(slack_bed: emulate.Emulate) -> World:
    def answer(made: Request) -> Response:
        fields = dict(made.headers) | {"Authorization": f"Bearer {emulate.SLACK_TOKEN}"}
        port = slack_bed.server.port
        said = ask(port, made.method, made.target, headers=fields, body=made.body or b"")
        return Response(
            status=said.status, headers=Headers(tuple(said.headers.items())), body=said.body
        )

    made = World(BOOK, answer)
    made.principal = str(say(made, "auth.test")["user_id"])
    return made


def say(world: World, name: str, /, **fields: str) -> dict[str, object]:
    value = exact.loads(world.answer(method(name, **fields)).body or b"null")
    assert isinstance(value, dict)
    return value


def channel(world: World, name: str) -> str:
    made = say(world, "conversations.create", name=name)["channel"]
    assert isinstance(made, dict)
    return str(made["id"])


def taken_back(world: World, name: str, state: State = State.UNDONE, /, **fields: str) -> None:
    entry = world.call(method(name, **fields))
    assert entry.inverse is not None, entry.reason
    undone = world.undo(entry)
    assert undone.state is state, (undone.reason, undone.undo)


@pytest.mark.bed
def test_messages_are_deleted_written_back_and_said_again(world: World) -> None:
    at = channel(world, "messages")
    taken_back(world, "chat.postMessage", State.COMPENSATED, channel=at, text="hi")
    taken_back(world, "chat.postMessage", State.COMPENSATED, channel="messages", text="by name")
    ts = str(say(world, "chat.postMessage", channel=at, text="one")["ts"])
    taken_back(world, "chat.update", channel=at, ts=ts, text="two")
    blocks = '[{"type":"section","text":{"type":"mrkdwn","text":"x"}}]'
    taken_back(world, "chat.update", channel=at, ts=ts, text="two", blocks=blocks)
    reply = str(say(world, "chat.postMessage", channel=at, text="re", thread_ts=ts)["ts"])
    taken_back(world, "chat.update", channel=at, ts=reply, text="re2")
    taken_back(world, "chat.delete", State.COMPENSATED, channel=at, ts=reply)
    entry = world.call(method("chat.delete", channel=at, ts=ts))
    assert (entry.fidelity, entry.inverse) == (Fidelity.NONE, None)


@pytest.mark.bed
def test_reactions_and_pins_come_and_go(world: World) -> None:
    at = channel(world, "reactions")
    ts = str(say(world, "chat.postMessage", channel=at, text="one")["ts"])
    taken_back(world, "reactions.add", channel=at, timestamp=ts, name="eyes")
    taken_back(world, "pins.add", channel=at, timestamp=ts)
    say(world, "reactions.add", channel=at, timestamp=ts, name="eyes")
    say(world, "pins.add", channel=at, timestamp=ts)
    taken_back(world, "reactions.remove", channel=at, timestamp=ts, name="eyes")
    taken_back(world, "pins.remove", channel=at, timestamp=ts)


@pytest.mark.bed
def test_channels_are_named_described_and_opened_as_they_were(world: World) -> None:
    taken_back(world, "conversations.create", State.COMPENSATED, name="short-lived")
    at = channel(world, "channels")
    taken_back(world, "conversations.rename", channel=at, name="renamed")
    taken_back(world, "conversations.setTopic", channel=at, topic="t")
    taken_back(world, "conversations.setPurpose", channel=at, purpose="p")
    taken_back(world, "conversations.archive", State.COMPENSATED, channel=at)
    say(world, "conversations.archive", channel=at)
    taken_back(world, "conversations.unarchive", channel=at)


@pytest.mark.bed
def test_members_come_and_go(world: World) -> None:
    at = channel(world, "members")
    listed = say(world, "users.list")["members"]
    assert isinstance(listed, list)
    other = next(str(user["id"]) for user in listed if user["id"] != world.principal)
    taken_back(world, "conversations.invite", State.COMPENSATED, channel=at, users=other)
    say(world, "conversations.invite", channel=at, users=other)
    taken_back(world, "conversations.kick", State.COMPENSATED, channel=at, user=other)
    taken_back(world, "conversations.leave", State.COMPENSATED, channel=at)
    say(world, "conversations.leave", channel=at)
    taken_back(world, "conversations.join", channel=at)

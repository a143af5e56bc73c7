"""What an agent may do: postures, policies, pauses, sessions, and placeholders of its own."""

from __future__ import annotations

import asyncio
import base64
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from goex_proxy.console.client import Refused
from tests.behaviour.agent import Answer
from tests.behaviour.ground import Ground, Holding, Standing, Witness, stored
from tests.behaviour.tap import Loop
from tests.behaviour.wiretap import send

KNOWN, STRANGE, FREE = "known.example", "strange.example", "free.example"
SECRET = "the-real-secret-of-this-file-0001"
REVERSER = """version: 1
service: known
hosts: [known.example]
resources:
  thing: {at: "/things/{n}"}
operations:
  exact: {match: "PUT {thing}", fidelity: exact, undo: restore}
  compensating: {match: POST /compensating, creates: {thing: {n: res.n}}, fidelity: compensating, undo: [{delete: "{thing}"}]}
  outside: {match: POST /outside, creates: {thing: {n: res.n}}, fidelity: compensating, outside: "true", undo: [{delete: "{thing}"}]}
  none: {match: POST /none, fidelity: none}
"""
POLICY = """rules:
  - {deny: known.none, if: "args.what == 'denied'", reason: "${args.what} by ${agent.id}"}
  - {hold: known.none, if: "args.what == 'asked'", reason: "a person looks at ${args.what}"}
  - {allow: known.none, if: "args.what != 'plain'"}
"""


async def thing(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
    status = b"201 Created" if head.startswith(b"POST") else b"200 OK"
    said = b'{"n": "1", "a": 0}'
    writer.write(b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (status, len(said), said))  # fmt: skip


@pytest.fixture(scope="module")
def _service(tap_loop: Loop) -> Iterator[Witness]:
    made = Witness(tap_loop, thing)
    yield made
    made.close()


@pytest.fixture
def service(_service: Witness) -> Witness:
    _service.clear()
    return _service


type Open = Callable[..., Standing]


@pytest.fixture(scope="module")
def opened(
    tmp_path_factory: pytest.TempPathFactory, tap_loop: Loop, _service: Witness
) -> Iterator[Open]:
    """Worlds by posture and policy; each is started once."""
    made: dict[tuple[str, str], Standing] = {}

    def one(posture: str = "balanced", policy: str = POLICY) -> Standing:
        if (posture, policy) not in made:
            world = Ground(
                tmp_path_factory.mktemp("open"), tap_loop,
                dict.fromkeys((KNOWN, STRANGE, FREE), _service.url), posture=posture, policy=policy,
                holdings=[
                    Holding(name="known", source=stored(SECRET), host=KNOWN),
                    Holding(name="strange", source=stored(SECRET[::-1]), host=STRANGE),
                    Holding(name="builders", source=stored(SECRET + "b"), host=KNOWN, agents=("builder",)),
                ],
            ).open()  # fmt: skip
            (world.home.path / "reversers" / "known.yaml").write_text(REVERSER)
            made[posture, policy] = world
            world.start()
        return made[posture, policy]

    yield one
    for world in made.values():
        world.close()


CALLS: dict[str, tuple[str, str, str]] = {
    "a read": ("GET", f"https://{KNOWN}/x", "known"),
    "an unregistered read": ("GET", f"https://{STRANGE}/x", "strange"),
    "exact": ("PUT", f"https://{KNOWN}/things/1", "known"),
    "compensating": ("POST", f"https://{KNOWN}/compensating", "known"),
    "compensating, seen outside": ("POST", f"https://{KNOWN}/outside", "known"),
    "not to be undone": ("POST", f"https://{KNOWN}/none", "known"),
    "unregistered, ours": ("POST", f"https://{STRANGE}/x", "strange"),
    "unregistered, nobody's": ("POST", f"https://{FREE}/x", ""),
    "unregistered on a known service": ("POST", f"https://{KNOWN}/x", "known"),
    "with a credential of its own": ("POST", f"https://{KNOWN}/compensating", "foreign"),
}
ALLOWED, HELD, REFUSED = "allowed", "held", "refused"
TABLE = {
    "careful": (ALLOWED, HELD, ALLOWED, HELD, HELD, REFUSED, HELD, HELD, HELD, REFUSED),
    "balanced": (ALLOWED, ALLOWED, ALLOWED, ALLOWED, HELD, HELD, HELD, ALLOWED, HELD, REFUSED),
    "open": (ALLOWED,) * 10,
}


def outcome(world: Standing, method: str, url: str, name: str, number: int) -> str:
    headers = {"Authorization": "Bearer not-ours"} if name == "foreign" else {}
    headers = world.bearer(name) if name not in ("", "foreign") else headers
    body = {} if method == "GET" else {"json": {"n": number}}
    answer = world.call(method, url, headers=headers, **body)
    return str(answer.goex["outcome"]) if answer.goex else ALLOWED


@pytest.mark.parametrize("posture", TABLE)
def test_the_posture_decides_as_its_table_says(
    opened: Open, service: Witness, posture: str
) -> None:
    world = opened(posture, "rules: []\n")
    found = {}
    for number, (what, call) in enumerate(CALLS.items()):
        service.clear()
        found[what] = outcome(world, *call, number)
        method = call[0].encode() + b" "
        assert (method in service.raw) == (found[what] == ALLOWED), (what, bytes(service.raw))
    assert found == dict(zip(CALLS, TABLE[posture], strict=True))


def test_a_change_that_is_let_through_is_on_record_whoever_pays(opened: Open) -> None:
    row = next(r for r in opened("balanced", "rules: []\n").log() if FREE in r["url"])
    assert (row["state"], row["operation"], row["auth"]) == ("applied", "http.unregistered", "none")


def test_a_denied_call_carries_the_reason_of_its_rule(opened: Open, service: Witness) -> None:
    world = opened()
    answer = none(world, "denied")
    assert answer.status == 403
    assert answer.goex["reason"] == "denied by anonymous"
    assert answer.goex["rule"] == "mine/deny-known-none"
    assert world.show(answer.entry)["state"] == "refused"
    assert not service.raw


def none(world: Standing, what: str, **more: Any) -> Answer:  # noqa: ANN401 - fields of JSON
    return world.call("POST", f"https://{KNOWN}/none", json={"what": what, **more}, headers=world.bearer("known"))  # fmt: skip


def test_a_held_call_is_sent_once_when_it_is_approved(opened: Open, service: Witness) -> None:
    world = opened()
    answer = none(world, "asked", n=1)
    assert (answer.goex["outcome"], answer.goex["reason"]) == ("held", "a person looks at asked")
    assert f"goex approve e{answer.entry}" in answer.goex["hint"]
    again = none(world, "asked", n=1)
    assert again.entry == answer.entry, "a retry is not a second hold"
    assert not service.raw
    assert world.act("approve", id=answer.entry)["state"] == "applied"
    assert service.raw.count(b"POST /none") == 1
    assert f"Bearer {SECRET}".encode() in service.raw
    got = none(world, "asked", n=1)
    assert (got.status, got.json["n"]) == (201, "1"), "the agent that asks again gets the answer"
    assert service.raw.count(b"POST /none") == 1


def test_a_rejected_call_is_never_sent(opened: Open, service: Witness) -> None:
    world = opened()
    answer = none(world, "asked", n=2)
    assert world.act("reject", id=answer.entry, reason="not today")["state"] == "refused"
    with pytest.raises(Refused):
        world.act("approve", id=answer.entry)
    told = none(world, "asked", n=2)
    assert "not today" in told.body.decode() or told.goex["outcome"] == "held"
    assert not service.raw


def test_a_pause_stops_every_change_and_no_read(opened: Open, service: Witness) -> None:
    world = opened()
    assert none(world, "fine", n=1).status == 201
    service.clear()
    world.act("pause")
    try:
        answer = none(world, "fine", n=2)
        assert answer.goex["outcome"] == "unavailable"
        assert not service.raw
        got = world.call("GET", f"https://{KNOWN}/x", headers=world.bearer("known"))
        assert got.status == 200
    finally:
        world.act("resume")
    assert none(world, "fine", n=3).status == 201


def test_no_field_of_a_client_makes_its_call_an_undo_or_approves_it(
    opened: Open, service: Witness
) -> None:
    world = opened()
    spoofs = {"X-Goex-Undo": "e1", "X-Goex-Entry": "e1", "X-Goex-Approved": "true", "X-Goex-Agent": "builder"}  # fmt: skip
    fields = {**spoofs, **world.bearer("known")}
    answer = world.call("POST", f"https://{KNOWN}/none", json={"what": "denied"}, headers=fields)
    assert answer.goex["reason"] == "denied by anonymous"
    world.call("GET", f"https://{KNOWN}/x", headers=fields)
    assert b"x-goex" not in bytes(service.raw).lower()


# -- sessions


def ask(world: Standing, user: str = "", password: str = "", name: str = "known") -> Answer:
    """A read through a tunnel that is opened with these words."""
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    auth = f"Proxy-Authorization: Basic {pair}\r\n" if user else ""
    connect = f"CONNECT {KNOWN}:443 HTTP/1.1\r\nHost: {KNOWN}:443\r\n{auth}\r\n"
    wire = f"GET /x HTTP/1.1\r\nHost: {KNOWN}\r\nAuthorization: Bearer {world.placeholder(name)}\r\n\r\n"
    return send(world.proxy, world.trust, wire.encode(), connect=connect, tunnel=f"{KNOWN}:443")


@pytest.fixture
def session(opened: Open) -> Iterator[tuple[Standing, str]]:
    world = opened()
    password = world.act("session.open", name="mine", agent="builder")["password"]
    yield world, password
    world.act("session.close", name="mine")
    assert ask(world).status == 200, "with no session open, a loopback caller is anonymous again"


def test_while_a_session_is_open_nobody_is_anonymous(
    session: tuple[Standing, str], service: Witness
) -> None:
    world, password = session
    service.clear()
    for user, word in (("", ""), ("mine", "wrong"), ("mine", ""), ("other", password), ("mine", password[:-1])):  # fmt: skip
        answer = ask(world, user, word)
        assert answer.status == 407, (user, answer)
        assert "Basic" in answer.headers["proxy-authenticate"]
    assert not service.raw
    assert ask(world, "mine", password).status == 200


def test_a_closed_session_opens_nothing(opened: Open) -> None:
    world = opened()
    password = world.act("session.open", name="brief", agent="builder")["password"]
    assert ask(world, "brief", password).status == 200
    world.act("session.close", name="brief")
    assert ask(world, "brief", password).status == 407


def test_a_placeholder_of_one_agent_is_worth_nothing_to_another(
    session: tuple[Standing, str], opened: Open, service: Witness
) -> None:
    world, password = session
    assert ask(world, "mine", password, "builders").status == 200
    assert f"Bearer {SECRET}b".encode() in service.raw
    other = world.act("session.open", name="theirs", agent="stranger")["password"]
    service.clear()
    refused = ask(world, "theirs", other, "builders")
    world.act("session.close", name="theirs")
    assert refused.status == 403
    assert "not for the agent stranger" in refused.goex["reason"]
    assert not service.raw


def test_nobody_may_use_a_bound_placeholder_anonymously(opened: Open, service: Witness) -> None:
    refused = ask(opened(), name="builders")
    assert refused.status == 403
    assert "not for the agent anonymous" in refused.goex["reason"]
    assert not service.raw


def test_the_socket_of_a_session_is_its_identity(opened: Open) -> None:
    world = opened()
    path = world.act("session.open", name="socketed", agent="builder")["socket"]
    wire = b"GET http://goex.internal/ HTTP/1.1\r\nHost: goex.internal\r\n\r\n"
    try:
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(5)
            link.connect(path)
            link.sendall(wire)
            said = link.recv(65536)
        assert said.startswith(b"HTTP/1.1 200"), said
        assert b"builder" in said
    finally:
        world.act("session.close", name="socketed")


@pytest.mark.parametrize("path", ["/approve/e1", "/actions/approve", "/entries/e1/approve"])
def test_an_agent_cannot_approve_its_own_call(opened: Open, service: Witness, path: str) -> None:
    world = opened()
    held = none(world, "asked", n=path)
    target = path.replace("e1", f"e{held.entry}")
    answer = world.call("POST", f"http://goex.internal{target}", json={"id": held.entry, "by": "x"})
    assert answer.status in (400, 403, 404, 405), answer
    assert world.state(held.entry) == "held"
    assert not service.raw

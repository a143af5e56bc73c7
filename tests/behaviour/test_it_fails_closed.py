"""P3: what cannot be decided, recorded or read is not sent, and the agent is told why.

Parts of a real gateway process are broken one at a time: by a fault put into it when it starts,
by a locked or full journal, by bad files, by requests that two readers would take for two.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.behaviour.agent import Answer
from tests.behaviour.ground import Ground, Holding, Standing, Witness, stored
from tests.behaviour.tap import Loop
from tests.behaviour.wiretap import NOTHING

HOST = "api.example"
SECRET = "a-secret-that-must-not-go-anywhere-01"
FAULT = """
import importlib, inspect, os, sys
def broken_by(name, method):
    async def later(*given, **named):
        fail(name)
        return await method(*given, **named)
    def now(*given, **named):
        fail(name)
        return method(*given, **named)
    return later if inspect.iscoroutinefunction(method) else now
def fail(name):
    with open(os.environ["GOEX_FAULT"]) as file:
        if file.read() == name:
            raise RuntimeError("a-secret-that-must-not-go-anywhere-01")
if "GOEX_FAULT" in os.environ:
    for name in os.environ["GOEX_PLACES"].split():
        module, kind, method = name.rsplit(".", 2)
        owner = getattr(importlib.import_module("goex_proxy." + module), kind)
        setattr(owner, method, broken_by(name, getattr(owner, method)))
"""
ALLOW = "rules:\n  - allow: '*'\n"


@pytest.fixture(scope="module")
def _service(tap_loop: Loop) -> Iterator[Witness]:
    made = Witness(tap_loop)
    yield made
    made.close()


@pytest.fixture
def service(_service: Witness) -> Witness:
    _service.clear()
    return _service


type Make = Callable[..., Standing]


@pytest.fixture
def make(tmp_path: Path, tap_loop: Loop, service: Witness) -> Iterator[Make]:
    """A world with one service and one credential."""
    made: list[Standing] = []

    def one(*, start: bool = True, policy: str = ALLOW) -> Standing:
        made.append(ground(tmp_path / f"w{len(made)}", tap_loop, service, policy).open())
        if start:
            made[-1].start()
        return made[-1]

    yield one
    for world in made:
        world.close()


def ground(at: Path, loop: Loop, service: Witness, policy: str, **environment: str) -> Ground:
    return Ground(
        at, loop, {HOST: service.url}, policy=policy, environment=environment,
        holdings=[Holding(name="mine", source=stored(SECRET), host=HOST)],
    )  # fmt: skip


@pytest.fixture(scope="module")
def breakable(
    tmp_path_factory: pytest.TempPathFactory, tap_loop: Loop, _service: Witness
) -> Iterator[Standing]:
    """A world whose parts break while `fault` in its folder names them."""
    at = tmp_path_factory.mktemp("breakable")
    (at / "sitecustomize.py").write_text(FAULT)
    (at / "fault").touch()
    world = ground(
        at, tap_loop, _service, ALLOW, GOEX_FAULT=str(at / "fault"),
        GOEX_PLACES=" ".join((*BEFORE_THE_WIRE.values(), *AFTER_THE_WIRE.values())),
        PYTHONPATH=os.pathsep.join((str(at), *(p for p in sys.path if p))),
    ).open()  # fmt: skip
    world.start()
    yield world
    world.close()


@contextlib.contextmanager
def broken(world: Standing, place: str) -> Iterator[None]:
    fault = world.ground.at / "fault"
    fault.write_text(place)
    try:
        yield
    finally:
        fault.write_text("")


def read(world: Standing) -> Answer:
    return world.call("GET", f"https://{HOST}/x", headers=world.bearer("mine"))


def change(world: Standing, path: str = "/x", **what: object) -> Answer:
    what.setdefault("json", {"a": 1})
    return world.call("POST", f"https://{HOST}{path}", headers=world.bearer("mine"), **what)


def attempt(call: Callable[[], Answer]) -> Answer:
    """What came; NOTHING if the connection was closed without an answer."""
    began = time.monotonic()
    answer = NOTHING
    with contextlib.suppress(OSError, EOFError, ValueError):
        answer = call()
    assert time.monotonic() - began < 15, "the agent was left hanging"
    return answer


BEFORE_THE_WIRE = {
    "screening": "engine.mediation.Mediation.screen",
    "admission": "engine.mediation.Mediation.admit",
    "classification": "core.catalog.Catalog.classify",
    "policy": "core.policy.Ruleset.decide",
    "keyring": "credentials.keyring.Keyring.inspect",
    "swap": "credentials.keyring.Keyring.swap",
    "redaction": "credentials.keyring.Keyring.redact",
    "ledger": "engine.ledger.Ledger.append",
    "dial check": "engine.mediation.Mediation.dialled",
    "upstream": "engine.mediation.Mediation.upstream",
    "wire": "gateway.asking.Asking._transmit",
    "layer": "gateway.layers.GatewayLayer.get_connection",
    "client": "engine.mediation.Mediation.client",
}


@pytest.mark.parametrize("part", BEFORE_THE_WIRE)
def test_a_part_that_breaks_before_the_wire_lets_nothing_out(
    breakable: Standing, service: Witness, part: str
) -> None:
    with broken(breakable, BEFORE_THE_WIRE[part]):
        answer = attempt(lambda: change(breakable))
        seen = attempt(lambda: read(breakable))
    assert answer is NOTHING or answer.status in (403, 502, 503), answer
    assert b"POST" not in service.raw
    if part in ("admission", "ledger"):
        assert seen.status == 200, "reads do not need it"
    else:
        assert b"GET" not in service.raw
    told = breakable.act("status")
    assert told["troubles"], "status counts what broke"
    assert SECRET.encode() not in answer.body + seen.body + json.dumps(told).encode()
    assert SECRET.encode() not in breakable.log_file.read_bytes()
    assert change(breakable).status == 200, "it was but for a time"


def test_a_read_whose_answer_breaks_off_is_not_said_to_be_unsent(
    make: Make, service: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks_off(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.close()

    monkeypatch.setattr(service, "answer", breaks_off)
    world = make()
    answer = read(world)
    assert b"GET /x " in service.raw
    assert (answer.status, answer.goex["outcome"]) == (502, "failed"), answer
    assert "broke off" in answer.goex["reason"] or "without an answer" in answer.goex["reason"]
    assert "nothing was sent" not in answer.body.decode()
    assert "it may be asked again" in answer.goex["hint"]
    asked = change(world)
    assert (asked.status, asked.goex["outcome"]) == (409, "in_doubt"), "a change is in doubt"


AFTER_THE_WIRE = {
    "scrubber": "credentials.scrub.Scrubs.scrubber",
    "recording": "engine.course.Course.answered",
    "cleaning": "credentials.keyring.Keyring.redact_response",
}


@pytest.mark.parametrize("part", AFTER_THE_WIRE)
def test_a_part_that_breaks_after_the_wire_leaves_a_change_in_doubt(
    breakable: Standing, service: Witness, part: str
) -> None:
    with broken(breakable, AFTER_THE_WIRE[part]):
        answer = attempt(lambda: change(breakable, json={"part": part}))
    assert b"POST" in service.raw
    assert answer is NOTHING or answer.goex["outcome"] == "in_doubt", answer
    entry = int(breakable.log()[-1]["id"][1:])
    assert breakable.wait_state(entry, "in_doubt", "pending") in ("in_doubt", "pending")
    assert SECRET.encode() not in answer.body + breakable.log_file.read_bytes()


# -- the journal


def test_while_the_journal_is_locked_changes_are_refused_and_reads_go_on(
    make: Make, service: Witness
) -> None:
    world = make()
    lock = sqlite3.connect(world.home.path / "journal.db", isolation_level=None)
    try:
        lock.execute("BEGIN EXCLUSIVE")
        answer = change(world)
        assert answer.status == 403, answer
        assert answer.goex["outcome"] == "unavailable"
        assert "journal" in answer.goex["reason"]
        assert b"POST" not in service.raw
        assert read(world).status == 200
        lock.execute("ROLLBACK")
    finally:
        lock.close()
    assert change(world).status == 200


def test_when_the_journal_is_full_changes_are_refused_and_reads_go_on(
    make: Make, service: Witness
) -> None:
    world = make(start=False)
    world.wrapper = (*world.wrapper, "prlimit", f"--fsize={3 << 20}")
    world.start()
    for number in range(60):
        answer = change(world, json={"n": number, "pad": os.urandom(60_000).hex()})
        if answer.status != 200:
            break
    assert answer.status in (403, 409), answer
    assert answer.goex["outcome"] in ("unavailable", "in_doubt")
    sent = service.raw.count(b"POST")
    for _ in range(3):
        later = change(world, json={"pad": os.urandom(60_000).hex()})
        assert (later.status, later.goex["outcome"]) == (403, "unavailable"), later
    assert service.raw.count(b"POST") == sent
    assert sent == len([r for r in world.log() if r["state"] in ("applied", "in_doubt", "pending")])
    assert read(world).status == 200


# -- the vault


def test_a_vault_that_is_gone_or_tampered_with_is_told_and_gives_nothing_away(
    make: Make, service: Witness
) -> None:
    world = make()
    assert read(world).status == 200
    vault = world.home.vault_file
    kept = vault.read_bytes()
    for broken in (b"garbage" * 1000, kept[: len(kept) // 2] + bytes(len(kept) - len(kept) // 2)):
        vault.write_bytes(broken)
        time.sleep(1.3)
        service.clear()
        answer = attempt(lambda: read(world))
        assert answer.status == 403, answer
        assert "the vault cannot be read" in answer.goex["reason"]
        told = world.act("status")
        assert "vault: VaultError" in json.dumps(told["troubles"])
        assert (told["vault"] != "good", told["files"]) == (True, "good")
    vault.write_bytes(kept)
    world.stop()
    vault.write_bytes(b"garbage" * 1000)
    code, said = world.refused_to_start()
    assert code != 0
    assert "vault" in said


def test_without_a_vault_it_does_not_start(make: Make) -> None:
    world = make(start=False)
    world.home.vault_file.unlink()
    code, said = world.refused_to_start()
    assert code != 0
    assert "vault" in said


# -- files


def test_a_broken_policy_on_reload_leaves_the_last_good_one_and_says_so(make: Make) -> None:
    world = make(policy="rules:\n  - {deny: '*', if: \"path == '/x'\", reason: the good one}\n")
    file = world.home.path / "policies" / "mine.yaml"
    good = file.read_text()
    for bad in ("version: 1\nrules: [", "version: 1\nrules:\n  - {deny: '*', if: nonsense}\n", "version: 1\nrules:\n  - {dney: '*'}\n"):  # fmt: skip
        file.write_text(bad)
        deadline = time.monotonic() + 5
        while world.act("status")["files"] == "good" and time.monotonic() < deadline:
            time.sleep(0.1)
        assert "mine.yaml:" in world.act("status")["files"]
        assert change(world).goex["reason"] == "the good one"
        file.write_text(good)
        world.act("reload")
    file.write_text("version: 1\nrules: []\n")
    world.act("reload")
    assert change(world).goex["outcome"] == "held", "the posture, now that no rule speaks"


def test_a_broken_policy_at_the_start_is_exit_2_with_its_place(make: Make) -> None:
    world = make(start=False, policy="rules:\n  - {deny: '*', if: nonsense}\n")
    code, said = world.refused_to_start()
    assert code == 2, said
    assert "mine.yaml:3:" in said


def test_a_removed_policy_folder_does_not_lift_its_rules(make: Make) -> None:
    world = make(policy="rules:\n  - {deny: '*', if: \"path == '/x'\", reason: the good one}\n")
    shutil.rmtree(world.home.path / "policies")
    time.sleep(1.5)
    assert change(world).goex["reason"] == "the good one"


RULES = {
    "deny-missing": ("refused", "deny: '*', if: \"args.missing == 'x'\""),
    "hold-missing": ("held", "hold: '*', if: \"args.missing == 'x'\""),
    "allow-missing": ("held", "allow: '*', if: \"args.missing == 'x'\""),
    "deny-zero": ("refused", "deny: '*', if: \"int(args.a) / 0 == 1\""),
    "deny-unless": ("refused", "deny: '*', unless: \"args.a.startsWith('x')\""),
}


def test_a_rule_that_cannot_be_evaluated_fails_by_its_effect(make: Make, service: Witness) -> None:
    lines = [f"  - {{{rule}, match: {{path: /{name}}}}}\n" for name, (_, rule) in RULES.items()]
    world = make(policy="rules:\n" + "".join(lines))
    for name, (outcome, _) in RULES.items():
        answer = change(world, path=f"/{name}")
        assert answer.goex["outcome"] == outcome, (name, answer)
    assert not service.raw


UNCOUNTED = """
import os
if "GOEX_UNCOUNTED" in os.environ:
    from goex_proxy.engine.ledger import Ledger
    from goex_proxy.stores.journal_errors import JournalBusy
    count = Ledger.sent_by
    def sent_by(self, caller):
        if os.path.exists(os.environ["GOEX_UNCOUNTED"]):
            raise JournalBusy("locked")
        return count(self, caller)
    Ledger.sent_by = sent_by
"""
LIMITED = """rules:
  - {deny: '*', match: {path: /denied}, if: session.writes >= 3}
  - {hold: '*', match: {path: /held}, if: session.writes >= 3}
  - {allow: '*', match: {path: /allowed}, if: session.writes < 3}
  - {allow: '*', match: {path: /denied}}
  - {allow: '*', match: {path: /held}}
"""


def test_a_number_of_writes_that_cannot_be_had_is_not_taken_for_none(
    tmp_path: Path, tap_loop: Loop, service: Witness
) -> None:
    fault = tmp_path / "fault"
    fault.touch()
    (tmp_path / "sitecustomize.py").write_text(UNCOUNTED)
    path = os.pathsep.join((str(tmp_path), *(p for p in sys.path if p)))
    more = {"GOEX_UNCOUNTED": str(fault), "PYTHONPATH": path}
    world = ground(tmp_path / "w", tap_loop, service, LIMITED, **more).open()
    wanted = {"/denied": "refused", "/held": "held", "/allowed": "held"}
    try:
        world.start()
        for path, outcome in wanted.items():
            answer = change(world, path)
            assert answer.goex["outcome"] == outcome, (path, answer)
        assert b"POST" not in service.raw
        assert read(world).status == 200
        fault.unlink()
        for path in wanted:
            assert change(world, path, json={"again": path}).status == 200, path
    finally:
        world.close()

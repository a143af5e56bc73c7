"""P1: the agent never holds a secret, nor does anything that is written down.

Three canaries (kept in the vault, in the gateway's environment, printed by a command) are sent
to a service that gives them back in every listed form. Then all that an agent, a person or
an auditor can read is searched for them. Only the service has them.
"""

from __future__ import annotations

import asyncio
import base64
import gc
import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from goex_proxy.credentials.keyring import Keyring
from goex_proxy.launch.ambient import ambient
from goex_proxy.launch.client_files import client_files
from goex_proxy.launch.environment import Clients, client_variables
from goex_proxy.launch.errors import ViewUnavailable
from goex_proxy.launch.plan import Level
from goex_proxy.launch.probe import find_engine
from goex_proxy.stores.credential import FromCommand, FromEnvironment
from tests.beds.server import clean_env
from tests.behaviour import echoes
from tests.behaviour.agent import Answer
from tests.behaviour.ground import Ground, Holding, Standing, Witness, stored
from tests.behaviour.tap import Loop

CANARIES = {
    "stored": 'canary-kept/in+the=vault"<&>-0001-abcdefgh',
    "env": "canary-from/the+environment=0002-abcdefgh",
    "command": "canary-of/a+command=0003-abcdefgh",
    "github": "ghp_CanaryCanaryCanaryCanaryCanary000004",
}
HOSTS = {name: f"{name}.example" for name in CANARIES} | {"github": "api.github.com"}
POLICY = """rules:
  - allow: "*"
    if: "!path.startsWith('/held') && !path.startsWith('/denied')"
  - {hold: "*", if: "path.startsWith('/held')", reason: "held: ${path}"}
  - {deny: "*", if: "path.startsWith('/denied')", reason: "denied: ${headers.authorization}"}
"""


def marks(secret: str) -> set[bytes]:
    """Forms in which it would be found; made here, not by the code under test."""
    raw = secret.encode()
    found = {raw, quote(raw, safe="").encode(), raw.hex().encode(), raw.hex().upper().encode()}
    found |= {base64.b64encode(b"_" * n + raw)[4 if n else 0 : -4] for n in range(3)}
    found.add(json.dumps(secret)[1:-1].encode())
    return found | {form[:24] for form in found}


MARKS = {form for secret in CANARIES.values() for form in marks(secret)}


def clean(data: bytes | str, what: str) -> None:
    raw = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
    found = [mark for mark in MARKS if mark in raw]
    assert not found, f"{what} holds {found}"


class Stage:
    """The world after its traffic: every answer is kept."""

    def __init__(self, at: Path, loop: Loop) -> None:
        self.service = Witness(loop, echoes.echo)
        self.evil = Witness(loop)
        held = at / "held-secret"
        held.write_text(CANARIES["command"] + "\n")
        sources: dict[str, Any] = {
            "stored": stored(CANARIES["stored"]),
            "env": FromEnvironment("CANARY_VARIABLE"),
            "command": FromCommand(("/bin/cat", str(held))),
            "github": stored(CANARIES["github"]),
        }
        self.world: Standing = Ground(
            at, loop, {host: self.service.url for host in HOSTS.values()} | {"evil.example": self.evil.url},
            holdings=[
                Holding(name=n, source=s, host=HOSTS[n], variables=(f"TOKEN_{n.upper()}",)) for n, s in sources.items()
            ],
            environment={"CANARY_VARIABLE": CANARIES["env"]}, policy=POLICY,
        ).open()  # fmt: skip
        self.answers: list[tuple[str, Answer]] = []

    def call(self, method: str, name: str, target: str, host: str = "", **what: Any) -> Answer:  # noqa: ANN401
        url = f"https://{host or HOSTS[name]}{target}"
        headers = {**self.world.bearer(name), **what.pop("headers", {})}
        try:
            answer = self.world.call(method, url, headers=headers, **what)
        except (OSError, http.client.HTTPException) as error:  # cut in the middle: what came counts
            partial = getattr(error, "partial", b"")
            answer = Answer(0, {}, bytes(partial) + repr(error).encode())
        self.answers.append((f"{method} {name} {target}", answer))
        return answer

    def play(self) -> None:
        for name in CANARIES:
            for shape in echoes.SHAPES:
                self.call("GET", name, f"/x?as={shape}")
                self.call("POST", name, f"/x?as={shape}", json={"n": shape})
            basic = base64.b64encode(f"u:{self.world.placeholder(name)}".encode()).decode()
            for path in ("/held", "/denied", "/x?as=plain"):
                self.call("POST", name, path, json={"x": 1})
                self.call(
                    "PUT", name, path, json={"x": 2}, headers={"Authorization": f"Basic {basic}"}
                )
            self.call("GET", name, "/", host="evil.example")
            self.call("GET", name, "/", headers={"Authorization": f"Bearer {CANARIES[name]}"})
            self.call(
                "POST",
                name,
                "/held/own",
                body=CANARIES[name].encode(),
                headers={"X-N": CANARIES[name]},
            )
        self.github()

    def github(self) -> None:
        """Images, undo and redo of a service that has a file."""
        done = self.call("PATCH", "github", "/repos/a/b/issues/1", json={"title": "new"})
        self.call("PATCH", "github", "/repos/a/garbage/issues/1", json={"title": "new"})
        made = self.call("POST", "github", "/repos/a/b/issues?as=created", json={"title": "new"})
        for answer in (done, made):
            if answer.status < 300:
                self.said = [
                    self.world.act("plan", ids=[answer.entry]),
                    self.world.undo(answer.entry, force=True),
                ]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, tap_loop: Loop) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("stage"), tap_loop)
    made.world.start()
    made.play()
    yield made
    made.world.close()
    made.service.close()
    made.evil.close()


def test_the_bound_service_alone_got_every_secret(stage: Stage) -> None:
    for name, secret in CANARIES.items():
        assert f"Bearer {secret}".encode() in stage.service.raw, name
        basic = base64.b64encode(f"u:{secret}".encode())
        assert b"Basic " + basic in stage.service.raw, name
    clean(bytes(stage.evil.raw), "an unbound service")


def test_no_answer_holds_a_secret(stage: Stage) -> None:
    assert len(stage.answers) > 250
    for what, answer in stage.answers:
        clean(answer.body, what)
        clean(repr(dict(answer.headers)), f"the head of {what}")


def test_the_traffic_was_of_every_kind(stage: Stage) -> None:
    """Else the searches would prove little."""
    states = {row["state"] for row in stage.world.log()}
    assert {"applied", "failed", "in_doubt", "held", "refused"} <= states, states
    scrubbed = dict(stage.answers)["GET stored /x?as=plain"]
    assert scrubbed.body == f"before {stage.world.placeholder('stored')} after".encode()


def test_no_file_of_the_home_holds_a_secret_in_clear(stage: Stage) -> None:
    names = set()
    for path in stage.world.home.path.rglob("*"):
        if path.is_file():
            names.add(path.name)
            clean(path.read_bytes(), path.name)
    assert {"journal.db", "journal.db-wal", "keys.db", "vault.db"} <= names, names


def test_nothing_that_is_shown_of_the_journal_holds_a_secret(stage: Stage) -> None:
    rows = stage.world.log()
    assert len(rows) > 130
    clean(json.dumps(rows), "log")
    for row in rows:
        clean(json.dumps(stage.world.show(int(row["id"][1:]))), f"show {row['id']}")
    clean(json.dumps(stage.said), "plan and undo")


def test_no_log_line_status_or_diagnosis_holds_a_secret(stage: Stage) -> None:
    clean(stage.world.log_file.read_bytes(), "stderr")
    clean(json.dumps(stage.world.act("status")), "status")
    for words in (["status"], ["doctor"], ["secret", "list", "--json"], ["log"], ["env"], ["held"]):
        done = goex(stage, *words)
        assert done.stdout + done.stderr, words
        clean(done.stdout + done.stderr, f"goex {words[0]}")


def test_no_process_of_the_gateway_shows_a_secret_in_its_command_line(stage: Stage) -> None:
    assert stage.world.process is not None
    pid = stage.world.process.pid
    for path in Path("/proc").glob("[0-9]*"):
        try:
            ours = os.getpgid(int(path.name)) == pid
            line = (path / "cmdline").read_bytes() if ours else b""
        except (ProcessLookupError, FileNotFoundError):
            continue
        # `env NAME=VALUE` of the test itself has become the gateway by exec
        clean(line, f"the command line of {path.name}")


def test_the_gateway_leaves_no_core(stage: Stage) -> None:
    assert stage.world.process is not None
    limits = Path(f"/proc/{stage.world.process.pid}/limits").read_text()
    row = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
    assert row.split()[4:6] == ["0", "0"], row


def test_the_environment_of_an_agent_is_clean(stage: Stage) -> None:
    user = {"PATH": os.environ["PATH"], "GH_TOKEN": CANARIES["github"], "CANARY_VARIABLE": CANARIES["env"], "HOME": "/nowhere/someone"}  # fmt: skip
    home = stage.world.home
    host, port = stage.world.proxy
    held = {f"TOKEN_{n.upper()}": c.placeholder for n, c in stage.world.credentials.items()}
    files = client_files(home.client, ca=home.ca_certificate, bundle=home.bundle)
    given = ambient(user, held={"github"}) | client_variables(
        Clients(proxy=f"http://s:p@{host}:{port}", files=files, placeholders=held)
    )
    clean(json.dumps(given), "the agent's environment")
    assert given["TOKEN_GITHUB"] == stage.world.placeholder("github")


SEARCH = """
import os, sys
marks = [bytes.fromhex(word) for word in sys.stdin.read().split()]
def look(path):
    try:
        with open(path, "rb") as file:
            data = file.read(1 << 24)
    except OSError:
        return
    if any(mark in data for mark in marks):
        print("FOUND", path)
for top in sys.argv[1:]:
    for folder, _, names in os.walk(top):
        for name in names:
            look(os.path.join(folder, name))
for pid in [p for p in os.listdir("/proc") if p.isdigit()]:
    for name in ("environ", "cmdline"):
        look(f"/proc/{pid}/{name}")
print("searched", len(os.listdir("/proc")), os.environ["TOKEN_GITHUB"])
"""


def test_an_agent_in_a_hidden_view_finds_no_secret(stage: Stage) -> None:
    try:
        find_engine(Level.HIDDEN)
    except ViewUnavailable as error:
        pytest.skip(str(error))
    forms = "\n".join(mark.hex() for mark in MARKS)
    words = ["run", "--session", "looks", "--", sys.executable, "-c", SEARCH, str(stage.world.home.path)]  # fmt: skip
    done = goex(stage, *words, stdin=forms)
    assert done.returncode == 0, done.stderr
    assert "searched" in done.stdout, (done.stdout, done.stderr)
    assert "FOUND" not in done.stdout, done.stdout
    assert stage.world.placeholder("github") in done.stdout
    clean(done.stdout + done.stderr, "what run says")


def test_a_command_that_fails_is_told_without_what_it_printed(
    tmp_path: Path, tap_loop: Loop
) -> None:
    held = tmp_path / "held-secret"
    held.write_text(CANARIES["command"])
    script = tmp_path / "print"
    script.write_text(f"#!/bin/sh\ncat {held} | tee /dev/stderr\ntest ! -e {tmp_path}/fail\n")
    script.chmod(0o700)
    service = Witness(tap_loop)
    world = Ground(
        tmp_path / "w", tap_loop, {"command.example": service.url},
        holdings=[Holding(name="command", source=FromCommand((str(script),), 0.5), host="command.example")],
    ).open()  # fmt: skip
    (tmp_path / "fail").touch()
    try:
        world.start()
        answer = world.call("GET", "https://command.example/", headers=world.bearer("command"))
        assert answer.status == 403
        assert "cannot be used now" in answer.goex["reason"]
        assert "ended with 1" in answer.goex["reason"]
        clean(answer.body + json.dumps(world.act("status")).encode(), "the refusal")
        clean(world.log_file.read_bytes(), "stderr")
        assert not service.raw
    finally:
        world.close()
        service.close()


SIGNATURE = "feedfacefeedfacefeedfacefeedface00000005"
SIGNED = f"X-Amz-Credential={SIGNATURE}&x=1&X-Amz-Signature={SIGNATURE}&sig={SIGNATURE}"


def test_a_signed_url_reaches_its_service_and_stands_nowhere_else(
    tmp_path: Path, tap_loop: Loop
) -> None:
    """What is signed for one request is a secret of the agent's own: it is not written down."""

    async def moved(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        where = f"https://bucket.example/made?{SIGNED}"
        fields = f"Location: {where}\r\nContent-Location: {where}\r\nContent-Length: 0"
        writer.write(f"HTTP/1.1 201 Created\r\n{fields}\r\n\r\n".encode())

    service = Witness(tap_loop, moved)
    world = Ground(tmp_path, tap_loop, {"bucket.example": service.url}, policy=POLICY).open()
    try:
        world.start()
        sent = world.call("PUT", f"https://bucket.example/key?{SIGNED}", body=b"x")
        assert sent.status == 201, sent.body
        assert service.raw.count(SIGNATURE.encode()) == 3
        for path in ("held", "denied"):
            told = world.call("PUT", f"https://bucket.example/{path}?{SIGNED}", body=b"x")
            assert told.status == 403
            assert SIGNATURE.encode() not in told.body
        rows = world.log()
        assert [row["state"] for row in rows] == ["applied", "held", "refused"]
        shown = [world.show(int(row["id"][1:])) for row in rows]
        assert all("x=1" in one["request"]["url"] for one in shown), "all else of it is there"
        for what in (rows, shown, world.act("status")):
            assert SIGNATURE not in json.dumps(what)
        assert SIGNATURE not in world.log_file.read_text()
        for file in world.home.path.rglob("*"):
            assert not file.is_file() or SIGNATURE.encode() not in file.read_bytes(), file.name
    finally:
        world.close()
        service.close()


def test_nothing_in_memory_prints_a_secret(stage: Stage) -> None:
    """The same keyring in this process: no object of ours that holds a value shows it."""
    vault = stage.world.home.vault()
    os.environ["CANARY_VARIABLE"] = CANARIES["env"]
    try:
        keyring = Keyring(vault)
        keyring.reload()
        ours = [o for o in gc.get_objects() if str(type(o).__module__).startswith("goex_proxy")]
        assert len(ours) > 20
        for each in (keyring, keyring.scrubs, *ours):
            clean(repr(each), type(each).__name__)
            clean(str(each), type(each).__name__)
    finally:
        del os.environ["CANARY_VARIABLE"]
        vault.close()


def goex(stage: Stage, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """The real command line, as the owner of the home."""
    line = [sys.executable, "-m", "goex_proxy", "--home", str(stage.world.home.path), *words]
    env = clean_env(PYTHONPATH=os.pathsep.join(p for p in sys.path if p), CANARY_VARIABLE=CANARIES["env"])  # fmt: skip
    return subprocess.run(
        line, env=env, cwd="/", input=stdin, capture_output=True, text=True, timeout=60, check=False
    )

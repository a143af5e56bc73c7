"""P3: no mutating call leaves unrecorded or undecided; what cannot do its part refuses, and says why."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from goex_proxy.console.client import Refused
from goex_proxy.stores.credential import Credential, FromCommand
from tests.beds.emulate import Emulate
from tests.beds.webdav import WebDav
from tests.behaviour.agent import Answer
from tests.behaviour.conftest import Make
from tests.behaviour.tap import Loop
from tests.behaviour.world import DAV, GITHUB, World

pytestmark = pytest.mark.bed
ISSUES = f"{GITHUB}/repos/octocat/priv/issues"


def create(world: World, title: str = "from a test", **how: Any) -> Answer:  # noqa: ANN401 - see World.call
    return world.call("POST", ISSUES, json={"title": title}, **how)


def reads_go_on(world: World) -> bool:
    """Reads are answered by the service itself."""
    return bool(world.call("GET", f"{GITHUB}/user").json.get("login") == "octocat")


def refused(world: World, answer: Answer, *words: str) -> bool:
    """Nothing was sent, the agent was told why in the service's dialect, reads go on."""
    assert not [w for tap in world.taps.values() for w in tap.writes()]
    assert answer.status in {403, 503}, (answer.status, answer.body)
    said = f"{answer.goex['reason']} {answer.json['message']}"
    assert all(word in said for word in words), said
    assert answer.goex["outcome"] in {"unavailable", "refused"}
    return reads_go_on(world)


# -- the order


TRACED = "fsync,fdatasync,pwrite64,sendto,sendmsg,write,writev"


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_the_kernel_sees_the_journal_synced_before_the_first_byte_of_the_change(
    make: Make, tmp_path: Path, webdav_bed: WebDav
) -> None:
    trace = tmp_path / "trace"
    strace = ["strace", "-f", "-yy", "-s", "80", "-e", f"trace={TRACED}", "-o", str(trace)]
    world = make(wrapper=strace)
    webdav_bed.ask("PUT", "/traced", b"as it was")
    world.call("PUT", f"{DAV}/traced", body=b"theirs")
    world.stop()
    rows = trace.read_text(errors="replace").splitlines()
    sends = [n for n, row in enumerate(rows) if '"PUT /traced' in row and "TCP:" in row]
    upstream = [n for n in sends if f":{world.taps['dav.example.test'].port}]" in rows[n]]
    assert len(upstream) == 1, "the change went out once"
    image = max(n for n, row in enumerate(rows[: upstream[0]]) if '"GET /traced' in row)
    between = rows[image : upstream[0]]
    write = max(n for n, row in enumerate(between) if "pwrite64" in row and "journal.db-wal" in row)
    syncs = [row for row in between[write:] if re.search(r"f(data)?sync\(.*journal\.db-wal", row)]
    assert any(row.endswith("= 0") for row in syncs), between


def test_the_entry_with_its_images_is_durable_when_the_service_gets_the_request(
    make: Make, webdav_bed: WebDav
) -> None:
    world = make()
    webdav_bed.ask("PUT", "/held", b"as it was")
    fault = world.taps["dav.example.test"].fail(before=1.0)
    pending = world.begin("PUT", f"{DAV}/held", body=b"theirs")
    assert fault.hit.wait(5)
    world.kill()
    (entry,) = world.log()
    assert (entry["operation"], entry["state"]) == ("webdav.put", "pending")
    assert world.show(1)["before"]["file"]["body"]["data"] == "as it was"
    pending.hang_up()


def test_a_service_that_cannot_be_reached_leaves_an_abandoned_entry(
    make: Make, tap_loop: Loop
) -> None:
    world = make(beds={"api.github.com": 1})
    world.taps["api.github.com"].close()
    answer = create(world)
    assert answer.goex["outcome"] == "unavailable", answer.body
    assert [entry["state"] for entry in world.log()] == ["abandoned"]
    assert (answer.entry, answer.goex["entry"]) == (1, "e1")
    assert "could not be reached" in world.show(1)["reason"]
    assert "could not be reached" in answer.goex["reason"]
    read = world.call("GET", ISSUES)
    assert (read.status, len(world.log())) == (502, 1), "a read leaves no entry"


# -- what cannot record


def test_a_locked_journal_refuses_changes_and_lets_reads_through(make: Make) -> None:
    world = make()
    with sqlite3.connect(world.home.path / "journal.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        assert refused(world, create(world), "journal", "JournalBusy")
        other.execute("ROLLBACK")
    other.close()
    assert create(world).status == 201


def test_a_journal_that_was_removed_refuses_changes_and_lets_reads_through(make: Make) -> None:
    world = make()
    (world.home.path / "journal.db").unlink()
    assert refused(world, create(world), "journal", "JournalMissing")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    at = tmp_path / "disk"
    at.mkdir()
    line = ["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", str(at)]
    if subprocess.run(line, capture_output=True, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield at
    subprocess.run(["umount", "-l", str(at)], check=True)


def test_a_full_disk_refuses_changes_until_there_is_room_again(
    small_disk: Path, tap_loop: Loop, beds: dict[str, Any]
) -> None:
    world = World(small_disk, tap_loop, **beds).start()
    try:
        assert create(world).status == 201
        before = len(world.taps["api.github.com"].writes())
        filler = small_disk / "filler"
        with filler.open("wb") as file:
            file.write(bytes(60 << 20))
        answer = create(world)
        assert "JournalFull" in answer.goex["reason"]
        assert len(world.taps["api.github.com"].writes()) == before
        assert reads_go_on(world)
        filler.unlink()
        assert create(world).status == 201
    finally:
        world.close()


# -- what cannot decide

OWN = """
service: own
hosts: [dav.example.test]
resources: {file: {at: "/{path+}", kind: bytes}}
operations:
"""
THROWING = {
    "fact": 'put: {match: "PUT /{path+}", image: file, outside: args.nope == 1, fidelity: exact, undo: restore}',
    "bind": 'put: {match: "PUT /{path+}", bind: {dest: args.nope}, on: {file: {path: dest}}, fidelity: exact, undo: restore}',
    "image": 'put: {match: "PUT /{path+}", on: {file: {path: args.nope}}, fidelity: exact, undo: restore}',
}


@pytest.mark.parametrize("part", THROWING)
def test_a_reverser_rule_that_throws_refuses_the_call(make: Make, part: str) -> None:
    world = make(services="", reverser=f"{OWN}  {THROWING[part]}\n")
    assert refused(world, world.call("PUT", f"{DAV}/thrown", body=b"theirs"), "nope")


def test_an_image_that_cannot_be_read_refuses_the_call(make: Make) -> None:
    world = make()
    world.taps["dav.example.test"].fail(lambda a: a.method == "GET", status=500)
    assert refused(world, world.call("PUT", f"{DAV}/unread", body=b"theirs"), "beforehand")


def test_a_policy_whose_fact_fails_refuses_the_call(make: Make) -> None:
    rule = 'rules: [{deny: "github.*", if: [kind != "read", args.nope == 1], id: broken}]\n'
    world = make(policy=rule)
    answer = create(world)
    assert refused(world, answer)
    assert answer.goex["rule"].endswith("broken")


DENY = "version: 1\nrules: [{deny: github.issues/create, id: none, reason: not today}]\n"


def test_a_broken_policy_leaves_the_last_good_set_in_force_until_it_is_mended(make: Make) -> None:
    world = make(policy=DENY.partition("\n")[2])
    mine = world.home.path / "policies" / "mine.yaml"
    mine.write_text("version: 1\nrules: [{deny: [}]\n")
    assert wait_for(lambda: world.act("status")["files"] != "good")
    assert "mine.yaml" in world.act("status")["files"]
    assert refused(world, create(world), "not today")
    with pytest.raises(Refused) as told:
        world.act("reload")
    assert told.value.code == 2
    mine.write_text("version: 1\nrules: []\n")
    assert wait_for(lambda: world.act("status")["files"] == "good")
    assert create(world).status == 201


def test_a_gateway_does_not_start_with_a_broken_policy(make: Make) -> None:
    world = make(started=False)
    (world.home.path / "policies" / "mine.yaml").write_text("version: 1\nrules: [{dney: x}]\n")
    code, said = world.refused_to_start()
    assert (code, "mine.yaml:2:" in said) == (2, True), said


def test_a_credential_that_cannot_be_had_refuses_whatever_carries_its_placeholder(
    make: Make, github_bed: Emulate
) -> None:
    world = make(started=False, secrets={})
    vault = world.home.vault()
    held = "ghp_PLACEHOLDERPLACEHOLDERPLACEHOLDER00"
    credential = Credential(
        id="c1", version=1, name="github", service="github", hosts=("api.github.com",),
        slots=("bearer",), placeholder=held,
    )  # fmt: skip
    vault.add(credential, FromCommand(("false",)))
    vault.close()
    world.start()
    for answer in (create(world), world.call("GET", f"{GITHUB}/user")):
        assert (answer.status, answer.goex["outcome"]) == (403, "refused"), answer.body
    assert world.taps["api.github.com"].asked == []
    assert world.call("GET", f"{DAV}/", headers={"Depth": "0"}).status < 500
    assert world.act("status")["unavailable"]


def test_a_pause_refuses_every_change_at_once_and_no_read(make: Make) -> None:
    world = make()
    world.act("pause")
    assert refused(world, create(world), "paused")
    world.act("resume")
    assert create(world).status == 201


def wait_for(done: Any, seconds: float = 5.0) -> bool:  # noqa: ANN401 - any callable
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True

"""P6: an unknown outcome is a state, settled by evidence or by a person, and made rare."""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from goex_proxy.console.client import Refused
from tests.beds.emulate import Emulate
from tests.beds.webdav import WebDav
from tests.behaviour.agent import Answer
from tests.behaviour.conftest import Make
from tests.behaviour.tap import Tap
from tests.behaviour.test_it_fails_closed import FAULT
from tests.behaviour.world import DAV, GITHUB, World

pytestmark = pytest.mark.bed
REPO = "/repos/octocat/priv"
QUICK = "hold_wait: 0.2s, upstream_timeout: 2s"


@pytest.fixture
def issue(github_bed: Emulate) -> str:
    """An issue of the test's own: its path."""
    made = github_bed.ask("POST", f"{REPO}/issues", {"title": "as it was", "body": "kept"})
    return f"{REPO}/issues/{made.json['number']}"


def tap(world: World) -> Tap:
    return world.taps["api.github.com"]


def patch(world: World, issue: str, **fields: object) -> Answer:
    return world.call("PATCH", f"{GITHUB}{issue}", json=fields)


def doubted(world: World, answer: Answer) -> int:
    assert (answer.goex["outcome"], world.state(answer.entry)) == ("in_doubt", "in_doubt")
    return answer.entry


def title(bed: Emulate, issue: str) -> str:
    return str(bed.get(issue)["title"])


# -- settled by evidence


def test_a_change_whose_answer_was_cut_is_found_applied_and_can_be_undone(
    make: Make, github_bed: Emulate, issue: str
) -> None:
    world = make()
    tap(world).fail(cut=20)
    # The probe that follows at once finds the evidence; the agent is told what was known then.
    answer = patch(world, issue, title="theirs")
    assert answer.goex["outcome"] == "in_doubt", answer.body
    assert world.wait_state(answer.entry, "applied") == "applied"
    (step,) = world.undo(answer.entry)
    assert (step["outcome"], title(github_bed, issue)) == ("undone", "as it was"), step


def test_a_change_that_never_arrived_is_failed_only_after_it_could_still_arrive(
    make: Make, issue: str
) -> None:
    world = make(limits=QUICK)
    tap(world).fail(forward=False)
    began = time.monotonic()
    entry = doubted(world, patch(world, issue, title="theirs"))
    world.kill()
    world.restart()
    if time.monotonic() - began < 2.0:
        assert world.state(entry) == "in_doubt", "it may still arrive"
    assert world.wait_state(entry, "failed", seconds=40) == "failed"


def test_a_change_in_flight_when_the_gateway_died_is_settled_by_evidence_at_its_start(
    make: Make, github_bed: Emulate, issue: str
) -> None:
    world = make()
    fault = tap(world).fail(delay=5.0)
    pending = world.begin("PATCH", f"{GITHUB}{issue}", json={"title": "theirs"})
    assert fault.done.wait(5)
    world.kill()
    pending.hang_up()
    assert [entry["state"] for entry in world.log()] == ["pending"]
    world.restart()
    assert world.wait_state(1, "applied") == "applied"
    (step,) = world.undo(1)
    assert (step["outcome"], title(github_bed, issue)) == ("undone", "as it was")


TOLD: dict[str, tuple[str, str, object]] = {
    "labels set": ("PUT", "{issue}/labels", {"labels": ["x", "y"]}),
    "labels added": ("POST", "{issue}/labels", {"labels": ["x"]}),
    "label taken away": ("DELETE", "{issue}/labels/was", None),
    "assignee": ("POST", "{issue}/assignees", {"assignees": ["hubot"]}),
}


@pytest.mark.parametrize("name", TOLD)
def test_a_lost_answer_is_made_up_for_by_what_can_be_read_and_undone_all_the_same(
    make: Make, github_bed: Emulate, issue: str, fresh: Callable[[str], str], name: str
) -> None:
    method, path, body = TOLD[name]
    label = fresh("label")
    github_bed.ask("POST", f"{REPO}/labels", {"name": label, "color": "aabbcc"})
    github_bed.ask("PUT", f"{issue}/labels", {"labels": ["was", label]})
    github_bed.ask("POST", f"{issue}/assignees", {"assignees": ["octocat"]})
    before = told(github_bed, issue)
    world = make()
    tap(world).fail(cut=0)
    url = f"{GITHUB}{path.format(issue=issue, label=label)}"
    answer = world.call(method, url, **({} if body is None else {"json": body}))
    assert answer.goex["outcome"] == "in_doubt"
    assert told(github_bed, issue) != before
    assert world.wait_state(answer.entry, "applied") == "applied"
    (step,) = world.undo(answer.entry)
    assert step["outcome"] in {"undone", "compensated"}, step
    assert told(github_bed, issue) == before


def told(bed: Emulate, issue: str) -> tuple[list[str], list[str]]:
    now = bed.get(issue)
    return sorted(x["name"] for x in now["labels"]), sorted(x["login"] for x in now["assignees"])


def test_a_field_that_a_third_party_changed_too_settles_nothing(
    make: Make, github_bed: Emulate, issue: str
) -> None:
    world = make(limits=QUICK)
    tap(world).fail(forward=False)
    tap(world).fail(
        lambda a: a.method == "GET" and not tap(world).faults[0].times, status=500, times=2
    )
    answer = patch(world, issue, title="theirs")
    github_bed.ask("PATCH", issue, {"title": "a person's"})
    entry = doubted(world, answer)
    world.stop()
    world.restart()
    time.sleep(2.5)
    assert world.state(entry) == "in_doubt"


@pytest.mark.parametrize("status", [408, 500, 502, 503])
def test_an_answer_that_tells_nothing_is_a_doubt_and_evidence_settles_it(
    make: Make, issue: str, status: int
) -> None:
    world = make()
    tap(world).fail(status=status)
    answer = patch(world, issue, title="theirs")
    assert answer.status == status
    assert world.wait_state(answer.entry, "applied") == "applied"


def test_a_no_of_the_service_is_failed_and_no_doubt(make: Make, issue: str) -> None:
    world = make()
    answer = world.call("POST", f"{GITHUB}{issue}/comments", json={})
    assert (answer.status, world.state(answer.entry)) == (422, "failed")


def test_a_service_that_never_answers_is_a_doubt_after_the_timeout(make: Make, issue: str) -> None:
    world = make(limits="hold_wait: 0.2s, upstream_timeout: 1s")
    tap(world).fail(forward=False, before=20.0)
    answer = world.call("PATCH", f"{GITHUB}{issue}", json={"title": "theirs"}, timeout=10)
    assert answer.goex["outcome"] == "in_doubt"
    assert world.wait_state(answer.entry, "in_doubt", "failed") in {"in_doubt", "failed"}


# -- settled by a person


def create_in_doubt(world: World) -> int:
    """A creation whose answer was lost: nothing can be read that would tell."""
    tap(world).fail(cut=0)
    return doubted(world, world.call("POST", f"{GITHUB}{REPO}/issues", json={"title": "new"}))


@pytest.mark.parametrize(("applied", "state"), [(True, "applied"), (False, "failed")])
def test_a_person_says_what_nothing_else_can_tell(make: Make, applied: bool, state: str) -> None:
    world = make()
    entry = create_in_doubt(world)
    world.kill()
    world.restart()
    assert world.state(entry) == "in_doubt"
    assert world.act("resolve", id=entry, applied=applied)["state"] == state
    with pytest.raises(Refused, match="is not in doubt"):
        world.act("resolve", id=entry, applied=not applied)


def test_a_creation_that_a_person_says_was_applied_is_not_deleted_by_guess(make: Make) -> None:
    world = make()
    entry = create_in_doubt(world)
    world.act("resolve", id=entry, applied=True)
    before = len(tap(world).writes())
    (step,) = world.undo(entry)
    assert step["outcome"] == "failed", step
    assert len(tap(world).writes()) == before


def test_a_retry_of_a_call_in_doubt_is_told_so_and_not_sent(make: Make) -> None:
    world = make()
    entry = create_in_doubt(world)
    for _ in range(2):
        retry = world.call("POST", f"{GITHUB}{REPO}/issues", json={"title": "new"})
        assert (retry.status, retry.goex["outcome"], retry.entry) == (409, "in_doubt", entry)
    assert len(tap(world).writes()) == 1
    world.act("resolve", id=entry, applied=False)
    again = world.call("POST", f"{GITHUB}{REPO}/issues", json={"title": "new"})
    assert (again.status, len(tap(world).writes())) == (201, 2)


def test_an_answer_that_could_not_be_settled_at_once_is_settled_by_the_next_sweep(
    make: Make, issue: str, tmp_path: Path
) -> None:
    place, fault = "engine.engine.Engine.fetch", tmp_path / "fault"
    (tmp_path / "sitecustomize.py").write_text(FAULT)
    fault.touch()
    path = os.pathsep.join((str(tmp_path), *(p for p in sys.path if p)))
    words = (f"GOEX_FAULT={fault}", f"GOEX_PLACES={place}", f"PYTHONPATH={path}")
    world = make(wrapper=("/usr/bin/env", *words))
    slow = tap(world).fail(before=0.5)
    pending = world.begin("PATCH", f"{GITHUB}{issue}", json={"title": "theirs"})
    assert slow.hit.wait(5)
    fault.write_text(place)
    assert pending.answer().goex["outcome"] == "in_doubt"
    assert world.state(1) == "pending"
    fault.write_text("")
    assert world.wait_state(1, "applied") == "applied"
    assert world.undo(1)[0]["outcome"] == "undone"
    assert len(tap(world).writes()) == 2


def test_an_outcome_that_could_not_be_recorded_is_counted_and_dated_in_the_status(
    make: Make, issue: str
) -> None:
    world = make(limits=QUICK)
    slow = tap(world).fail(before=0.5)
    pending = world.begin("PATCH", f"{GITHUB}{issue}", json={"title": "theirs"})
    assert slow.hit.wait(5)
    with closing(sqlite3.connect(world.home.path / "journal.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert pending.answer().goex["outcome"] == "in_doubt"
        other.execute("ROLLBACK")
    told, what = world.act("status"), "an outcome could not be recorded"
    assert told["troubles"] == {what: 1}
    assert told["troubled"][what].startswith("20")
    assert world.wait_state(1, "applied") == "applied"


def test_a_doubt_that_is_slow_to_look_at_keeps_no_other_from_being_settled(
    make: Make, github_bed: Emulate, issue: str
) -> None:
    made = github_bed.ask("POST", f"{REPO}/issues", {"title": "the other"})
    other = f"{REPO}/issues/{made.json['number']}"
    world = make()
    tap(world).fail(forward=False)
    first = doubted(world, patch(world, issue, title="theirs"))
    slow = tap(world).fail(lambda a: (a.method, a.target) == ("GET", issue), before=30.0, times=9)
    assert slow.hit.wait(10)
    cut = tap(world).fail(cut=0)
    tap(world).fail(lambda a: (a.method, cut.times) == ("GET", 0), status=500)
    second = doubted(world, patch(world, other, title="theirs"))
    assert world.wait_state(second, "applied", seconds=10) == "applied"
    assert world.state(first) == "in_doubt"


# -- made rare


def test_an_agent_that_hangs_up_does_not_cut_its_call(
    make: Make, github_bed: Emulate, issue: str
) -> None:
    world = make()
    fault = tap(world).fail(before=0.5)
    pending = world.begin("PATCH", f"{GITHUB}{issue}", json={"title": "theirs"})
    assert fault.hit.wait(5)
    pending.hang_up()
    assert world.wait_state(1, "applied") == "applied"
    assert title(github_bed, issue) == "theirs"


def test_a_retry_after_a_hang_up_gets_the_answer_of_the_first_call(make: Make) -> None:
    world = make()
    fault = tap(world).fail(before=0.7)
    first = world.begin("POST", f"{GITHUB}{REPO}/issues", json={"title": "once"})
    assert fault.hit.wait(5)
    first.hang_up()
    time.sleep(0.1)
    retry = world.call("POST", f"{GITHUB}{REPO}/issues", json={"title": "once"})
    assert (retry.status, retry.json["title"], retry.entry) == (201, "once", 1)
    assert len(tap(world).writes()) == 1
    third = world.call("POST", f"{GITHUB}{REPO}/issues", json={"title": "once"})
    assert (third.status, third.entry, len(tap(world).writes())) == (201, 2, 2)


def test_a_retry_of_a_change_found_applied_is_told_so_once_and_not_sent_again(make: Make) -> None:
    world = make()
    entry = create_in_doubt(world)
    world.act("resolve", id=entry, applied=True)
    retry = world.call("POST", f"{GITHUB}{REPO}/issues", json={"title": "new"})
    assert (retry.status, retry.entry, "it was done" in retry.goex["reason"]) == (409, entry, True)
    assert len(tap(world).writes()) == 1
    again = world.call("POST", f"{GITHUB}{REPO}/issues", json={"title": "new"})
    assert (again.status, len(tap(world).writes())) == (201, 2)


@pytest.mark.parametrize("then", ["keep", "undo"])
def test_a_retry_after_a_hang_up_is_answered_by_what_a_person_made_of_the_first_call(
    make: Make, issue: str, then: str
) -> None:
    world = make()
    fault = tap(world).fail(before=0.5)
    first = world.begin("PATCH", f"{GITHUB}{issue}", json={"title": "theirs"})
    assert fault.hit.wait(5)
    first.hang_up()
    assert world.wait_state(1, "applied") == "applied"
    world.act(then, ids=[1])
    writes = len(tap(world).writes())
    retry = world.call("PATCH", f"{GITHUB}{issue}", json={"title": "theirs"})
    assert (retry.status, retry.json["title"]) == (200, "theirs")
    # What was kept stands; what was undone is asked for anew, and decided anew.
    assert len(tap(world).writes()) - writes == (0 if then == "keep" else 1)


def test_two_identical_calls_with_both_callers_waiting_are_two_calls(make: Make) -> None:
    world = make()
    tap(world).fail(before=0.5, times=2)
    pending = [
        world.begin("POST", f"{GITHUB}{REPO}/issues", json={"title": "twice"}) for _ in range(2)
    ]
    answers = [one.answer() for one in pending]
    assert [a.status for a in answers] == [201, 201]
    assert len({a.json["number"] for a in answers}) == 2
    assert len({a.entry for a in answers}) == 2


def test_a_hang_up_before_anything_was_sent_sends_nothing(
    make: Make, webdav_bed: WebDav, fresh: Callable[[str], str]
) -> None:
    world = make()
    name = fresh("gone")
    dav = world.taps["dav.example.test"]
    image = dav.fail(lambda a: a.method == "GET", delay=0.7)
    pending = world.begin("PUT", f"{DAV}/{name}", body=b"theirs")
    assert image.done.wait(5)
    pending.hang_up()
    time.sleep(1.5)
    assert (dav.writes(), name in webdav_bed.tree()) == ([], False)
    assert [e["state"] for e in world.log()] in ([], ["abandoned"])
    assert world.call("PUT", f"{DAV}/{name}", body=b"again").status == 201

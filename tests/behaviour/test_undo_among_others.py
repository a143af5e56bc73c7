"""P4 when more than one thing happens at once: what is claimed of an undo is what the bed holds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from goex_proxy.console.client import NoGateway, Refused
from tests.beds.emulate import Emulate
from tests.beds.webdav import WebDav
from tests.behaviour.conftest import Make
from tests.behaviour.world import DAV, GITHUB, World, in_this_process

pytestmark = pytest.mark.bed
REPO = "/repos/octocat/priv"
GH, WD = "api.github.com", "dav.example.test"


@pytest.fixture
def world(shared: World) -> World:
    for tap in shared.taps.values():
        tap.clear()
    return shared


def new_issue(world: World, title: str = "as it was") -> tuple[int, str]:
    answer = world.call("POST", f"{GITHUB}{REPO}/issues", json={"title": title})
    return answer.entry, f"{REPO}/issues/{answer.json['number']}"


def edit(world: World, issue: str, **fields: object) -> int:
    return world.call("PATCH", f"{GITHUB}{issue}", json=fields).entry


def writes(world: World) -> int:
    return sum(len(tap.writes()) for tap in world.taps.values())


class Doing(threading.Thread):
    """Something that a person or an agent does meanwhile."""

    def __init__(self, what: Callable[[], Any]) -> None:
        super().__init__()
        self._what = what
        self.value: Any = None
        self.start()

    def run(self) -> None:
        try:
            self.value = self._what()
        except (Refused, NoGateway, OSError) as error:
            self.value = error

    def result(self) -> Any:  # noqa: ANN401 - what was done has a type of its own
        self.join(30)
        assert not self.is_alive(), "it does not come to an end"
        return self.value


# -- two who undo


def test_two_undo_runs_of_the_same_entries_send_each_step_once(
    world: World, github_bed: Emulate
) -> None:
    _, issue = new_issue(world)
    entries = [edit(world, issue, title=f"t{n}", body=f"b{n}") for n in range(3)]
    world.taps[GH].fail(delay=0.1, times=100)
    runs = [Doing(lambda: world.undo(*entries)) for _ in range(2)]
    said = [{s["entry"]: s["outcome"] for s in run.result()} for run in runs]
    for entry in entries:
        of_it = {outcomes[f"e{entry}"] for outcomes in said}
        assert of_it <= {"undone", "already", "in_doubt", "conflict"}, said
        assert ("undone" in of_it) == (world.state(entry) == "undone"), said
        sent = [row for row in world.log() if row.get("undo_of") == f"e{entry}"]
        assert len([row for row in sent if row["state"] == "applied"]) <= 1
    world.taps[GH].clear()
    left = [e for e in entries if world.state(e) != "undone"]
    assert {s["outcome"] for s in world.undo(*left)} <= {"undone"} if left else True
    now = github_bed.get(issue)
    assert (now["title"], now["body"]) == ("as it was", None)


def test_an_undo_that_another_has_begun_is_not_called_failed(
    world: World, github_bed: Emulate
) -> None:
    _, issue = new_issue(world)
    entry = edit(world, issue, title="theirs")
    fault = world.taps[GH].fail(before=0.5)
    first = Doing(lambda: world.undo(entry))
    assert fault.hit.wait(5)
    (second,) = world.undo(entry)
    assert (second["outcome"], github_bed.get(issue)["title"]) == ("in_doubt", "theirs"), second
    assert first.result()[0]["outcome"] == "undone"
    assert len([row for row in world.log() if row.get("undo_of") == f"e{entry}"]) == 1


# -- an undo and an agent that goes on


def test_an_undo_waits_for_a_change_of_the_same_thing_that_is_under_way(
    world: World, github_bed: Emulate
) -> None:
    _, issue = new_issue(world)
    entry = edit(world, issue, title="one")
    fault = world.taps[GH].fail(before=0.6)
    pending = world.begin("PATCH", f"{GITHUB}{issue}", json={"title": "two"})
    assert fault.hit.wait(5)
    (step,) = world.undo(entry)
    later = pending.answer()
    assert (step["outcome"], later.status) == ("conflict", 200), step
    assert github_bed.get(issue)["title"] == "two"
    assert [s["outcome"] for s in world.undo(later.entry, entry)] == ["undone", "undone"]
    assert github_bed.get(issue)["title"] == "as it was"


def test_a_change_that_is_on_its_way_is_not_said_to_have_changed_nothing(
    world: World, github_bed: Emulate
) -> None:
    _, issue = new_issue(world)
    fault = world.taps[GH].fail(delay=0.6)
    pending = world.begin("PATCH", f"{GITHUB}{issue}", json={"title": "theirs"})
    assert fault.done.wait(5)
    under_way = int(world.log()[-1]["id"][1:])
    for (step,) in (world.act("plan", ids=[under_way])["steps"], world.undo(under_way)):
        assert (step["outcome"], github_bed.get(issue)["title"]) == ("in_doubt", "theirs"), step
        assert "under way" in step["reason"]
    assert pending.answer().entry == under_way
    assert world.undo(under_way)[0]["outcome"] == "undone"
    assert github_bed.get(issue)["title"] == "as it was"


@pytest.mark.parametrize("first", ["retry", "undo"])
def test_an_undo_and_a_retry_of_the_call_end_as_the_journal_says(
    world: World, webdav_bed: WebDav, fresh: Callable[[str], str], first: str
) -> None:
    name = fresh("retried")
    entry = world.call("PUT", f"{DAV}/{name}", body=b"theirs").entry
    fault = world.taps[WD].fail(before=0.4)
    retry = lambda: world.call("PUT", f"{DAV}/{name}", body=b"theirs")  # noqa: E731
    undo = lambda: world.undo(entry)  # noqa: E731
    begun = Doing(retry if first == "retry" else undo)
    assert fault.hit.wait(5)
    then = Doing(undo if first == "retry" else retry)
    answer, (step,) = (
        (begun.result(), then.result()) if first == "retry" else (then.result(), begun.result())
    )
    assert world.show(answer.entry)["state"] == "applied"
    there = webdav_bed.ask("GET", f"/{name}").status == 200
    if first == "retry":  # what may be in it stays, until it is known to have changed nothing
        assert (step["outcome"], there) == ("conflict", True), step
        assert f"e{answer.entry}" in step["reason"]
        assert world.undo(entry)[0]["outcome"] == "undone"
    else:
        assert (step["outcome"], there) == ("undone", True), step
        assert world.undo(answer.entry)[0]["outcome"] == "undone"
    assert webdav_bed.ask("GET", f"/{name}").status == 404


def test_what_comes_into_a_thing_while_its_undo_is_on_its_way_keeps_it(
    make: Make, github_bed: Emulate
) -> None:
    """What an agent did after the run began, and no undo takes back, must not go with it."""
    world = make(posture="open")
    made, issue = new_issue(world)
    _, other = new_issue(world)
    busy = edit(world, other, title="theirs")
    fault = world.taps[GH].fail(before=0.5)
    run = Doing(lambda: world.undo(made, busy))  # `busy` is newer: it comes first
    assert fault.hit.wait(5)
    world.taps[GH].fail(lambda asked: asked.target.endswith("/nobody"), forward=False, status=201)
    within = world.call("POST", f"{GITHUB}{issue}/nobody", json={"a": 2}).entry
    assert world.state(within) == "applied"
    steps = {s["entry"]: s for s in run.result()}
    assert steps[f"e{busy}"]["outcome"] == "undone"
    assert steps[f"e{made}"]["outcome"] == "conflict", steps
    assert (f"e{within}" in steps[f"e{made}"]["reason"], github_bed.get(issue)["state"]) == (
        True,
        "open",
    )


# -- redo


def test_nothing_is_redone_while_it_is_being_undone(world: World, github_bed: Emulate) -> None:
    _, issue = new_issue(world)
    entry = edit(world, issue, title="theirs")
    fault = world.taps[GH].fail(before=0.5)
    undo = Doing(lambda: world.undo(entry))
    assert fault.hit.wait(5)
    with pytest.raises(Refused, match="undoing"):
        world.act("redo", id=entry)
    assert undo.result()[0]["outcome"] == "undone"
    assert github_bed.get(issue)["title"] == "as it was"


def titles(github_bed: Emulate, title: str) -> int:
    found = github_bed.get(f"{REPO}/issues?state=open&per_page=100")
    return sum(issue["title"] == title for issue in found)


@pytest.mark.parametrize("how", ["killed", "in doubt", "kept", "redone again"])
def test_what_may_have_been_redone_is_not_redone_again(
    make: Make, github_bed: Emulate, fresh: Callable[[str], str], how: str
) -> None:
    """Of a creation nothing that can be read tells: the first redo itself has to."""
    world, title = make(), fresh("redone")
    entry, _ = new_issue(world, title)
    assert world.undo(entry)[0]["outcome"] == "compensated"
    assert titles(github_bed, title) == 0
    if how == "killed":
        fault = world.taps[GH].fail(delay=5.0)
        redo = Doing(lambda: world.act("redo", id=entry))
        assert fault.done.wait(5)
        world.kill()
        redo.result()
        world.taps[GH].clear()
        world.restart()
    elif how == "in doubt":
        world.taps[GH].fail(cut=0)
        world.act("redo", id=entry)
    else:
        redone = int(world.act("redo", id=entry)["entry"][1:])
        if how == "kept":
            world.act("keep", ids=[redone])
        else:
            assert world.undo(redone)[0]["outcome"] == "compensated"
            world.act("redo", id=redone)
    assert titles(github_bed, title) == 1
    with pytest.raises(Refused, match="redone already"):
        world.act("redo", id=entry)
    assert titles(github_bed, title) == 1
    (step,) = world.undo(entry)
    assert step["outcome"] == "skipped", "it is there: it must not be called undone"
    assert "made again" in step["reason"]


def test_an_undone_redo_can_be_made_once_more(world: World, github_bed: Emulate) -> None:
    _, issue = new_issue(world)
    entry = edit(world, issue, title="theirs")
    for _ in range(2):
        assert world.undo(entry)[0]["outcome"] in {"undone", "already"}
        redone = int(world.act("redo", id=entry)["entry"][1:])
        assert github_bed.get(issue)["title"] == "theirs"
        assert world.undo(redone)[0]["outcome"] == "undone"
        assert github_bed.get(issue)["title"] == "as it was"
        assert world.undo(redone)[0]["outcome"] == "already"


# -- death in the middle


@pytest.mark.parametrize("with_gateway", [True, False])
def test_after_a_death_in_an_undo_another_undo_of_the_same_thing_comes_to_the_truth(
    make: Make, github_bed: Emulate, with_gateway: bool
) -> None:
    world = make(limits="upstream_timeout: 1s")
    _, issue = new_issue(world)
    first, second = edit(world, issue, title="one"), edit(world, issue, title="two")
    fault = world.taps[GH].fail(delay=5.0)
    undo = Doing(lambda: world.undo(second))
    assert fault.done.wait(5), "its step has reached the service, and its answer nobody"
    world.kill()
    undo.result()
    world.taps[GH].clear()
    if with_gateway:
        world.restart()
        steps = world.undo(first)
    else:
        steps = in_this_process(world, "undo", ids=[first], cascade=False, force=False)["steps"]
    # With a gateway the first undo was settled at its start; without one it is still open.
    title = github_bed.get(issue)["title"]
    if with_gateway:
        assert (steps[0]["outcome"], title) == ("undone", "as it was"), steps
    else:
        assert (steps[0]["outcome"], title) == ("conflict", "one"), steps
        assert f"e{second}" in steps[0]["reason"]
        world.restart()
    assert world.wait_state(second, "undone") == "undone"
    assert world.undo(first)[0]["outcome"] == ("already" if with_gateway else "undone")
    assert github_bed.get(issue)["title"] == "as it was"


@pytest.mark.parametrize("reached", [True, False])
def test_an_undo_that_was_cut_goes_on_where_no_gateway_runs(
    make: Make, github_bed: Emulate, reached: bool
) -> None:
    world = make(limits="upstream_timeout: 1s")
    _, issue = new_issue(world)
    entry = edit(world, issue, title="theirs")
    fault = world.taps[GH].fail(forward=reached, delay=5.0)
    undo = Doing(lambda: world.undo(entry))
    assert fault.done.wait(5)
    world.kill()
    undo.result()
    world.taps[GH].clear()
    time.sleep(1.2)  # from then on a step that did not arrive is known not to
    how = {"ids": [entry], "cascade": False, "force": False}
    said = [in_this_process(world, "undo", **how)["steps"][0]["outcome"] for _ in range(2)]
    # One that never arrived leaves the call as it was: the same command undoes it, then.
    assert said == (["already", "already"] if reached else ["undone", "already"])
    assert (world.state(entry), github_bed.get(issue)["title"]) == ("undone", "as it was")
    sent = [row["state"] for row in world.log() if row.get("undo_of") == f"e{entry}"]
    assert sent == (["applied"] if reached else ["failed", "applied"])


# -- what is gone already


def test_what_an_agent_made_and_deleted_itself_is_already_undone(
    make: Make, webdav_bed: WebDav, fresh: Callable[[str], str]
) -> None:
    world, name = make(posture="open"), fresh("gone")
    made = world.call("MKCOL", f"{DAV}/{name}").entry
    webdav_bed.ask("PUT", f"/{name}/a", b"a person's")  # so that its DELETE has no inverse
    gone = world.call("DELETE", f"{DAV}/{name}").entry
    assert world.show(gone)["fidelity"] == "none"
    before = writes(world)
    (plan,) = world.act("plan", ids=[made])["steps"]
    (step,) = world.undo(made)
    assert (plan["outcome"], step["outcome"], writes(world)) == ("already", "already", before), step
    assert (world.state(made), world.state(gone)) == ("undone", "applied")


def test_all_that_an_agent_made_and_swept_away_again_is_already_undone(
    make: Make, webdav_bed: WebDav, fresh: Callable[[str], str]
) -> None:
    world, name = make(posture="open"), fresh("swept")
    made = world.call("MKCOL", f"{DAV}/{name}").entry
    within = world.call("PUT", f"{DAV}/{name}/a", body=b"theirs").entry
    gone = world.call("DELETE", f"{DAV}/{name}").entry
    before = writes(world)
    (alone,) = world.act("plan", ids=[made])["steps"]
    assert (alone["outcome"], f"e{within}" in alone["reason"]) == ("conflict", True), alone
    outcomes = {s["entry"]: s["outcome"] for s in world.undo(made, within, gone)}
    assert outcomes == {f"e{gone}": "failed", f"e{within}": "already", f"e{made}": "already"}
    assert writes(world) == before
    assert webdav_bed.ask("PROPFIND", f"/{name}", Depth="0").status == 404

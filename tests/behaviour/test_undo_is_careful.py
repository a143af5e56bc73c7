"""P4 and P5: what undo does not do by itself, and what is said before it is sent."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from goex_proxy.stores.credential import Stored
from goex_proxy.stores.secret import Secret
from tests.beds.emulate import Emulate
from tests.beds.webdav import WebDav
from tests.behaviour.conftest import Make
from tests.behaviour.world import DAV, GITHUB, World

pytestmark = pytest.mark.bed
REPO = "/repos/octocat/priv"


@pytest.fixture
def world(shared: World) -> World:
    for tap in shared.taps.values():
        tap.clear()
    return shared


def writes(world: World) -> int:
    return sum(len(tap.writes()) for tap in world.taps.values())


def new_issue(world: World) -> tuple[int, str]:
    answer = world.call("POST", f"{GITHUB}{REPO}/issues", json={"title": "as it was"})
    return answer.entry, f"{REPO}/issues/{answer.json['number']}"


def edit(world: World, issue: str, **fields: object) -> int:
    return world.call("PATCH", f"{GITHUB}{issue}", json=fields).entry


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/repos/octocat/hello/pulls/1/merge"), ("PATCH", REPO)]
)
def test_what_cannot_be_undone_is_held_before_it_is_sent(
    world: World, method: str, path: str
) -> None:
    answer = world.call(method, f"{GITHUB}{path}", json={"description": "theirs"})
    assert (answer.goex["outcome"], writes(world)) == ("held", 0), answer.body
    assert world.show(answer.entry)["fidelity"] == "none"


def test_a_plan_says_what_would_be_sent_and_what_stays_and_sends_nothing(world: World) -> None:
    entry, issue = new_issue(world)
    before = writes(world)
    (step,) = world.act("plan", ids=[entry])["steps"]
    assert (step["outcome"], step["fidelity"]) == ("todo", "compensating")
    assert step["requests"][0].startswith(f"PATCH {GITHUB}{issue}")
    assert (step["residue"], step["guarded"]) == (["mail", "closed-issue"], False)
    assert (writes(world), world.state(entry)) == (before, "applied")


def test_an_earlier_call_is_not_undone_under_a_later_one_unless_both_are(
    world: World, github_bed: Emulate
) -> None:
    _, issue = new_issue(world)
    first, second = edit(world, issue, title="one"), edit(world, issue, title="two")
    before = writes(world)
    (step,) = world.undo(first)
    assert (step["outcome"], f"e{second}" in step["reason"]) == ("conflict", True)
    assert writes(world) == before
    steps = world.undo(first, cascade=True)
    assert [s["outcome"] for s in steps] == ["undone", "undone"], steps
    assert github_bed.get(issue)["title"] == "as it was"


@pytest.mark.parametrize("kept", [False, True])
def test_what_a_call_made_stays_while_something_in_it_stays(
    world: World, github_bed: Emulate, kept: bool
) -> None:
    made, issue = new_issue(world)
    within = edit(world, issue, title="theirs")
    if kept:
        world.act("keep", ids=[within])
    else:
        github_bed.ask("PATCH", issue, {"title": "a person's"})
    before = writes(world)
    planned = world.act("plan", ids=[made, within])["steps"]
    if kept:
        assert [s["outcome"] for s in world.undo(made, cascade=True)] == ["conflict"]
    for steps in (planned, world.undo(made, within)):
        outcomes = [s["outcome"] for s in steps]
        assert outcomes == ["refused" if kept else "conflict", "conflict"], steps
        assert f"e{within}" in steps[1]["reason"]
    assert (writes(world), github_bed.get(issue)["state"]) == (before, "open")


@pytest.mark.parametrize("how", ["unregistered", "in doubt"])
def test_what_a_call_made_stays_while_a_call_that_cannot_be_taken_back_is_in_it(
    make: Make, github_bed: Emulate, how: str
) -> None:
    world = make(posture="open")
    made, issue = new_issue(world)
    if how == "unregistered":
        within = world.call("POST", f"{GITHUB}{issue}/nobody-knows", json={"a": 1}).entry
        assert world.state(within) == "failed", "what did nothing stands in nobody's way"
        assert world.act("plan", ids=[made])["steps"][0]["outcome"] == "todo"
        world.taps["api.github.com"].fail(forward=False, status=201)
        within = world.call("POST", f"{GITHUB}{issue}/nobody-knows", json={"a": 2}).entry
        assert world.state(within) == "applied"
    else:
        world.taps["api.github.com"].fail(cut=0)
        within = world.call("POST", f"{GITHUB}{issue}/comments", json={"body": "hi"}).entry
        assert world.state(within) == "in_doubt"
    before = writes(world)
    for steps in (
        world.act("plan", ids=[made])["steps"],
        world.act("plan", ids=[made, within], cascade=True)["steps"],
        world.undo(made),
        world.undo(made, cascade=True),
    ):
        step = next(s for s in steps if s["entry"] == f"e{made}")
        assert (step["outcome"], f"e{within}" in step["reason"]) == ("conflict", True), steps
    assert (writes(world), github_bed.get(issue)["state"]) == (before, "open")
    assert world.undo(made, force=True)[0]["outcome"] == "compensated"


def test_many_entries_are_undone_newest_first(world: World, github_bed: Emulate) -> None:
    _, issue = new_issue(world)
    entries = [edit(world, issue, title=f"t{n}", body=f"b{n}") for n in range(4)]
    steps = world.undo(*entries)
    assert [s["entry"] for s in steps] == [f"e{e}" for e in reversed(entries)]
    assert {s["outcome"] for s in steps} == {"undone"}
    now = github_bed.get(issue)
    assert (now["title"], now["body"]) == ("as it was", None)


def test_force_writes_over_what_a_person_changed_and_only_the_fields_of_the_call(
    world: World, github_bed: Emulate
) -> None:
    _, issue = new_issue(world)
    entry = edit(world, issue, title="theirs")
    github_bed.ask("PATCH", issue, {"title": "a person's", "body": "a person's"})
    assert world.undo(entry)[0]["outcome"] == "conflict"
    assert world.undo(entry, force=True)[0]["outcome"] == "undone"
    now = github_bed.get(issue)
    assert (now["title"], now["body"]) == ("as it was", "a person's")


def test_what_was_changed_back_by_hand_is_already_undone_and_nothing_is_sent(
    world: World, github_bed: Emulate
) -> None:
    _, issue = new_issue(world)
    entry = edit(world, issue, title="theirs")
    github_bed.ask("PATCH", issue, {"title": "as it was"})
    before = writes(world)
    (step,) = world.undo(entry)
    assert (step["outcome"], writes(world), world.state(entry)) == ("already", before, "undone")


def test_a_call_that_changed_nothing_has_nothing_to_undo(world: World) -> None:
    _, issue = new_issue(world)
    entry = edit(world, issue, title="as it was")
    before = writes(world)
    (step,) = world.undo(entry)
    assert (step["outcome"], writes(world)) == ("already", before), step


def test_a_resource_that_is_gone_is_a_conflict_and_not_made_again(
    world: World, webdav_bed: WebDav, fresh: Callable[[str], str]
) -> None:
    name = fresh("gone")
    webdav_bed.ask("PUT", f"/{name}", b"as it was")
    entry = world.call("PUT", f"{DAV}/{name}", body=b"theirs").entry
    webdav_bed.ask("DELETE", f"/{name}")
    before = writes(world)
    (step,) = world.undo(entry)
    assert (step["outcome"], writes(world)) == ("conflict", before), step


def test_a_kept_change_is_not_undone(world: World) -> None:
    _, issue = new_issue(world)
    entry = edit(world, issue, title="theirs")
    world.act("keep", ids=[entry])
    before = writes(world)
    (step,) = world.undo(entry)
    assert (step["outcome"], writes(world)) == ("refused", before)


def test_an_undo_that_the_service_refuses_is_stuck_and_never_called_undone(
    world: World, github_bed: Emulate
) -> None:
    _, issue = new_issue(world)
    entry = edit(world, issue, title="theirs")
    world.taps["api.github.com"].fail(forward=False, status=422)
    (step,) = world.undo(entry)
    assert (step["outcome"], world.state(entry)) == ("failed", "stuck"), step
    assert github_bed.get(issue)["title"] == "theirs"
    (again,) = world.undo(entry)
    assert (again["outcome"], github_bed.get(issue)["title"]) == ("undone", "as it was")


def test_an_undo_whose_effect_does_not_show_is_stuck_and_never_called_undone(
    world: World,
) -> None:
    """The service says 200 and does nothing: the reading back tells."""
    _, issue = new_issue(world)
    entry = edit(world, issue, title="theirs")
    world.taps["api.github.com"].fail(forward=False, status=200)
    (step,) = world.undo(entry)
    assert (step["outcome"], step["read_back"], world.state(entry)) == ("failed", False, "stuck")


def test_an_undo_whose_answer_is_lost_is_settled_by_reading_back(
    world: World, github_bed: Emulate
) -> None:
    _, issue = new_issue(world)
    entry = edit(world, issue, title="theirs")
    world.taps["api.github.com"].fail(cut=0)
    world.undo(entry)
    assert world.wait_state(entry, "undone") == "undone"
    assert github_bed.get(issue)["title"] == "as it was"


@pytest.mark.parametrize(
    ("applied", "state"), [(True, {"stuck", "undone"}), (False, {"stuck", "applied"})]
)
def test_a_step_that_nothing_tells_of_waits_for_a_person_and_is_not_sent_twice(
    world: World, github_bed: Emulate, applied: bool, state: set[str]
) -> None:
    """What a lost answer has made anew has an id that nobody saw."""
    _, issue = new_issue(world)
    made = github_bed.ask("POST", f"{issue}/comments", {"body": "as it was"}).json["id"]
    entry = world.call("DELETE", f"{GITHUB}{REPO}/issues/comments/{made}").entry
    world.taps["api.github.com"].fail(cut=0)
    (step,) = world.undo(entry)
    assert (step["outcome"], world.state(entry)) == ("in_doubt", "undoing"), step
    before, row = writes(world), world.log()[-1]
    assert (row["undo_of"], row["state"]) == (f"e{entry}", "in_doubt")
    world.act("resolve", id=int(row["id"][1:]), applied=applied)
    assert world.state(entry) in state
    assert writes(world) == before
    bodies = [one["body"] for one in github_bed.get(f"{issue}/comments")]
    assert bodies == ["as it was"]


def test_a_credential_that_acts_as_another_now_undoes_nothing(
    make: Make, github_bed: Emulate
) -> None:
    world = make(principals={"api.github.com": "octocat"})
    _, issue = new_issue(world)
    entry = edit(world, issue, title="theirs")
    vault = world.home.vault()
    vault.rotate(vault.get("github").id, Stored(Secret(b"ghp_OfFirstUserOfFirstUserOfFirstUser01")))
    vault.close()
    world.act("refresh")
    before = writes(world)
    (step,) = world.undo(entry)
    assert (step["outcome"], "first-user" in step["reason"]) == ("refused", True), step
    assert (writes(world), github_bed.get(issue)["title"]) == (before, "theirs")

"""P4: several undone at once, newest first: what one leaves stands in no other's way."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.beds.emulate import Emulate
from tests.beds.webdav import WebDav
from tests.behaviour.conftest import Make
from tests.behaviour.world import DAV, GITHUB

pytestmark = pytest.mark.bed
ISSUES = "/repos/octocat/priv/issues"


def test_an_issue_that_was_made_and_closed_is_closed_again_by_both_undos(
    make: Make, github_bed: Emulate
) -> None:
    """The first undo reopens it, which leaves a reason that was not there when it was made."""
    world = make()
    made = world.call("POST", f"{GITHUB}{ISSUES}", json={"title": "theirs"})
    issue = f"{ISSUES}/{made.json['number']}"
    closed = world.call("PATCH", f"{GITHUB}{issue}", json={"state": "closed"})
    steps = world.undo(made.entry, closed.entry)
    assert [step["outcome"] for step in steps] == ["undone", "compensated"], steps
    now = github_bed.get(issue)
    assert (now["state"], now["state_reason"]) == ("closed", "not_planned")


def test_an_issue_that_somebody_closed_needs_no_undo_and_none_is_sent(
    make: Make, github_bed: Emulate
) -> None:
    world = make()
    made = world.call("POST", f"{GITHUB}{ISSUES}", json={"title": "made"})
    issue = f"{ISSUES}/{made.json['number']}"
    github_bed.ask("PATCH", issue, {"state": "closed", "state_reason": "completed"})
    (step,) = world.undo(made.entry)
    assert (step["outcome"], step["read_back"]) == ("already", True), step
    assert github_bed.get(issue)["state_reason"] == "completed"  # ours would say not_planned


@pytest.mark.parametrize("folder", ["f", "f/deep"])
def test_a_folder_is_planned_after_what_was_moved_into_it(
    make: Make, webdav_bed: WebDav, fresh: Callable[[str], str], folder: str
) -> None:
    world, name = make(), fresh("row")
    webdav_bed.ask("MKCOL", f"/{name}")
    if folder != "f":
        webdav_bed.ask("MKCOL", f"/{name}/f")
    webdav_bed.ask("PUT", f"/{name}/a", b"a person's")
    made = world.call("MKCOL", f"{DAV}/{name}/{folder}").entry
    moved = world.call(
        "MOVE", f"{DAV}/{name}/a", headers={"Destination": f"{DAV}/{name}/{folder}/a"}
    ).entry
    (alone,) = world.act("plan", ids=[made])["steps"]
    assert alone["outcome"] == "conflict", alone
    assert "contents was changed by somebody else since (1 more, 0 gone)" in alone["reason"]
    plan = world.act("plan", ids=[made, moved])["steps"]
    assert [step["outcome"] for step in plan] == ["todo", "todo"], plan
    assert plan[1]["reason"] == f"after e{moved}; checked again then"
    assert [step["outcome"] for step in world.undo(made, moved)] == ["undone", "undone"]
    assert webdav_bed.ask("GET", f"/{name}/a").body == b"a person's"
    assert webdav_bed.ask("PROPFIND", f"/{name}/{folder}", Depth="0").status == 404

"""P4: nothing is deleted that this call did not create, whatever its answer looks like."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.beds.emulate import Emulate
from tests.beds.webdav import WebDav
from tests.behaviour.conftest import Make
from tests.behaviour.test_undo_among_others import Doing
from tests.behaviour.world import DAV, GITHUB, Answer, World

pytestmark = pytest.mark.bed
WD = "dav.example.test"
ENSURE = """
service: own
hosts: [dav.example.test]
resources: {file: {at: "/{path+}", kind: bytes}}
operations:
  ensure: {match: "PUT /{path+}", creates: {file: {path: path}}, fidelity: exact, undo: delete}
"""
THEIRS = {"of": "a person"}
BYTES = json.dumps(THEIRS).encode()


def deletes(world: World) -> list[str]:
    """What was asked to be deleted, of any bed."""
    return [a.target for tap in world.taps.values() for a in tap.writes() if a.method == "DELETE"]


@pytest.mark.parametrize("there", [False, True])
def test_what_was_there_before_is_not_deleted_though_the_answer_is_good(
    make: Make, webdav_bed: WebDav, fresh: Callable[[str], str], there: bool
) -> None:
    """A create that is answered well too where the thing was there: 204 instead of 201 (RFC 9110,
    9.3.4). Its rule reads nothing before, so that only the answer can tell."""
    world, name = make(services="", reverser=ENSURE), fresh("ensured")
    if there:
        webdav_bed.ask("PUT", f"/{name}", BYTES)
    answer = world.call("PUT", f"{DAV}/{name}", json=THEIRS)
    assert (answer.status, world.state(answer.entry)) == (204 if there else 201, "applied")
    plan = world.act("plan", ids=[answer.entry])["steps"]
    (step,) = world.undo(answer.entry, force=there)
    if not there:
        assert (step["outcome"], deletes(world)) == ("undone", [f"/{name}"]), step
        assert webdav_bed.ask("GET", f"/{name}").status == 404
        return
    assert (plan[0]["outcome"], step["outcome"]) == ("failed", "failed")
    assert "does not prove" in step["reason"]
    assert world.show(answer.entry)["fidelity"] == "none"
    assert deletes(world) == []
    assert webdav_bed.ask("GET", f"/{name}").body == BYTES


@pytest.mark.parametrize("status", [200, 202])
def test_an_answer_that_proves_no_creation_leads_to_no_delete(
    make: Make, webdav_bed: WebDav, fresh: Callable[[str], str], status: int
) -> None:
    world, name = make(services="", reverser=ENSURE), fresh("answered")
    webdav_bed.ask("PUT", f"/{name}", BYTES)
    world.taps[WD].fail(forward=False, status=status)
    entry = world.call("PUT", f"{DAV}/{name}", json=THEIRS).entry
    assert world.state(entry) == "applied"
    (step,) = world.undo(entry, force=True)
    assert (step["outcome"], deletes(world)) == ("failed", []), step
    assert webdav_bed.ask("GET", f"/{name}").body == BYTES


@pytest.mark.parametrize("method", ["PUT", "MKCOL", "COPY"])
def test_what_somebody_made_between_the_image_and_the_call_is_not_deleted(
    make: Make, webdav_bed: WebDav, fresh: Callable[[str], str], method: str
) -> None:
    """Nothing was there when it was looked at, and something when the call arrived."""
    world, name = make(), fresh("between")
    fault = world.taps[WD].fail(lambda asked: asked.method == method, before=0.5)
    webdav_bed.ask("PUT", f"/from-{name}", b"a person's")

    def call() -> Answer:
        if method == "COPY":
            return world.call(
                method, f"{DAV}/from-{name}", headers={"Destination": f"{DAV}/{name}"}
            )
        return world.call(method, f"{DAV}/{name}", body=b"a" if method == "PUT" else b"")

    calling = Doing(call)
    assert fault.hit.wait(5)
    if method == "MKCOL":
        webdav_bed.ask(method, f"/{name}")
    else:
        webdav_bed.ask("PUT", f"/{name}", b"a person's")
    answer = calling.result()
    (step,) = world.undo(answer.entry, force=True)
    assert step["outcome"] in {"failed", "skipped"}, (answer.status, step)
    assert deletes(world) == []
    assert webdav_bed.ask("PROPFIND", f"/{name}", Depth="0").status == 207


def test_a_persons_thing_of_the_same_name_is_not_deleted_in_its_place(
    make: Make, webdav_bed: WebDav, fresh: Callable[[str], str]
) -> None:
    """What the call made is gone, and a person has made another under its name."""
    world, name = make(), fresh("instead")
    entry = world.call("PUT", f"{DAV}/{name}", body=b"theirs").entry
    webdav_bed.ask("DELETE", f"/{name}")
    webdav_bed.ask("PUT", f"/{name}", b"a person's")
    (step,) = world.undo(entry)
    assert (step["outcome"], deletes(world)) == ("conflict", []), step
    assert webdav_bed.ask("GET", f"/{name}").body == b"a person's"


def test_an_undo_writes_the_fields_of_its_call_and_no_other(
    make: Make, github_bed: Emulate
) -> None:
    """Not the image: what a person changed beside them would be lost by that."""
    world, repo = make(), "/repos/octocat/priv"
    made = github_bed.ask("POST", f"{repo}/issues", {"title": "as it was", "body": "as it was"})
    issue = f"{repo}/issues/{made.json['number']}"
    entry = world.call("PATCH", f"{GITHUB}{issue}", json={"title": "theirs"}).entry
    github_bed.ask("PATCH", issue, {"body": "a person's", "labels": ["a person's"]})
    world.taps["api.github.com"].clear()
    (step,) = world.undo(entry)
    now = github_bed.get(issue)
    assert (step["outcome"], now["title"]) == ("undone", "as it was"), step
    assert (now["body"], [one["name"] for one in now["labels"]]) == ("a person's", ["a person's"])
    (sent,) = world.taps["api.github.com"].writes()
    assert sent.body == b'{"title":"as it was"}'

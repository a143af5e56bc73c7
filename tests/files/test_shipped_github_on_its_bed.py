"""reversers/github.yaml, done and undone on the emulated GitHub."""

from __future__ import annotations

import base64

import pytest

from goex_proxy.core import exact
from goex_proxy.core.entry import Entry
from goex_proxy.core.exchange import Headers, Request, Response
from goex_proxy.core.journal import State
from goex_proxy.core.operation import Fidelity
from tests.beds import emulate
from tests.beds.bed import ask
from tests.files.reverser_world import World, book, request, services

REPO = "https://api.github.com/repos/octocat/hello"
BOOK = book(*services("github"))


@pytest.fixture
def world(github_bed: emulate.Emulate) -> World:
    def answer(made: Request) -> Response:
        fields = dict(made.headers) | {"Authorization": f"Bearer {emulate.GITHUB_TOKEN}"}
        body = made.body or (None if made.method == "GET" else b"")
        said = ask(github_bed.server.port, made.method, made.target, headers=fields, body=body)
        return Response(
            status=said.status, headers=Headers(tuple(said.headers.items())), body=said.body
        )

    return World(BOOK, answer, principal="octocat")


def ask_bed(world: World, method: str, path: str, json: object = None) -> dict[str, object]:
    answer = world.answer(request(method, REPO + path, json=json))
    value = exact.loads(answer.body or b"null")
    return value if isinstance(value, dict) else {"list": value}


def taken_back(world: World, made: Request, state: State = State.UNDONE) -> Entry:
    entry = world.call(made)
    assert entry.state is State.APPLIED, entry.reason
    assert entry.inverse is not None, entry.reason
    undone = world.undo(entry)
    assert undone.state is state, (undone.reason, undone.undo)
    return undone


def issue(world: World, **fields: object) -> str:
    return f"/issues/{ask_bed(world, 'POST', '/issues', {'title': 't', 'body': 'b', **fields})['number']}"


def same_issue(left: dict[str, object], right: dict[str, object]) -> bool:
    kept = ("title", "body", "state", "assignees", "milestone", "locked", "active_lock_reason")
    return names_of(left) == names_of(right) and all(left.get(k) == right.get(k) for k in kept)


def names_of(issue: dict[str, object]) -> list[str]:
    labels = issue["labels"]
    assert isinstance(labels, list)
    return sorted(label["name"] for label in labels)


@pytest.mark.bed
@pytest.mark.parametrize(
    ("method", "tail", "body"),
    [
        ("PATCH", "", {"title": "t2", "body": None, "labels": ["z"]}),
        ("PATCH", "", {"state": "closed", "state_reason": "not_planned"}),
        ("PATCH", "", {"assignees": ["hubot"]}),
        ("PUT", "/lock", {"lock_reason": "spam"}),
        ("PUT", "/lock", {}),
        ("POST", "/labels", {"labels": ["bug", "new"]}),
        ("POST", "/labels", ["x/y"]),
        ("PUT", "/labels", {"labels": ["only", "bug"]}),
        ("DELETE", "/labels/bug", None),
        ("DELETE", "/labels", None),
    ],
)
def test_an_issue_is_as_it_was(world: World, method: str, tail: str, body: object) -> None:
    path = issue(world, labels=["bug", "x y"])
    before = ask_bed(world, "GET", path)
    undone = taken_back(world, request(method, REPO + path + tail, json=body))
    assert undone.fidelity is Fidelity.EXACT
    assert same_issue(ask_bed(world, "GET", path), before)


@pytest.mark.bed
def test_a_closed_issue_keeps_the_reason_it_was_closed_for(world: World) -> None:
    path = issue(world)
    ask_bed(world, "PATCH", path, {"state": "closed", "state_reason": "not_planned"})
    taken_back(world, request("PATCH", REPO + path, json={"state": "open"}))
    assert ask_bed(world, "GET", path)["state_reason"] == "not_planned"


@pytest.mark.bed
def test_a_lock_gets_its_reason_back(world: World) -> None:
    path = issue(world)
    ask_bed(world, "PUT", path + "/lock", {"lock_reason": "spam"})
    taken_back(world, request("DELETE", REPO + path + "/lock"))
    taken_back(world, request("PUT", REPO + path + "/lock", json={"lock_reason": "resolved"}))
    assert ask_bed(world, "GET", path)["active_lock_reason"] == "spam"


@pytest.mark.bed
def test_assignees_come_and_go(world: World) -> None:
    path = issue(world)
    named = {"assignees": ["hubot"]}
    taken_back(world, request("POST", REPO + path + "/assignees", json=named), State.COMPENSATED)
    ask_bed(world, "POST", path + "/assignees", named)
    taken_back(world, request("DELETE", REPO + path + "/assignees", json=named))


@pytest.mark.bed
def test_an_issue_that_was_made_is_closed(world: World) -> None:
    undone = taken_back(
        world, request("POST", REPO + "/issues", json={"title": "n"}), State.COMPENSATED
    )
    assert undone.after[0].instance.params["n"].isdigit()


@pytest.mark.bed
def test_comments_are_removed_written_back_and_said_again(world: World) -> None:
    path = issue(world)
    made = request("POST", REPO + path + "/comments", json={"body": "hi"})
    taken_back(world, made, State.COMPENSATED)
    said = ask_bed(world, "POST", path + "/comments", {"body": "hi"})
    one = f"{REPO}/issues/comments/{said['id']}"
    taken_back(world, request("PATCH", one, json={"body": "ho"}))
    undone = taken_back(world, request("DELETE", one))
    assert undone.fidelity is Fidelity.EQUIVALENT
    assert undone.aliases[0].new["id"] != undone.aliases[0].old["id"]


@pytest.mark.bed
def test_labels_are_renamed_back_and_hung_on_their_issues_again(world: World) -> None:
    path = issue(world, labels=["crash"])
    taken_back(world, request("POST", REPO + "/labels", json={"name": "a/b c", "color": "ff0000"}))
    taken_back(world, request("PATCH", REPO + "/labels/crash", json={"color": "00ff00"}))
    taken_back(
        world,
        request("PATCH", REPO + "/labels/crash", json={"new_name": "was/crash", "color": "00ff01"}),
    )
    taken_back(world, request("PATCH", REPO + "/labels/crash", json={"new_name": "CRASH"}))
    taken_back(world, request("DELETE", REPO + "/labels/crash"))
    labels = ask_bed(world, "GET", path)["labels"]
    assert isinstance(labels, list)
    assert [label["name"] for label in labels] == ["crash"]


@pytest.mark.bed
def test_milestones_come_and_go(world: World) -> None:
    taken_back(world, request("POST", REPO + "/milestones", json={"title": "m"}))
    due = {"title": "mm", "due_on": "2027-01-01T00:00:00Z"}
    made = ask_bed(world, "POST", "/milestones", due)
    one = f"{REPO}/milestones/{made['number']}"
    taken_back(world, request("PATCH", one, json={"title": "m3", "state": "closed"}))
    path = issue(world)
    taken_back(world, request("PATCH", REPO + path, json={"milestone": made["number"]}))
    assert taken_back(world, request("DELETE", one)).fidelity is Fidelity.EQUIVALENT


def content(text: str, **more: object) -> dict[str, object]:
    return {"message": "m", "content": base64.b64encode(text.encode()).decode(), **more}


@pytest.mark.bed
def test_files_are_as_they_were_unless_somebody_wrote_since(world: World) -> None:
    taken_back(world, request("PUT", REPO + "/contents/d/new%20f.txt", json=content("x")))
    made = ask_bed(world, "PUT", "/contents/a.txt", content("one"))["content"]
    assert isinstance(made, dict)
    taken_back(
        world, request("PUT", REPO + "/contents/a.txt", json=content("two", sha=made["sha"]))
    )
    now = ask_bed(world, "GET", "/contents/a.txt")
    assert now["sha"] == made["sha"]
    gone = {"message": "m", "sha": now["sha"]}
    taken_back(world, request("DELETE", REPO + "/contents/a.txt", json=gone))
    entry = world.call(
        request("PUT", REPO + "/contents/a.txt", json=content("two", sha=now["sha"]))
    )
    left = ask_bed(world, "GET", "/contents/a.txt")["sha"]
    ask_bed(world, "PUT", "/contents/a.txt", content("theirs", sha=left))
    assert world.undo(entry).state is State.CONFLICT


@pytest.mark.bed
def test_refs_point_where_they_pointed(world: World) -> None:
    ask_bed(world, "PUT", "/contents/r.txt", content("r"))
    head = ask_bed(world, "GET", "/git/ref/heads/main")["object"]
    assert isinstance(head, dict)
    commits = ask_bed(world, "GET", "/commits")["list"]
    assert isinstance(commits, list)
    named = {"ref": "refs/heads/feat/x", "sha": head["sha"]}
    taken_back(world, request("POST", REPO + "/git/refs", json=named))
    ask_bed(world, "POST", "/git/refs", named)
    older = {"sha": commits[1]["sha"], "force": True}
    taken_back(world, request("PATCH", REPO + "/git/refs/heads/feat/x", json=older))
    taken_back(world, request("DELETE", REPO + "/git/refs/heads/feat/x"))
    assert ask_bed(world, "GET", "/git/ref/heads/feat/x")["object"] == head


@pytest.mark.bed
def test_pulls_are_closed_and_written_back(world: World) -> None:
    head = ask_bed(world, "GET", "/git/ref/heads/main")["object"]
    assert isinstance(head, dict)
    ask_bed(world, "POST", "/git/refs", {"ref": "refs/heads/topic", "sha": head["sha"]})
    ask_bed(world, "PUT", "/contents/t.txt", content("t", branch="topic"))
    branch = request("PUT", REPO + "/contents/t2.txt", json=content("t", branch="topic"))
    taken_back(world, branch)
    named = {"title": "p", "head": "topic", "base": "main"}
    taken_back(world, request("POST", REPO + "/pulls", json=named), State.COMPENSATED)
    made = ask_bed(world, "POST", "/pulls", named)
    one = f"{REPO}/pulls/{made['number']}"
    taken_back(world, request("PATCH", one, json={"title": "pp", "state": "closed"}))
    assert world.call(request("PUT", one + "/merge", json={})).fidelity is Fidelity.NONE

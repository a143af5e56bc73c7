"""reversers/github.yaml: which request is which operation, and undone against the bed."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from goex_proxy.core import exact
from goex_proxy.core.call import forced
from goex_proxy.core.entry import Entry
from goex_proxy.core.exchange import Headers, Request, Response
from goex_proxy.core.journal import State
from goex_proxy.core.operation import Fidelity, Kind
from tests.beds import emulate
from tests.beds.bed import ask
from tests.files.reverser_world import World, book, classified, reply, request, services

REPO = "https://api.github.com/repos/octocat/hello"
BOOK = book(*services("github"))
KNOWN: list[tuple[str, str, object, str]] = [
    ("POST", "/issues", {"title": "x"}, "issues/create"),
    ("PATCH", "/issues/1", {"state": "closed"}, "issues/update"),
    ("PUT", "/issues/1/lock", {}, "issues/lock"),
    ("DELETE", "/issues/1/lock", None, "issues/unlock"),
    ("POST", "/issues/1/comments", {"body": "x"}, "issues/create-comment"),
    ("PATCH", "/issues/comments/1", {"body": "x"}, "issues/update-comment"),
    ("DELETE", "/issues/comments/1", None, "issues/delete-comment"),
    ("POST", "/labels", {"name": "x"}, "issues/create-label"),
    ("PATCH", "/labels/a%20b", {"color": "x"}, "issues/update-label"),
    ("DELETE", "/labels/a%2Fb", None, "issues/delete-label"),
    ("POST", "/issues/1/labels", ["x"], "issues/add-labels"),
    ("PUT", "/issues/1/labels", {"labels": []}, "issues/set-labels"),
    ("DELETE", "/issues/1/labels/x", None, "issues/remove-label"),
    ("DELETE", "/issues/1/labels", None, "issues/remove-all-labels"),
    ("POST", "/issues/1/assignees", {"assignees": ["x"]}, "issues/add-assignees"),
    ("DELETE", "/issues/1/assignees", {"assignees": ["x"]}, "issues/remove-assignees"),
    ("POST", "/milestones", {"title": "x"}, "issues/create-milestone"),
    ("PATCH", "/milestones/1", {"title": "x"}, "issues/update-milestone"),
    ("DELETE", "/milestones/1", None, "issues/delete-milestone"),
    ("PUT", "/contents/a/b.txt", {"content": ""}, "repos/put-contents"),
    ("DELETE", "/contents/a/b.txt", {"sha": "x"}, "repos/delete-contents"),
    ("POST", "/git/refs", {"ref": "refs/heads/x"}, "git/create-ref"),
    ("PATCH", "/git/refs/heads/a/b", {"sha": "x"}, "git/update-ref"),
    ("DELETE", "/git/refs/heads/a/b", None, "git/delete-ref"),
    ("POST", "/pulls", {"title": "x"}, "pulls/create"),
    ("PATCH", "/pulls/1", {"title": "x"}, "pulls/update"),
    ("PUT", "/pulls/1/merge", {}, "pulls/merge"),
    ("DELETE", "", None, "repos/delete"),
    ("POST", "/releases/generate-notes", {}, "repos/generate-release-notes"),
    ("GET", "/issues", None, "read"),
    # What could not be written back, or nobody has described, is never taken for what is known.
    ("PATCH", "/issues/1", {"title": "x", "issue_field_values": []}, "unregistered"),
    ("PATCH", "/pulls/1", {"title": "x", "draft": True}, "unregistered"),
    ("PATCH", "/issues/x", {"title": "x"}, "unregistered"),
    ("POST", "/forks", None, "unregistered"),
    ("PUT", "/topics", {"names": []}, "unregistered"),
    ("POST", "/dispatches", {}, "unregistered"),
]


@pytest.mark.parametrize(("method", "path", "body", "name"), KNOWN)
def test_a_request_is_its_operation(method: str, path: str, body: object, name: str) -> None:
    found = classified(BOOK, request(method, REPO + path, json=body))
    assert found.name == f"github.{name}"


def test_every_operation_is_in_the_table() -> None:
    [service] = services("github")
    assert {made.name for made in service.operations} <= {name for *_, name in KNOWN}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"query": "query { viewer { login } }"}, Kind.READ),
        ({"query": "{ viewer { login } }"}, Kind.READ),
        ({"query": "mutation { x }"}, Kind.UNKNOWN),
        ({"query": "query A { a } MUTATION B { b }"}, Kind.UNKNOWN),
        ({"query": "fragment F on X { y } mutation { x }"}, Kind.UNKNOWN),
        ({"extensions": {"persistedQuery": {"sha256Hash": "x"}}}, Kind.UNKNOWN),
        ({"query": ["mutation"]}, Kind.UNKNOWN),
        ([{"query": "{ a }"}], Kind.UNKNOWN),
    ],
)
def test_graphql_reads_only_without_the_word_mutation(body: object, kind: Kind) -> None:
    assert (
        classified(BOOK, request("POST", "https://api.github.com/graphql", json=body)).kind is kind
    )


@pytest.mark.parametrize("body", [None, [{"query": "mutation { x }"}], {"query": "mutation { x }"}])
def test_a_query_of_the_url_makes_no_read_of_a_graphql_call(body: object) -> None:
    url = "https://api.github.com/graphql?query=%7Bviewer%7D"
    assert classified(BOOK, request("POST", url, json=body)).kind is Kind.UNKNOWN


@pytest.mark.parametrize(("force", "said"), [(True, "yes"), (False, "no"), (None, "no")])
def test_a_forced_update_of_a_ref_is_a_fact(force: bool | None, said: str) -> None:
    body = {"sha": "x"} | ({} if force is None else {"force": force})
    found = classified(BOOK, request("PATCH", REPO + "/git/refs/heads/x", json=body))
    assert forced(found) == said


def table(**answers: list[Response]) -> Callable[[Request], Response]:
    """Recorded answers by method and path, each once, the last for ever."""

    def answer(made: Request) -> Response:
        listed = answers[f"{made.method} {made.path.removeprefix('/repos/octocat/hello')}"]
        return listed.pop(0) if len(listed) > 1 else listed[0]

    return answer


def test_a_file_too_large_to_read_is_not_promised() -> None:
    big = {"type": "file", "path": "big.bin", "sha": "s1", "content": "", "encoding": "none"}
    after = big | {"sha": "s2"}
    answers = {
        "GET /contents/big.bin": [reply(200, big), reply(200, after)],
        "PUT /contents/big.bin": [reply(200, {"content": {"sha": "s2"}})],
    }
    entry = World(BOOK, table(**answers)).call(
        request("PUT", REPO + "/contents/big.bin", json={"content": "eA==", "sha": "s1"})
    )
    assert entry.fidelity is Fidelity.NONE
    assert entry.inverse is None


def test_a_link_that_reads_as_its_target_is_not_written_over_with_it() -> None:
    target = {
        "type": "file",
        "path": "real.txt",
        "sha": "s",
        "content": "eA==",
        "encoding": "base64",
    }
    answers = {
        "GET /contents/link": [reply(200, target), reply(404)],
        "DELETE /contents/link": [reply(200, {})],
    }
    entry = World(BOOK, table(**answers)).call(
        request("DELETE", REPO + "/contents/link", json={"message": "m", "sha": "s"})
    )
    assert entry.fidelity is Fidelity.NONE


def test_another_s_comment_can_only_be_said_again_by_us() -> None:
    comment = {
        "id": 5,
        "body": "theirs",
        "user": {"login": "hubot"},
        "issue_url": REPO + "/issues/3",
    }
    answers = {
        "GET /issues/comments/5": [reply(200, comment), reply(404)],
        "DELETE /issues/comments/5": [reply(204)],
    }
    world = World(BOOK, table(**answers), principal="octocat")
    entry = world.call(request("DELETE", REPO + "/issues/comments/5"))
    assert entry.fidelity is Fidelity.COMPENSATING
    assert entry.inverse is not None
    assert entry.inverse.steps[0].request.path == "/repos/octocat/hello/issues/3/comments"


def test_labels_do_not_tell_capitals_apart() -> None:
    bug = {"name": "Bug"}
    answers = {
        "GET /issues/1/labels": [reply(200, []), reply(200, [bug])],
        "POST /issues/1/labels": [reply(200, [bug])],
    }
    entry = World(BOOK, table(**answers)).call(
        request("POST", REPO + "/issues/1/labels", json={"labels": ["bug"]})
    )
    assert entry.inverse is not None
    assert [s.request.target for s in entry.inverse.steps] == [
        "/repos/octocat/hello/issues/1/labels/Bug"
    ]


def test_a_label_that_was_there_already_is_left_there() -> None:
    both = [{"name": "a"}, {"name": "b"}]
    answers = {
        "GET /issues/1/labels": [reply(200, both[:1]), reply(200, both)],
        "POST /issues/1/labels": [reply(200, both)],
    }
    entry = World(BOOK, table(**answers)).call(
        request("POST", REPO + "/issues/1/labels", json=["a", "b"])
    )
    assert entry.inverse is not None
    assert [s.request.target[-2:] for s in entry.inverse.steps] == ["/b"]


def test_one_assignee_replaces_all_so_all_come_back() -> None:
    people = [{"login": "a"}, {"login": "b"}]
    before = {"number": 1, "state": "open", "assignee": people[0], "assignees": people}
    after = before | {"assignee": {"login": "c"}, "assignees": [{"login": "c"}]}
    answers = {
        "GET /issues/1": [reply(200, before), reply(200, after)],
        "PATCH /issues/1": [reply(200, after)],
    }
    entry = World(BOOK, table(**answers)).call(
        request("PATCH", REPO + "/issues/1", json={"assignee": "c"})
    )
    assert entry.inverse is not None
    assert entry.inverse.steps[0].request.body == b'{"assignees":["a","b"]}'


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

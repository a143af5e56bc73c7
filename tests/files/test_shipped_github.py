"""reversers/github.yaml: which request is which operation, and undone against the bed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from goex_proxy.core.call import forced
from goex_proxy.core.exchange import Request, Response
from goex_proxy.core.operation import Fidelity, Kind
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

"""reversers/git.yaml, against the bed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from goex_proxy.core.call import forced
from goex_proxy.core.exchange import Headers, Request, Response
from goex_proxy.core.journal import State
from goex_proxy.core.operation import Fidelity, Kind
from goex_proxy.engine.library import encode
from tests.beds.bed import ask
from tests.beds.git_http import GitHttp
from tests.files.reverser_world import World, book, classified, request, services

REPO = "https://github.com/hello.git"
BOOK = book(*services("git"))
ZERO, A, B = "0" * 40, "a" * 40, "b" * 40
type Update = tuple[str, str, str]


def push(*updates: Update) -> Request:
    listed = [{"ref": ref, "old": old, "new": new} for ref, old, new in updates]
    body, kind = encode("git-receive-pack", {"updates": listed})
    return request("POST", f"{REPO}/git-receive-pack", body=body, headers={"Content-Type": kind})


def test_fetching_reads_and_pushing_writes() -> None:
    assert classified(BOOK, push(("refs/heads/x", A, B))).name == "git.push"
    for path in ("/git-upload-pack", "/info/lfs/objects/batch"):
        body = {"operation": "download"}
        assert classified(BOOK, request("POST", REPO + path, json=body)).kind is Kind.READ
    asked = request("GET", f"{REPO}/info/refs?service=git-receive-pack")
    assert classified(BOOK, asked).kind is Kind.READ
    upload = request("POST", REPO + "/info/lfs/objects/batch", json={"operation": "upload"})
    assert classified(BOOK, upload).kind is Kind.UNKNOWN


def test_a_push_that_cannot_be_read_is_unregistered() -> None:
    made = request("POST", f"{REPO}/git-receive-pack", body=b"nonsense")
    assert classified(BOOK, made).kind is Kind.UNKNOWN


@pytest.mark.parametrize(
    ("updates", "said"),
    [
        ([("refs/heads/x", ZERO, A)], "no"),
        ([("refs/heads/x", A, B)], "unknown"),
        ([("refs/heads/x", ZERO, A), ("refs/heads/y", A, ZERO)], "yes"),
    ],
)
def test_whether_a_push_forces_is_a_fact(updates: list[Update], said: str) -> None:
    assert forced(classified(BOOK, push(*updates))) == said


@pytest.fixture
def commits(git_bed: GitHttp, tmp_path: Path) -> tuple[str, str]:
    """Two commits that the server has, `main` at the second and `old` at the first."""
    git_bed.reset()
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}
    who = {
        f"GIT_{r}_{k}": "a@b.example" for r in ("AUTHOR", "COMMITTER") for k in ("NAME", "EMAIL")
    }

    def git(*words: str) -> str:
        line = ["git", "-C", str(tmp_path), *words]
        done = subprocess.run(line, env=env | who, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    git("init", "-q", "-b", "main")
    git("commit", "-q", "--allow-empty", "-m", "1")
    git("commit", "-q", "--allow-empty", "-m", "2")
    refs = ("main", "main:seen", "main~1:refs/heads/old")
    git("push", "-q", git_bed.repository(), *refs)
    return git("rev-parse", "main~1"), git("rev-parse", "main")


@pytest.fixture
def world(git_bed: GitHttp) -> World:
    def answer(made: Request) -> Response:
        fields = dict(made.headers)
        said = ask(
            git_bed.server.port, made.method, made.target, headers=fields, body=made.body or None
        )
        return Response(
            status=said.status, headers=Headers(tuple(said.headers.items())), body=said.body
        )

    return World(BOOK, answer)


@pytest.mark.bed
@pytest.mark.parametrize("what", ["rewind", "create", "delete", "one of two"])
def test_the_refs_are_as_they_were(
    world: World, git_bed: GitHttp, commits: tuple[str, str], what: str
) -> None:
    first, second = commits
    updates: dict[str, list[Update]] = {
        "rewind": [("refs/heads/main", second, first)],
        "create": [("refs/heads/new", ZERO, first)],
        "delete": [("refs/heads/old", first, ZERO)],
        # The server takes the first and rejects the second, whose old commit is not the ref's.
        "one of two": [("refs/heads/old", first, second), ("refs/heads/main", first, second)],
    }
    before = git_bed.refs()
    entry = world.call(push(*updates[what]))
    assert (entry.state, entry.fidelity) == (State.APPLIED, Fidelity.EXACT)
    assert git_bed.refs() != before
    assert world.undo(entry).state is State.UNDONE
    assert git_bed.refs() == before


@pytest.mark.bed
def test_a_push_that_was_rejected_whole_is_nothing_to_undo(
    world: World, commits: tuple[str, str]
) -> None:
    first, second = commits
    entry = world.call(push(("refs/heads/main", first, second)))
    assert entry.inverse is None


@pytest.mark.bed
def test_a_branch_that_moved_on_is_left_where_it_is(
    world: World, git_bed: GitHttp, commits: tuple[str, str]
) -> None:
    first, second = commits
    entry = world.call(push(("refs/heads/new", ZERO, first)))
    world.answer(push(("refs/heads/new", first, second)))
    assert world.undo(entry).state is State.CONFLICT
    assert git_bed.refs()["refs/heads/new"] == second

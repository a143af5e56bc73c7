"""P4 for git: real git pushes through the gateway; what the server's refs are is the judge."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.beds.git_http import GitHttp
from tests.beds.server import clean_env
from tests.behaviour.world import GIT, World

pytestmark = pytest.mark.bed


class Work:
    """A clone of the agent's own; `push` goes through the gateway, `person` straight to the bed."""

    def __init__(self, at: Path, world: World, bed: GitHttp) -> None:
        self.at, self.world, self.bed = at, world, bed
        self.git("init", "-q", "-b", "main")
        self.one, self.two, self.three = (self._commit(name) for name in ("one", "two", "three"))

    def git(self, *words: str, proxy: bool = False, fails: bool = False) -> str:
        env = clean_env(GIT_CONFIG_NOSYSTEM="1", GIT_TERMINAL_PROMPT="0")
        if proxy:
            env["http_proxy"] = f"http://{self.world.proxy[0]}:{self.world.proxy[1]}"
        done = subprocess.run(
            ["git", *words], cwd=self.at, env=env, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip
        assert fails is (done.returncode != 0), (words, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def _commit(self, name: str) -> str:
        (self.at / name).write_text(name)
        self.git("add", name)
        self.git(
            "-c", "user.name=a", "-c", "user.email=a@example.test", "commit", "-q", "-m", name
        )  # fmt: skip
        return self.git("rev-parse", "HEAD").strip()

    def push(self, *refs: str, fails: bool = False) -> int:
        """The entry of a push through the gateway; options come first."""
        options = [word for word in refs if word.startswith("--")]
        rest = refs[len(options) :]
        self.git("push", *options, f"{GIT}/hello.git", *rest, proxy=True, fails=fails)
        return int(self.world.log()[-1]["id"][1:])

    def person(self, *refs: str) -> None:
        self.git("push", "-q", "--force", self.bed.repository(), *refs)

    @property
    def refs(self) -> dict[str, str]:
        return {name.rpartition("/")[2]: sha for name, sha in self.bed.refs().items()}


@pytest.fixture
def work(tmp_path: Path, shared: World, git_bed: GitHttp) -> Work:
    git_bed.reset()
    shared.taps["git.example.test"].clear()
    made = Work(tmp_path, shared, git_bed)
    made.person(f"{made.one}:refs/heads/main")
    return made


type Push = Callable[[Work], int]
PUSHES: dict[str, tuple[Push, dict[str, str]]] = {
    "forward": (lambda w: w.push(f"{w.two}:refs/heads/main"), {"main": "two"}),
    "new branch": (lambda w: w.push(f"{w.two}:refs/heads/side"), {"main": "one", "side": "two"}),
    "deleted branch": (lambda w: w.push(":refs/heads/main"), {}),
}


@pytest.mark.parametrize("name", PUSHES)
def test_an_undone_push_leaves_the_refs_as_they_were_and_a_redo_pushes_again(
    work: Work, name: str
) -> None:
    push, after = PUSHES[name]
    before = work.refs
    entry = push(work)
    assert work.refs == {ref: getattr(work, which) for ref, which in after.items()}
    (step,) = work.world.undo(entry)
    assert (step["outcome"], step["read_back"]) == ("undone", True), step
    assert work.refs == before
    (again,) = work.world.undo(entry)
    assert again["outcome"] == "already"
    redone = work.world.act("redo", id=entry)
    assert redone["state"] == "applied", redone
    assert work.refs == {ref: getattr(work, which) for ref, which in after.items()}


def test_a_forced_push_is_undone_to_the_commit_that_it_hid(work: Work) -> None:
    work.person(f"{work.two}:refs/heads/main")
    entry = work.push("--force", f"{work.one}:refs/heads/main")
    assert work.refs == {"main": work.one}
    (step,) = work.world.undo(entry)
    assert (step["outcome"], work.refs) == ("undone", {"main": work.two})


def test_a_push_over_which_a_person_has_pushed_is_a_conflict(work: Work) -> None:
    entry = work.push(f"{work.two}:refs/heads/main")
    work.person(f"{work.three}:refs/heads/main")
    count = len(work.world.taps["git.example.test"].writes())
    (step,) = work.world.undo(entry)
    assert (step["outcome"], work.refs) == ("conflict", {"main": work.three})
    assert len(work.world.taps["git.example.test"].writes()) == count


def test_an_undone_push_leaves_the_branch_that_a_person_pushed_beside_it(work: Work) -> None:
    entry = work.push(f"{work.two}:refs/heads/main")
    work.person(f"{work.three}:refs/heads/theirs")
    (step,) = work.world.undo(entry)
    assert step["outcome"] == "undone", step
    assert work.refs == {"main": work.one, "theirs": work.three}


@pytest.mark.parametrize("name", PUSHES)
def test_a_push_whose_answer_was_lost_is_found_by_its_oids_and_can_be_undone(
    work: Work, name: str
) -> None:
    before = work.refs
    entry, after = lost(work, name)
    assert work.refs == after != before
    assert work.world.wait_state(entry, "applied") == "applied"
    (step,) = work.world.undo(entry)
    assert (step["outcome"], work.refs) == ("undone", before), step


def lost(work: Work, name: str) -> tuple[int, dict[str, str]]:
    """A push whose answer was cut: its entry, and the refs that it leaves."""
    words = {
        "forward": f"{work.two}:refs/heads/main",
        "new branch": f"{work.two}:refs/heads/side",
        "deleted branch": ":refs/heads/main",
    }
    work.world.taps["git.example.test"].fail(cut=0)
    after = {ref: getattr(work, which) for ref, which in PUSHES[name][1].items()}
    return work.push(words[name], fails=True), after


def test_a_lost_push_of_which_the_server_took_a_part_waits_for_a_person(work: Work) -> None:
    work.person(f"{work.two}:refs/heads/main")
    work.person(f"{work.one}:refs/heads/old")
    # The second is of a commit that `old` is not at when it arrives: the server rejects it alone.
    work.git("fetch", "-q", work.bed.repository(), "refs/heads/*:refs/theirs/*")
    fault = work.world.taps["git.example.test"].fail(before=1.0, cut=0)
    pushing = threading.Thread(
        target=work.push,
        args=(f"{work.three}:refs/heads/main", f"{work.two}:refs/heads/old"),
        kwargs={"fails": True},
    )
    pushing.start()
    assert fault.hit.wait(10)
    work.person(f"{work.three}:refs/heads/old")
    pushing.join(30)
    entry = int(work.world.log()[-1]["id"][1:])
    assert work.refs == {"main": work.three, "old": work.three}
    assert work.world.wait_state(entry, "applied", "failed", seconds=3) == "in_doubt"
    (early,) = work.world.undo(entry)
    assert early["outcome"] == "in_doubt"
    assert work.world.act("resolve", id=entry, applied=True)["state"] == "applied"
    # Whose the refs are now cannot be told: nothing is sent, and it is said why.
    (step,) = work.world.undo(entry)
    assert (step["outcome"], bool(step["reason"])) == ("failed", True), step


def test_a_lost_push_over_which_a_person_has_pushed_waits_for_a_person(work: Work) -> None:
    fault = work.world.taps["git.example.test"].fail(delay=1.0, cut=0)
    pushing = threading.Thread(
        target=work.push, args=(f"{work.two}:refs/heads/main",), kwargs={"fails": True}
    )
    pushing.start()
    assert fault.done.wait(10)
    work.person(f"{work.three}:refs/heads/main")
    pushing.join(30)
    entry = int(work.world.log()[-1]["id"][1:])
    assert work.world.wait_state(entry, "applied", "failed", seconds=3) == "in_doubt"
    assert work.refs == {"main": work.three}

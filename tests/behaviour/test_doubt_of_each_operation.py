"""P6, operation by operation: the answer of each shipped one is cut, after the service acted and
before. What `goex reverser list` says of a doubt about it must be so on its bed."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from goex_proxy.core.evidence import Settles, settles
from goex_proxy.files.reverser_file import load
from tests.beds.emulate import Emulate
from tests.beds.webdav import WebDav
from tests.behaviour import cases_github, cases_github_code, cases_slack, cases_webdav
from tests.behaviour.case import Case, Scene
from tests.behaviour.cases_github import calls, issue, reads
from tests.behaviour.tap import Loop
from tests.behaviour.world import World

pytestmark = pytest.mark.bed
SHIPPED = Path(__file__).parents[2] / "reversers"
TIMEOUT = 2.0
MERGE = Case(
    operation="pulls/merge",
    arrange=cases_github_code.pull,
    call=calls("PUT", "/pulls/{p}/merge", {"merge_method": "merge"}),
    read=reads("/pulls/{p}", "merged", "state"),
)
REOPEN = Case(
    operation="issues/update",
    variant="reopen with a word",
    arrange=cases_github.both(
        issue(), cases_github.direct("PATCH", "/issues/{n}", {"state": "closed"})
    ),
    call=calls("PATCH", "/issues/{n}", {"state": "open", "body": "theirs"}),
    read=reads("/issues/{n}", "state", "body", "state_reason"),
)
BEDS = {
    "github": [*cases_github.CASES, *cases_github_code.CASES, MERGE, REOPEN],
    "slack": cases_slack.CASES,
    "webdav": cases_webdav.CASES,
}
HOSTS = {"github": "api.github.com", "slack": "slack.com", "webdav": "dav.example.test"}
CASES = [(service, case) for service, cases in BEDS.items() for case in cases]
NAMED = pytest.mark.parametrize(
    ("service", "case"), CASES, ids=[f"{service}.{case.id}" for service, case in CASES]
)


def said(service: str) -> dict[str, Settles]:
    hosts = {"webdav": ("dav.example.test",)}
    loaded = load((SHIPPED / f"{service}.yaml").read_text(), service, hosts)
    return {made.name: settles(made) for one in loaded for made in one.operations}


SAID = {service: said(service) for service in BEDS}
UNTOLD = {"move:folder": "what was in it would have to be compared"}
"""Cases of which nothing tells that they were applied, though of others of their operation it does."""
NOT_UNDONE = {
    "mkcol": "that nobody else made it cannot be told",
    "put:new": "nor that it replaced nothing of somebody else's",
    "copy:new": "nor that it replaced nothing of somebody else's",
    "issues/delete-label": "nor who took it off which issues",
    "pulls/merge": "nothing undoes it",
}
"""Cases found applied for which no inverse is made."""


@pytest.fixture(scope="module")
def quick(
    tmp_path_factory: pytest.TempPathFactory,
    tap_loop: Loop,
    github_bed: Emulate,
    slack_bed: Emulate,
    webdav_bed: WebDav,
) -> Iterator[World]:
    """A world in which a late arrival is soon out of the question."""
    beds: dict[str, Any] = {"github": github_bed, "slack": slack_bed, "webdav": webdav_bed}
    world = World(
        tmp_path_factory.mktemp("quick"),
        tap_loop,
        {HOSTS[name]: bed.server.port for name, bed in beds.items()},
        secrets={HOSTS["github"]: github_bed.real, HOSTS["slack"]: slack_bed.real},
        principals={
            HOSTS["github"]: "octocat",
            HOSTS["slack"]: slack_bed.form("/api/auth.test").json["user_id"],
        },
        limits=f"hold_wait: 0.2s, upstream_timeout: {TIMEOUT}s",
        services="webdav: {hosts: [dav.example.test]}",
        policy="rules: [{allow: github.pulls/merge}]",
    ).start()
    yield world
    world.close()


type Play = Callable[[str, Case], Scene]


@pytest.fixture(scope="module")
def play(
    quick: World,
    github_bed: Emulate,
    slack_bed: Emulate,
    webdav_bed: WebDav,
    fresh: Callable[[str], str],
) -> Play:
    beds: dict[str, Any] = {"github": github_bed, "slack": slack_bed, "webdav": webdav_bed}

    def scene(service: str, case: Case) -> Scene:
        made = Scene(quick, beds[service], fresh("doubt"))
        case.arrange(made)
        return made

    return scene


def lose(scene: Scene, service: str, case: Case, **fault: Any) -> int:  # noqa: ANN401 - Fault's fields
    """The call, its answer lost; its entry."""
    tap = scene.world.taps[HOSTS[service]]
    tap.clear()
    tap.fail(**fault)
    with contextlib.suppress(AssertionError):  # a case's call asserts that it was answered
        case.call(scene)
    entry = int(scene.world.log()[-1]["id"][1:])
    assert scene.world.show(entry)["operation"] == f"{service}.{case.operation}"
    assert len(tap.writes()) == 1
    return entry


@NAMED
def test_what_was_done_is_found_and_can_be_undone_or_a_person_is_asked(
    play: Play, service: str, case: Case
) -> None:
    scene = play(service, case)
    before = case.read(scene)
    entry = lose(scene, service, case, cut=0)
    told = SAID[service][case.operation] is Settles.EVIDENCE and case.id not in UNTOLD
    if not told:
        assert scene.world.wait_state(entry, "applied", "failed", seconds=1) == "in_doubt"
        return
    assert scene.world.wait_state(entry, "applied", "failed") == "applied", scene.world.show(entry)
    after = case.read(scene)
    assert after != before
    count = len(scene.world.taps[HOSTS[service]].writes())
    (step,) = scene.world.undo(entry)
    if case.id in NOT_UNDONE:
        assert (step["outcome"], bool(step["reason"])) == ("failed", True), step
        assert len(scene.world.taps[HOSTS[service]].writes()) == count
        assert case.read(scene) == after
    else:
        assert (step["outcome"], step["read_back"]) == (case.outcome, True), step
        assert case.read(scene) == before


@pytest.fixture(scope="module")
def never_arrived(quick: World, play: Play) -> dict[str, tuple[int, str]]:
    """Every case at once: its entry, and its state when nothing could arrive any more."""
    entries: dict[str, int] = {}
    for service, case in CASES:
        scene = play(service, case)
        entries[f"{service}.{case.id}"] = lose(scene, service, case, forward=False)
    time.sleep(TIMEOUT)
    quick.stop()
    quick.restart()  # at its start all doubts are looked at
    return {name: (entry, quick.state(entry)) for name, entry in entries.items()}


@NAMED
def test_what_was_not_done_is_found_or_a_person_is_asked(
    never_arrived: dict[str, tuple[int, str]], quick: World, service: str, case: Case
) -> None:
    entry, state = never_arrived[f"{service}.{case.id}"]
    told = SAID[service][case.operation] is Settles.EVIDENCE
    assert state == ("failed" if told else "in_doubt"), quick.show(entry)["reason"]


def test_what_a_person_took_back_meanwhile_is_not_said_never_to_have_happened(
    play: Play, quick: World
) -> None:
    lock = next(case for case in cases_github.CASES if case.id == "issues/lock")
    scene, tap = play("github", lock), quick.taps[HOSTS["github"]]
    tap.clear()
    fault = tap.fail(cut=0, delay=1.0)
    url = f"https://{HOSTS['github']}{cases_github.REPO}/issues/{scene['n']}/lock"
    pending = quick.begin("PUT", url, json={"lock_reason": "spam"})
    assert fault.done.wait(10)
    cases_github.bed(scene, "DELETE", f"/issues/{scene['n']}/lock")
    entry = pending.answer().entry
    time.sleep(TIMEOUT)
    quick.stop()
    quick.restart()
    assert quick.state(entry) == "in_doubt", quick.show(entry)["reason"]

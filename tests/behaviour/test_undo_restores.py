"""P4: undo restores what the call changed, and nothing else. Judged by what the bed itself holds."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.beds.emulate import Emulate
from tests.beds.webdav import WebDav
from tests.behaviour import cases_github, cases_github_code, cases_slack, cases_webdav
from tests.behaviour.case import Case, Scene
from tests.behaviour.world import World

pytestmark = pytest.mark.bed
GITHUB = [*cases_github.CASES, *cases_github_code.CASES]
CASES = [*GITHUB, *cases_slack.CASES, *cases_webdav.CASES]


@pytest.fixture
def scene(
    shared: World,
    case: Case,
    github_bed: Emulate,
    slack_bed: Emulate,
    webdav_bed: WebDav,
    fresh: Callable[[str], str],
) -> Scene:
    for tap in shared.taps.values():
        tap.clear()
    beds = (
        (github_bed, GITHUB),
        (slack_bed, cases_slack.CASES),
        (webdav_bed, cases_webdav.CASES),
    )
    return Scene(shared, next(bed for bed, cases in beds if case in cases), fresh("case"))


def written(scene: Scene) -> int:
    """How many writes have reached any bed through the gateway."""
    return sum(len(tap.writes()) for tap in scene.world.taps.values())


def of(
    cases: list[Case], wanted: Callable[[Case], object] = lambda _: True
) -> pytest.MarkDecorator:
    chosen = [case for case in cases if wanted(case)]
    return pytest.mark.parametrize("case", chosen, ids=[case.id for case in chosen])


@of(CASES)
def test_an_undo_restores_and_a_second_one_sends_nothing(scene: Scene, case: Case) -> None:
    case.arrange(scene)
    before = case.read(scene)
    entry = case.call(scene).entry
    assert scene.world.show(entry)["operation"].partition(".")[2] == case.operation
    assert case.read(scene) != before, "the call changed nothing: the case proves nothing"
    (step,) = scene.world.undo(entry)
    assert (step["outcome"], step["read_back"]) == (case.outcome, True), step
    assert case.read(scene) == before
    assert scene.world.state(entry) == case.outcome
    count = written(scene)
    (again,) = scene.world.undo(entry)
    assert again["outcome"] == "already", again
    assert written(scene) == count


@of(CASES, lambda case: case.redo)
def test_a_redo_brings_the_change_back_and_can_be_undone_again(scene: Scene, case: Case) -> None:
    case.arrange(scene)
    before = case.read(scene)
    entry = case.call(scene).entry
    changed = case.read(scene)
    scene.world.undo(entry)
    redone = scene.world.act("redo", id=entry)
    assert redone["state"] == "applied", redone
    assert case.read(scene) == changed
    (step,) = scene.world.undo(int(redone["entry"][1:]))
    assert step["outcome"] == case.outcome, step
    assert case.read(scene) == before


@of(CASES, lambda case: case.conflict)
def test_an_undo_over_somebody_elses_change_is_a_conflict_and_sends_nothing(
    scene: Scene, case: Case
) -> None:
    case.arrange(scene)
    entry = case.call(scene).entry
    assert case.conflict is not None
    case.conflict(scene)
    theirs, count = case.read(scene), written(scene)
    (plan,) = scene.world.act("plan", ids=[entry])["steps"]
    (step,) = scene.world.undo(entry)
    assert (plan["outcome"], step["outcome"]) == ("conflict", "conflict"), step
    assert step["reason"]
    assert written(scene) == count
    assert case.read(scene) == theirs
    assert scene.world.state(entry) == "conflict"


@of(CASES, lambda case: case.beside)
def test_an_undo_leaves_what_a_person_changed_beside_it(scene: Scene, case: Case) -> None:
    case.arrange(scene)
    entry = case.call(scene).entry
    assert case.beside is not None
    case.beside(scene)
    (step,) = scene.world.undo(entry)
    assert step["outcome"] == case.outcome, step
    assert case.survives(scene)

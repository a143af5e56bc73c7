"""A rule on how much a session has written holds after a restart, and against a burst."""

from __future__ import annotations

import pytest

from tests.behaviour.conftest import Make
from tests.behaviour.world import GITHUB, World

pytestmark = pytest.mark.bed
URL = f"{GITHUB}/repos/octocat/priv/issues"
POLICY = """
rules:
  - deny: github.*
    if: [kind != 'read', session.writes >= 3]
    reason: three are enough
"""


def create(world: World) -> int:
    return world.call("POST", URL, json={"title": "one more"}).status


def test_what_a_session_wrote_is_not_forgotten_by_a_restart(make: Make) -> None:
    world = make(policy=POLICY)
    assert [create(world) for _ in range(2)] == [201, 201]
    world.stop()
    world.restart()
    assert [create(world) for _ in range(2)] == [201, 403]


def test_a_burst_does_not_get_past_a_limit(make: Make) -> None:
    world = make(policy=POLICY)
    world.taps["api.github.com"].fail(before=1.0, times=9)
    burst = [world.begin("POST", URL, json={"title": f"burst {n}"}) for n in range(8)]
    answers = sorted(pending.answer().status for pending in burst)
    assert answers == [201] * 3 + [403] * 5
    assert len(world.taps["api.github.com"].writes()) == 3


def test_what_was_refused_or_could_not_be_sent_takes_no_place(make: Make) -> None:
    world = make(policy=POLICY)
    bad = world.call("POST", URL, body=b'{"title":"a","title":"b"}')
    assert bad.status == 403, bad.body
    assert [create(world) for _ in range(4)] == [201, 201, 201, 403]

"""P3, P4, P6 when the gateway is killed at any moment: the journal claims what happened, no more.

Each round: agents and a person at work, SIGKILL after a random time, a new gateway on the same
home, and the journal held against what came to the beds and what they hold.
"""

from __future__ import annotations

import os
import random
import time
from typing import Any

import pytest

from tests.beds.emulate import Emulate
from tests.beds.webdav import WebDav
from tests.behaviour.conftest import Make
from tests.behaviour.life import POLICY, TOLD_BY_EVIDENCE, Deed, Life
from tests.behaviour.world import GITHUB, World

pytestmark = pytest.mark.bed
SEED = int(os.environ.get("GOEX_SEED", "1"))
UNSENT = {"refused", "abandoned", "held"}


def slow(world: World) -> None:
    """Widen what is short: a write is 15 ms on its way there, and 15 ms on its way back."""
    for tap in world.taps.values():
        tap.clear()
        tap.fail(before=0.015, delay=0.015, times=10**9)


def rows_since(world: World, last: int) -> list[dict[str, Any]]:
    """The log after an entry, each row with what its request's body says."""
    rows = [row for row in world.log() if int(row["id"][1:]) > last]
    for row in rows:
        sent = world.show(int(row["id"][1:]))["request"]["body"]
        row["body"] = str((sent or {}).get("data", ""))
    return rows


def entries_of(log: list[dict[str, Any]], deed: Deed) -> list[dict[str, Any]]:
    """The entries of a deed, its undo's not among them."""
    return [
        row
        for row in log
        if "undo_of" not in row and (deed.name in row["url"] or deed.name in row["body"])
    ]


def judge(life: Life, deed: Deed, log: list[dict[str, Any]]) -> str:
    """What is wrong with what the journal says of a deed; '' if nothing is."""
    entries, sent = entries_of(log, deed), len(life.sent(deed))
    if sent > 1:
        return f"was sent {sent} times"
    if not entries:
        return "reached its service without an entry" if sent else ""
    if len(entries) > 1:
        return f"has {len(entries)} entries"
    (entry,) = entries
    state, happened = str(entry["state"]), life.happened(deed)
    if state in UNSENT and sent:
        return f"is {state}, and was sent"
    if state == "applied" and not happened:
        return "is applied, and did not happen"
    if state in {"undone", "compensated", "failed"} and happened:
        return f"is {state}, and is there"
    if state == "in_doubt" and happened and deed.kind in TOLD_BY_EVIDENCE:
        return "is in doubt, though the service shows it"
    if deed.approve and state in {"held", "pending"}:
        return f"was approved, and is {state}"
    if state == "undoing":
        steps = [row for row in log if row.get("undo_of") == entry["id"]]
        return (
            "" if steps and steps[-1]["state"] == "in_doubt" else "is undoing, and nobody goes on"
        )
    # The bed gives the number of a deleted milestone to the next one, so that the undo of the
    # first reads back the other's: then it is `stuck`, which claims nothing and asks a person.
    reused = state == "stuck" and deed.kind == "milestone"
    return f"is {state}" if state in {"pending", "conflict", "stuck"} and not reused else ""


def a_round(life: Life, dice: random.Random) -> None:
    slow(life.world)
    threads = life.live()
    time.sleep(dice.uniform(0.05, 1.2))
    life.world.kill()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    life.world.restart()


@pytest.mark.timeout(300)
def test_after_a_death_at_any_moment_the_journal_says_what_happened_and_no_more(
    make: Make, github_bed: Emulate, webdav_bed: WebDav
) -> None:
    live_and_die(make(policy=POLICY), github_bed, webdav_bed, rounds=20)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_after_very_many_deaths_the_journal_still_says_what_happened(
    make: Make, github_bed: Emulate, webdav_bed: WebDav
) -> None:
    rounds = int(os.environ.get("GOEX_SOAK_ROUNDS", "40"))
    live_and_die(make(policy=POLICY), github_bed, webdav_bed, rounds=rounds, first=500_000)


def live_and_die(
    world: World, github_bed: Emulate, webdav_bed: WebDav, *, rounds: int, first: int = 0
) -> None:
    dice = random.Random(SEED)
    seen = last = 0
    for number in range(rounds):
        life = Life(world, github_bed, webdav_bed, first + SEED * 10000 + number)
        a_round(life, dice)
        log = rows_since(world, last)
        last = int(log[-1]["id"][1:]) if log else last
        wrong = {deed.name: said for deed in life.deeds if (said := judge(life, deed, log))}
        assert not wrong, (
            number,
            wrong,
            [
                tuple(r.get(k) for k in ("id", "operation", "state", "status", "reason", "undo_of"))
                for r in log
                if r["state"] not in {"applied", "undone"} or r.get("undo_of")
            ],
        )
        assert world.verify().sound, world.verify().defects
        seen += len(life.deeds)
    assert seen > rounds * 5, f"only {seen} deeds: the rounds were too short to prove anything"


@pytest.mark.timeout(170)
def test_an_undo_of_many_steps_goes_on_after_a_death_at_any_of_them(
    make: Make, github_bed: Emulate
) -> None:
    world = make(limits="upstream_timeout: 1s")
    dice = random.Random(SEED)
    for number in range(5):
        was = [f"was-{number}-{n}" for n in range(3)]
        made = github_bed.ask(
            "POST", "/repos/octocat/hello/issues", {"title": "steps", "labels": [*was, "stays"]}
        )
        path = f"/repos/octocat/hello/issues/{made.json['number']}"
        new = {"labels": [*(f"new-{number}-{n}" for n in range(3)), "stays"]}
        entry = world.call("PUT", f"{GITHUB}{path}/labels", json=new).entry
        slow(world)
        life = Life(world, github_bed, None, number)  # type: ignore[arg-type]
        undoing = life.undo(entry)
        time.sleep(dice.uniform(0.02, 0.4))
        world.kill()
        undoing.join(10)
        world.restart()
        # A step that never arrived is known to have failed after a second; then it is for a
        # person to undo again. So it is where the death came before the undo was on record.
        state = world.wait_state(entry, "undone", "applied", "stuck", seconds=15)
        if state != "undone":
            (step,) = world.undo(entry)
            assert step["outcome"] == "undone", (state, step)
        names = sorted(one["name"] for one in github_bed.get(path)["labels"])
        assert names == sorted([*was, "stays"])

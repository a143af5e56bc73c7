"""P3 when the journal's files are damaged: no change is sent, reads go on, and it is said."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from goex_proxy.home import Home
from goex_proxy.stores.journal import Journal
from tests.behaviour.agent import Answer
from tests.behaviour.ground import Ground, Holding, Standing, Witness, stored
from tests.behaviour.tap import Loop

HOST = "api.example"
ALLOW = "rules:\n  - allow: '*'\n"
FILES = ["journal.db", "journal.db-wal"]


@pytest.fixture
def service(tap_loop: Loop) -> Iterator[Witness]:
    made = Witness(tap_loop)
    yield made
    made.close()


type Make = Callable[[], Standing]


@pytest.fixture
def make(tmp_path: Path, tap_loop: Loop, service: Witness) -> Iterator[Make]:
    made: list[Standing] = []

    def one() -> Standing:
        holding = Holding(name="mine", source=stored("a-secret-of-this-file-1"), host=HOST)
        ground = Ground(
            tmp_path / f"w{len(made)}", tap_loop, {HOST: service.url}, policy=ALLOW, holdings=[holding]
        )  # fmt: skip
        made.append(ground.open())
        made[-1].start()
        return made[-1]

    yield one
    for world in made:
        world.close()


def change(world: Standing, number: int) -> Answer:
    body = {"n": number, "pad": "x" * 500}
    return world.call("POST", f"https://{HOST}/x", headers=world.bearer("mine"), json=body)


def read(world: Standing) -> Answer:
    return world.call("GET", f"https://{HOST}/x", headers=world.bearer("mine"))


def in_file(home: Home) -> None:
    """Bring the log into the file, as a gateway does when it ends."""
    with closing(Journal(home.path)) as journal:
        journal._checkpoint()


@pytest.mark.parametrize("name", FILES)
def test_a_journal_that_is_cut_while_a_gateway_runs_refuses_changes_and_lets_reads_through(
    make: Make, service: Witness, name: str
) -> None:
    world = make()
    for number in range(20):
        assert change(world, number).status == 200
    file = world.home.path / name
    os.truncate(file, file.stat().st_size // 2)
    service.clear()
    for number in range(20, 23):
        answer = change(world, number)
        assert (answer.status, answer.goex["outcome"]) == (403, "unavailable"), answer
        assert "journal" in answer.goex["reason"]
    assert b"POST" not in service.raw
    assert read(world).status == 200


def test_no_gateway_starts_on_a_journal_that_was_cut_and_it_says_why(make: Make) -> None:
    world = make()
    for number in range(30):
        assert change(world, number).status == 200
    world.stop()
    in_file(world.home)
    file = world.home.path / "journal.db"
    whole = file.read_bytes()
    for _ in range(4):
        file.write_bytes(whole[: random.randrange(1, len(whole))])
        code, said = world.refused_to_start()
        assert code == 1, said
        assert "journal.db" in said
        assert "restore a copy" in said
    file.write_bytes(whole)
    world.start()
    assert change(world, 99).status == 200


def test_a_log_that_lost_its_end_leaves_a_sound_journal_of_what_came_before(make: Make) -> None:
    world = make()
    for number in range(20):
        assert change(world, number).status == 200
    world.kill()
    log = world.home.path / "journal.db-wal"
    os.truncate(log, random.randrange(log.stat().st_size // 2, log.stat().st_size))
    world.restart()
    assert change(world, 99).status == 200
    assert world.verify().sound

"""Worlds for the tests of promises: a real gateway process before real beds."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.beds.emulate import Emulate
from tests.beds.git_http import GitHttp
from tests.beds.webdav import WebDav
from tests.behaviour import tap
from tests.behaviour.world import World

type Make = Callable[..., World]
"""Makes and starts a world of the test's own; it is ended with the test."""


@pytest.fixture(scope="session")
def tap_loop() -> Iterator[tap.Loop]:
    with tap.loop() as made:
        yield made


@pytest.fixture
def beds(github_bed: Emulate, webdav_bed: WebDav) -> dict[str, Any]:
    """What a world of GitHub and WebDAV needs."""
    return {
        "beds": {
            "api.github.com": github_bed.server.port,
            "dav.example.test": webdav_bed.server.port,
        },
        "secrets": {"api.github.com": github_bed.real},
    }


@pytest.fixture
def make(tmp_path: Path, tap_loop: tap.Loop, beds: dict[str, Any]) -> Iterator[Make]:
    made: list[World] = []

    def one(*, started: bool = True, **how: Any) -> World:  # noqa: ANN401 - what World takes
        world = World(tmp_path / f"w{len(made)}", tap_loop, **{**beds, **how})
        made.append(world)
        return world.start() if started else world

    yield one
    for world in made:
        world.close()


@pytest.fixture(scope="module")
def shared(
    tmp_path_factory: pytest.TempPathFactory,
    tap_loop: tap.Loop,
    github_bed: Emulate,
    slack_bed: Emulate,
    webdav_bed: WebDav,
    git_bed: GitHttp,
) -> Iterator[World]:
    """One world of all four services for the tests of a file."""
    world = World(
        tmp_path_factory.mktemp("world"),
        tap_loop,
        {
            "api.github.com": github_bed.server.port,
            "slack.com": slack_bed.server.port,
            "dav.example.test": webdav_bed.server.port,
            "git.example.test": git_bed.server.port,
        },
        secrets={"api.github.com": github_bed.real, "slack.com": slack_bed.real},
        principals={
            "api.github.com": "octocat",
            "slack.com": slack_bed.form("/api/auth.test").json["user_id"],
        },
    ).start()
    yield world
    world.close()


@pytest.fixture(scope="session")
def fresh() -> Callable[[str], str]:
    """Names that no other test uses."""
    numbers = itertools.count(1)
    return lambda stem: f"{stem}-{next(numbers)}"

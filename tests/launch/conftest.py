"""Views by each engine that is here, seen by root and by a user without privileges."""

import os
from collections.abc import Iterator

import pytest

from goex_proxy.launch.view import NATIVE
from tests.launch.world import NOBODY, World, engine_path, make_world

CASES = [(engine, who) for engine in (NATIVE, "bwrap") for who in ("self", "nobody")]


@pytest.fixture(scope="session")
def tried() -> dict[str, str]:
    """What was said when a view was first tried, by case; empty for a view that stood."""
    return {}


@pytest.fixture(params=CASES, ids=[f"{engine}-{who}" for engine, who in CASES])
def world(request: pytest.FixtureRequest, tried: dict[str, str]) -> Iterator[World]:
    name, who = request.param
    engine = engine_path(name)
    if engine is None:
        pytest.skip("bubblewrap is not installed; without it the native engine is what counts")
    if who == "nobody" and os.getuid() != 0:
        pytest.skip("only root can become another user; `self` is a user without privileges")
    with make_world(engine, NOBODY if who == "nobody" else None) as made:
        case = f"{who} by {name}"
        if case not in tried:
            done = made.run("true")
            tried[case] = done.stderr.strip()[-300:] if done.returncode else ""
        if tried[case]:
            reason = f"no view for {case} here: {tried[case]}"
            if os.environ.get("CI") == "true":
                pytest.fail(reason)
            pytest.skip(reason)
        yield made

"""P4, P6 by a clock that jumps: a window is not over for good because a clock said so once."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from goex_proxy.engine import ledger
from tests.beds.webdav import WebDav
from tests.behaviour.conftest import Make
from tests.behaviour.world import DAV, World, in_this_process

pytestmark = pytest.mark.bed
DAY = timedelta(days=1)


def changed(make: Make, webdav_bed: WebDav, name: str) -> tuple[World, int]:
    """A file that an agent wrote over; its gateway has ended."""
    webdav_bed.ask("PUT", f"/{name}", b"as it was")
    world = make()
    entry = world.call("PUT", f"{DAV}/{name}", body=b"theirs").entry
    world.stop()
    return world, entry


def undo(world: World, entry: int) -> tuple[str, str]:
    made = in_this_process(world, "undo", ids=[entry], cascade=False, force=False)
    (step,) = made["steps"]
    return str(step["outcome"]), str(step["reason"])


def set_clock(monkeypatch: pytest.MonkeyPatch, ahead: timedelta, surely: timedelta) -> None:
    """The wall clock is ahead by so much, and the monotonic clock has run by so much."""
    wall = (datetime.now(UTC) + ahead).isoformat(timespec="microseconds")[:26] + "Z"
    mono = time.monotonic_ns() + int(surely.total_seconds() * 1e9)
    monkeypatch.setattr(ledger, "_now", lambda: wall)
    monkeypatch.setattr(time, "monotonic_ns", lambda: mono)


@pytest.mark.parametrize("days", [1, -1, -30])
def test_a_clock_that_jumps_within_the_window_changes_nothing(
    make: Make,
    webdav_bed: WebDav,
    fresh: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
    days: int,
) -> None:
    name = fresh("clock")
    world, entry = changed(make, webdav_bed, name)
    set_clock(monkeypatch, days * DAY, timedelta())
    assert undo(world, entry)[0] == "undone"
    assert webdav_bed.ask("GET", f"/{name}").body == b"as it was"


def test_a_clock_that_jumps_over_the_window_refuses_for_as_long_as_it_is_wrong(
    make: Make, webdav_bed: WebDav, fresh: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = fresh("clock")
    world, entry = changed(make, webdav_bed, name)
    set_clock(monkeypatch, 8 * DAY, timedelta(minutes=5))
    outcome, reason = undo(world, entry)
    assert (outcome, "window is over" in reason) == ("refused", True)
    assert world.state(entry) == "applied", "a clock that is put right must find it undoable"
    assert webdav_bed.ask("GET", f"/{name}").body == b"theirs"
    monkeypatch.undo()
    assert undo(world, entry)[0] == "undone"
    assert webdav_bed.ask("GET", f"/{name}").body == b"as it was"


def test_a_window_that_has_passed_by_both_clocks_is_over_for_good(
    make: Make, webdav_bed: WebDav, fresh: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = fresh("clock")
    world, entry = changed(make, webdav_bed, name)
    set_clock(monkeypatch, 8 * DAY, 7 * DAY + timedelta(seconds=1))
    assert undo(world, entry)[0] == "refused"
    assert world.state(entry) == "expired"
    monkeypatch.undo()
    assert undo(world, entry)[0] == "refused"
    assert webdav_bed.ask("GET", f"/{name}").body == b"theirs"

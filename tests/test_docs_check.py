"""Pages are generated from the code; a stale page and a missing command group are said so."""

from pathlib import Path

import click
import pytest

from goex_proxy.core.event import Event
from goex_proxy.core.journal import TRANSITIONS
from goex_proxy.core.refusal import Told
from goex_proxy.core.state import State
from scripts import docs_check


def group() -> click.Group:
    @click.group()
    def cli() -> None:
        """Undo for agents."""

    @cli.command()
    @click.option("--follow", is_flag=True, help="Wait for more.")
    def log(follow: bool) -> None:
        """What was changed."""

    return cli


def test_every_command_has_its_section() -> None:
    page = docs_check.page(group())
    assert page.startswith("# Command line")
    assert "## goex-proxy log\n" in page
    assert "--follow  Wait for more." in page


def test_a_stale_page_is_told_by_its_difference(tmp_path: Path) -> None:
    page = docs_check.page(group())
    there = tmp_path / "cli.md"
    assert "+## goex-proxy log\n" in docs_check.difference(page, there)
    there.write_text(page)
    assert docs_check.difference(page, there) == ""


def test_a_missing_command_group_fails_with_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(docs_check, "COMMANDS", "goex_proxy.cli.nowhere:cli")
    assert docs_check.main([]) == 1
    assert "goex_proxy.cli.nowhere:cli is not a click command" in capsys.readouterr().err


def test_every_state_every_event_and_every_outcome_is_in_the_page_of_states() -> None:
    page = docs_check.states()
    events: set[type[Event]] = {event for row in TRANSITIONS.values() for event in row}
    reached = {to for row in TRANSITIONS.values() for to in row.values()}
    assert len(events) > 15
    assert reached >= set(State) - {State.NEW}, "every state is reached by an event"
    for state in reached:
        assert f"--> {state}:" in page
    for event in events:
        assert f": {event.__name__}\n" in page
    for told in Told:
        assert f"| `{told}` | " in page
    assert page.count("```") == 2


def test_each_page_that_is_stale_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(docs_check, "DOCS", tmp_path)
    assert docs_check.main(["--write"]) == 0
    assert docs_check.main([]) == 0
    (tmp_path / "states.md").write_text("# States\n")
    assert docs_check.main([]) == 1
    said = capsys.readouterr().err
    assert "docs/states.md is stale" in said
    assert "docs/cli.md" not in said

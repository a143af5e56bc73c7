"""docs/cli.md is generated from the commands; a stale page and a missing group are said so."""

from pathlib import Path

import click
import pytest

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

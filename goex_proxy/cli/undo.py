"""`goex undo`: the plan first, then a question, then the run."""

import json
import sys
from collections.abc import Mapping
from typing import Any

import click

from goex_proxy.cli.control import Args, Result, act
from goex_proxy.cli.failure import CONFLICT, FAILED, IN_DOUBT, REFUSED, USAGE, complain, worst
from goex_proxy.cli.given import json_option, made_home, person, selection, selection_options
from goex_proxy.cli.render import painted, plain, talk

CODES: Mapping[str, int] = {
    "failed": FAILED,
    "refused": REFUSED,
    "conflict": CONFLICT,
    "in_doubt": IN_DOUBT,
}
"""By outcome; those not named here are 0."""


@click.command(short_help="Take changes back: the plan, a question, the run")
@selection_options
@click.option("--dry-run", is_flag=True, help="Print the plan, and do nothing.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--cascade", is_flag=True, help="Also undo what hangs on these entries.")
@click.option("--force", is_flag=True, help="Also where something else changed meanwhile.")
@json_option
def undo(
    *,
    ids: tuple[int, ...],
    session: str | None,
    since: str | None,
    last: int | None,
    dry_run: bool,
    yes: bool,
    cascade: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Take changes back. Without arguments: those of the last session.

    Prints the plan, with what it cannot restore, and asks. Where something changed since, it
    is a conflict and nothing is sent. The result is read back. Without a terminal and --yes:
    the plan, exit 2.
    """
    home = made_home()
    how: Args = {"cascade": cascade, "force": force}
    plan = act(home, "plan", selection(ids, session, since, last) | how)
    steps = _steps(plan)
    todo = [step for step in steps if step["outcome"] == "todo"]
    # A conflict goes along where nobody is asked: its entry says so then, alone or among others.
    if force or yes:
        todo += [step for step in steps if step["outcome"] == "conflict"]
    asking = not yes and not dry_run and bool(todo) and _has_terminal()
    _show(plan, as_json=as_json and not asking and not (yes and todo), to_stderr=as_json)
    if not force:
        _say_what_next(steps)
    if dry_run or not todo:
        _leave(steps)
    if not yes and not asking:
        complain("nothing was undone: there is no terminal to ask on", "add --yes, or --dry-run")
        click.get_current_context().exit(USAGE)
    if asking and not _confirmed(todo):
        talk("nothing was undone")
        click.get_current_context().exit(FAILED)
    # The entries that were shown, and no others that have come since.
    chosen: Args = {"ids": [_number(step) for step in steps], "by": person()}
    try:
        run = act(home, "undo", chosen | how)
    except KeyboardInterrupt:
        talk("\nno further entry is undone; the one it was at may still be: see goex log")
        raise
    _tell(run, as_json=as_json)
    _leave(_steps(run))


def _confirmed(todo: list[dict[str, Any]]) -> bool:
    """Ask. Raises click.Abort at Ctrl-C and at the end of input, which are no answer."""
    try:
        return click.confirm(f"undo {_count(todo)}?", err=True)
    except click.Abort:
        talk("\nnothing was undone")
        raise


def _has_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _steps(run: Result) -> list[dict[str, Any]]:
    steps = run["steps"]
    return [step for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []


def _number(step: Mapping[str, Any]) -> int:
    return int(str(step["entry"]).removeprefix("e"))


def _count(steps: list[dict[str, Any]]) -> str:
    return "1 entry" if len(steps) == 1 else f"{len(steps)} entries"


def _leave(steps: list[dict[str, Any]]) -> None:
    code = worst([CODES.get(str(step["outcome"]), 0) for step in steps])
    click.get_current_context().exit(code)


def _show(plan: Result, *, as_json: bool, to_stderr: bool) -> None:
    if as_json:
        click.echo(json.dumps(plan, ensure_ascii=False))
        return
    steps = _steps(plan)
    if not steps:
        talk("there is nothing to undo")
    for step in steps:
        for line in _planned(step):
            click.echo(line, err=to_stderr)


def _planned(step: Mapping[str, Any]) -> list[str]:
    outcome = str(step["outcome"])
    head = f"{click.style(step['entry'], bold=True)}  {plain(step['operation'])}"
    if outcome == "conflict":
        sent = [f"    --force sends: {plain(request)}" for request in step["requests"]]
        return [f"{head}  {painted(outcome)}: {plain(step['reason'])}", *sent]
    if outcome != "todo":
        return [f"{head}  {painted(outcome)}: {plain(step['reason'])}"]
    guard = "guarded" if step["guarded"] else "unguarded"
    out = [f"{head}  {step['fidelity']}, {guard}"]
    out += [f"    {plain(request)}" for request in step["requests"]]
    if step["reason"]:
        out.append(f"    {plain(step['reason'])}")
    if step["residue"]:
        out.append(f"    stays: {plain(', '.join(step['residue']))}")
    return out


def _say_what_next(steps: list[dict[str, Any]]) -> None:
    names = [str(step["entry"]) for step in steps if step["outcome"] == "conflict"]
    if names:
        talk(f"hint: what it left: goex diff {names[0]}; over what is there now: --force")


def _tell(run: Result, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(run, ensure_ascii=False))
        return
    for step in _steps(run):
        line = f"{step['entry']}  {painted(str(step['outcome']))}"
        if step["read_back"]:
            line += ", read back"
        if step["reason"]:
            line += f": {plain(step['reason'])}"
        if step["residue"] and step["outcome"] in ("undone", "compensated"):
            line += f"  (stays: {plain(', '.join(step['residue']))})"
        click.echo(line)

"""What became of an entry after a person decided on it: a line, or JSON, and the exit code."""

import json
from collections.abc import Iterable, Sequence

import click

from goex_proxy.cli.control import Result
from goex_proxy.cli.failure import CONFLICT, FAILED, IN_DOUBT, REFUSED, worst
from goex_proxy.cli.render import painted, plain

CODES = {
    "failed": FAILED,
    "abandoned": FAILED,
    "partial": FAILED,
    "held": REFUSED,
    "refused": REFUSED,
    "conflict": CONFLICT,
    "stuck": CONFLICT,
    "in_doubt": IN_DOUBT,
}


def tell(entries: Iterable[Result], *, as_json: bool, fine: Sequence[str] = ()) -> None:
    """Print each as it comes, so that one that fails hides no other, and leave with the worst code.

    `fine`: states that were wanted here.
    """
    states = []
    for entry in entries:
        states.append(str(entry["state"]))
        if as_json:
            click.echo(json.dumps(entry, ensure_ascii=False))
            continue
        state, status, reason = str(entry["state"]), entry.get("status"), entry.get("reason")
        line = f"{entry['entry']}  {painted(state)}  {plain(entry['operation'])}"
        line += f"  {status}" if status is not None else ""
        click.echo(line + (f": {plain(reason)}" if reason else ""))
    code = worst([CODES.get(state, 0) for state in states if state not in fine])
    click.get_current_context().exit(code)

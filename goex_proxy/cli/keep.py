"""`goex keep`: say that a change is wanted."""

import click

from goex_proxy.cli.control import act
from goex_proxy.cli.given import json_option, made_home, person, selection, selection_options


@click.command(short_help="Say that changes are wanted: undo leaves them be")
@selection_options
@json_option
def keep(
    *,
    ids: tuple[int, ...],
    session: str | None,
    since: str | None,
    last: int | None,
    as_json: bool,
) -> None:
    """Say that changes are wanted. They can no longer be undone. (GoEx called it commit.)

    What the journal has of them, their images and inverse too, stays in it.
    """
    from goex_proxy.cli.outcome import tell

    chosen = selection(ids, session, since, last)
    if not chosen:
        raise click.UsageError("say which: ID..., --session, --since or --last")
    done = act(made_home(), "keep", chosen | {"by": person()})["entries"]
    tell(done if isinstance(done, list) else [], as_json=as_json)

"""`goex verify`: the whole journal, checked."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from goex_proxy.cli.failure import FAILED, Failure
from goex_proxy.cli.given import json_option, made_home
from goex_proxy.cli.render import plain, talk

if TYPE_CHECKING:
    from goex_proxy.stores.rows import JSON, Head, StoredEvent


@click.command(short_help="Check the whole journal")
@click.option(
    "--head",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A head noted earlier: finds a journal that was cut short.",
)
@json_option
def verify(*, head: Path | None, as_json: bool) -> None:
    """Check the whole journal: chain, payloads, and the list beside it.

    Prints its head; noted elsewhere, it proves later that nothing was cut off:
    goex verify > head, then goex verify --head head
    """
    from goex_proxy.stores.verify import verify as check

    with made_home().reader() as reader:
        found = check(reader, fold=_states, expected=_noted(head) if head else None)
    if as_json:
        fields = {
            "sound": found.sound,
            "events": found.events,
            "entries": found.entries,
            "shredded": found.shredded,
            "head": f"{found.head.seq} {found.head.hash}",
            "defects": [asdict(defect) for defect in found.defects],
        }
        click.echo(json.dumps(fields))
    else:
        for defect in found.defects:
            where = f"event {defect.seq}: " if defect.seq is not None else ""
            talk(f"{where}{plain(defect.what)}")
        if found.sound:
            click.echo(f"{found.head.seq} {found.head.hash}")
            talk(f"sound: {found.events} events of {found.entries} entries")
    if not found.sound:
        click.get_current_context().exit(FAILED)


def _noted(path: Path) -> "Head":
    from goex_proxy.stores.rows import Head

    seq, _, digest = path.read_text().strip().partition(" ")
    if not (seq.isdigit() and len(digest) == 64):
        raise Failure(f"{plain(path)} holds no head", hint="goex verify > FILE", code=2)
    return Head(seq=int(seq), hash=digest)


def _states(stored: "Sequence[StoredEvent]") -> "Mapping[str, JSON]":
    """What the list should say of an entry, by its events: its state."""
    from goex_proxy.core.entry import fold
    from goex_proxy.stores.event_codec import from_stored

    # Payloads do not decide the state, so that a shredded entry can be checked too.
    return {"state": fold(from_stored(each, lambda _: None) for each in stored).state.value}

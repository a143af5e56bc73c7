"""`goex status`: how the gateway does."""

import json
from typing import TYPE_CHECKING

import click

from goex_proxy.cli.control import asked, outdated
from goex_proxy.cli.failure import FAILED, complain
from goex_proxy.cli.given import json_option, made_home
from goex_proxy.cli.render import facts, one_line, talk

if TYPE_CHECKING:
    from goex_proxy.home import Home


@click.command(short_help="How the gateway does, and what waits")
@json_option
def status(*, as_json: bool) -> None:
    """Whether a gateway runs, where, with what; and what waits for a person.

    Exit 1 if goex.yaml, a policy or a reverser file is bad, or the vault cannot be read, or
    goex.yaml has settings that wait for the gateway to be restarted.
    """
    home = made_home()
    told = asked(home, "status")
    known = told or {"vault": _vault(home), "files": _files(home), "outdated": []}
    fields = {"home": str(home.path), "running": told is not None, **known, **_open(home)}
    _print(fields, as_json=as_json)
    if old := outdated(told):
        complain(old, "stop the gateway, and start it again", word="warning")
    if old or {fields["files"], fields["vault"]} != {"good"}:
        click.get_current_context().exit(FAILED)


def _print(fields: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(fields, ensure_ascii=False))
        return
    facts((name.replace("_", " "), _text(value)) for name, value in fields.items())
    if fields["held"]:
        talk("hint: goex held")
    elif not fields["running"]:
        talk("hint: goex serve, or goex run -- CMD")


def _files(home: "Home") -> str:
    """`good`, or what is wrong with the files that a gateway would start with."""
    from goex_proxy.engine.library import Library
    from goex_proxy.files import config
    from goex_proxy.files.issue import FileError

    try:
        Library().book(config.load(home.config))
    except FileError as error:
        return str(error)
    return "good"


def _vault(home: "Home") -> str:
    """`good`, or why a gateway could not read the vault."""
    from goex_proxy.stores.vault_key import VaultError

    try:
        home.vault().close()
    except (VaultError, OSError) as error:
        return str(error)
    return "good"


def _open(home: "Home") -> dict[str, int]:
    with home.reader() as reader:
        rows = reader.open_entries(["held", "in_doubt"])
    states = [row.columns["state"] for row in rows]
    return {state: states.count(state) for state in ("held", "in_doubt")}


def _text(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, dict):
        return "; ".join(f"{name}: {what}" for name, what in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else value

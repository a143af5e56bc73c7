"""An entry as `show` prints it for people."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from goex_proxy.cli.render import facts, heading, lines, plain

if TYPE_CHECKING:
    from goex_proxy.core.entry import Entry

_FIRST = ("state", "operation", "session", "level", "agent", "time", "credential", "auth")
_SHOWN = 4000


def page(fields: Mapping[str, Any], entry: "Entry") -> None:
    """Print it. `fields` are those of `show --json`."""
    facts([("entry", fields["id"]), *((name, fields[name]) for name in _FIRST)])
    decision = fields["decision"]
    if decision:
        facts([("effect", decision["effect"]), ("rule", decision["rule"])])
        facts([("reason", decision["reason"])])
    facts([("fidelity", fields["fidelity"]), ("residue", ", ".join(fields["residue"]))])
    facts([("undo of", fields.get("undo_of")), ("redo of", fields.get("redo_of"))])
    if entry.reason and (not decision or entry.reason != decision["reason"]):
        facts([("now", entry.reason)])
    _request("request", fields["request"])
    if fields["response"]:
        heading(f"response {fields['response']['status']}")
        _body(fields["response"]["body"])
    changes(entry)
    for request in fields["inverse"] or ():
        _request("inverse", request)
    heading("events")
    for event in fields["events"]:
        click.echo(f"{event['time']}  {event['type']:<14}{plain(event['actor'])}")


def changes(entry: "Entry") -> bool:
    """What it changed, field by field; whether its images show anything."""
    from goex_proxy.report import differences

    found = differences(entry)
    if found:
        heading("changed")
    for each in found:
        name = plain(".".join(str(p) for p in (each["resource"], each["field"]) if p))
        click.secho(name)
        if each["before"] is not None:
            click.secho(f"  - {_value(each['before'])}", fg="red")
        if each["after"] is not None:
            click.secho(f"  + {_value(each['after'])}", fg="green")
    return bool(found)


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        data = str(value["data"])
        value = data if value["encoding"] == "utf-8" else f"base64: {data}"
    text = plain(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"


def _request(title: str, request: Mapping[str, Any]) -> None:
    heading(f"{title}: {plain(request['method'])} {plain(request['url'])}")
    for name, value in request["headers"]:
        click.echo(f"  {plain(name)}: {plain(value)}")
    _body(request["body"])


def _body(body: Mapping[str, str] | None) -> None:
    if body is None:
        click.echo("  (the body was not kept)")
    elif body["encoding"] == "base64":
        click.echo(f"  ({len(body['data']) * 3 // 4} bytes, not text; --json has them)")
    elif body["data"]:
        text = body["data"]
        more = f"\n… ({len(text)} characters; --json has them all)" if len(text) > _SHOWN else ""
        click.echo("  " + lines(text[:_SHOWN] + more).replace("\n", "\n  "))

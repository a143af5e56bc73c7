"""An entry as `show` prints it for people: who, why, what changes, what undo would do."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from goex_proxy.cli.differing import Line, differing, shown
from goex_proxy.cli.render import facts, heading, lines, plain

if TYPE_CHECKING:
    from goex_proxy.core.entry import Entry
    from goex_proxy.core.image import Image

_SHOWN = 4000
_UNDO = {
    "exact": "exact: undo restores what it was",
    "equivalent": "equivalent: undo makes the like of what it was",
    "compensating": "compensating: undo makes up for it, and does not restore it",
    "none": "none: it cannot be undone",
}
_EVERY_CLIENT = frozenset(
    ("accept", "accept-encoding", "connection", "content-length", "host", "user-agent")
)
_SIGNS = {"-": "red", "+": "green"}


def page(fields: Mapping[str, Any], entry: "Entry") -> None:
    """Print it. `fields` are those of `show --json`."""
    facts(_facts(fields, entry))
    told = changes(entry)
    for request in fields["inverse"] or ():
        _request("undo sends", request)
    _request("request", fields["request"])
    if fields["response"]:
        _response(fields["response"], brief=told)
    heading("events")
    for event in fields["events"]:
        click.echo(f"{event['time']}  {event['type']:<14}{plain(event['actor'])}")


def _facts(fields: Mapping[str, Any], entry: "Entry") -> "Iterator[tuple[str, object]]":
    level = f" ({fields['level']})" if fields.get("level") else ""
    yield "entry", fields["id"]
    yield "state", fields["state"]
    yield "operation", fields["operation"]
    yield "target", f"{fields['method']} {fields['url']}"
    yield "by", f"{fields['agent']}, session {fields['session']}{level}"
    yield "time", fields["time"]
    yield "credential", fields["credential"] or f"none of ours ({fields['auth']})"
    decision = fields["decision"]
    if decision:
        yield "decision", f"{decision['effect']} by {decision['rule']}: {decision['reason']}"
    if entry.reason and (not decision or entry.reason != decision["reason"]):
        yield "now", entry.reason
    yield "fidelity", _UNDO.get(str(fields["fidelity"]), fields["fidelity"])
    yield "stays", ", ".join(fields["residue"])
    for name in ("undo_of", "undone_by", "redo_of"):
        yield name.replace("_", " "), fields.get(name)


def changes(entry: "Entry") -> bool:
    """What it changed, or would change, field by field; whether there is anything to show."""
    if entry.state.public == "held":
        wanted = list(_wanted(entry))
        _block("would change", wanted)
        _block("is there now", _untold(entry, {image.instance.use for image, _ in wanted}))
        asks = [] if wanted else _asks(entry)
        if asks:
            heading("asks for")
        for line in asks:
            click.secho(f"  + {line}", fg=_SIGNS["+"])
        return bool(wanted or asks)
    found = list(_changed(entry))
    _block("changed", found)
    _block("was there before; what it left was not read", _unread(entry))
    return bool(found)


type Told = tuple["Image", list[Line]]


def _block(title: str, found: Iterable[Told]) -> None:
    for number, (image, told) in enumerate(found):
        if number == 0:
            heading(title)
        named = ", ".join(f"{name} {value}" for name, value in image.instance.params.items())
        click.echo(plain(f"{image.instance.resource}  {named}"))
        for sign, text in told:
            click.secho(f"  {sign} {text}".rstrip(), fg=_SIGNS.get(sign))


def _changed(entry: "Entry") -> Iterator[Told]:
    from goex_proxy.core.value import ABSENT
    from goex_proxy.report import compared

    for old, new in compared(entry):
        told = list(differing(old.value if old else ABSENT, new.value))
        if told:
            yield old or new, told


def _unread(entry: "Entry") -> Iterator[Told]:
    from goex_proxy.report import unread

    for image in unread(entry):
        yield image, [(" ", line) for line in shown(image.value)]


def _wanted(entry: "Entry") -> Iterator[Told]:
    """What a held call asks for beside what is there, as far as its fields say."""
    from goex_proxy.core.value import ABSENT

    request = entry.call.request
    asked = _asked(entry)
    for image in entry.held_images or ():
        now = image.value
        if request.method == "DELETE":
            told = list(differing(now, ABSENT)) if _is_named(image, request.target) else []
        elif isinstance(now, bytes) or (now is ABSENT and request.method == "PUT"):
            # A file's content is what it is, whatever a client calls it (urllib: a form).
            is_form = "form" in request.headers.get("content-type").lower()
            told = list(differing(now, (None if is_form else asked) or request.body or b""))
        elif isinstance(now, dict) and isinstance(asked, dict):
            told = list(differing(*_beside(now, asked, whole=request.method in ("PUT", "PATCH"))))
        else:
            told = []
        if told:
            yield image, told


def _untold(entry: "Entry", told: Collection[str]) -> Iterator[Told]:
    """What a held call is about, where it cannot be said what it would make of it."""
    for image in entry.held_images or ():
        if image.present and image.instance.use not in told:
            yield image, [(" ", line) for line in shown(image.value)]


def _is_named(image: "Image", target: str) -> bool:
    """Whether a request's path ends in the very thing of an image, and not in a part of it."""
    from urllib.parse import unquote

    path = unquote(target.partition("?")[0]).rstrip("/")
    return any(path.endswith("/" + v.strip("/")) for v in image.instance.params.values())


def _beside(
    now: Mapping[str, object], asked: Mapping[str, object], *, whole: bool
) -> tuple[dict[str, object], dict[str, object]]:
    """The fields that both name. What adds to a list, or takes from it, says no more than that."""
    names = [n for n in asked if n in now and (whole or not isinstance(asked[n], list))]
    shape = {"encoding": now["encoding"]} if "encoding" in now else {}
    return {n: now[n] for n in names} | shape, {n: asked[n] for n in names} | shape


def _asked(entry: "Entry") -> object:
    """What a body says, as the gateway reads it for policies; None where that is not one thing."""
    from goex_proxy.core.decoded import BodyState
    from goex_proxy.wire.decode import decode

    request = entry.call.request
    if not request.body:
        return None
    decoded = decode(replace(request, target=request.target.partition("?")[0]))
    if decoded.state is not BodyState.PARSED:
        return None
    return dict(decoded.args) if isinstance(decoded.value, dict) else decoded.value


def _asks(entry: "Entry") -> list[str]:
    """The body of a held call by itself: by its fields if it is read so, else as it was sent."""
    body, asked = entry.call.request.body or b"", _asked(entry)
    if isinstance(asked, dict) and (told := list(shown(asked))):
        return told
    try:
        text = body[:_SHOWN].decode(errors="ignore" if len(body) > _SHOWN else "strict")
    except UnicodeDecodeError:
        return [f"({len(body)} bytes, not text)"]
    more = [f"… ({len(body)} bytes)"] if len(body) > _SHOWN else []
    return [*lines(text).split("\n"), *more] if body else []


def _request(title: str, request: Mapping[str, Any]) -> None:
    heading(f"{title}: {plain(request['method'])} {plain(request['url'])}")
    for name, value in request["headers"]:
        if name.lower() not in _EVERY_CLIENT:
            click.echo(f"  {plain(name)}: {plain(value)}")
    _body(request["body"])


def _response(response: Mapping[str, Any], *, brief: bool) -> None:
    body = response["body"]
    heading(f"response {response['status']}")
    if brief and response["status"] < 400 and body and body["data"]:
        click.echo(f"  ({len(body['data'])} characters; --json has them)")
    else:
        _body(body)


def _body(body: Mapping[str, str] | None) -> None:
    if body is None:
        click.echo("  (the body was not kept)")
    elif body["encoding"] == "base64":
        click.echo(f"  ({len(body['data']) * 3 // 4} bytes, not text; --json has them)")
    elif body["data"]:
        text = _laid_out(body["data"])
        more = f"\n… ({len(text)} characters; --json has them all)" if len(text) > _SHOWN else ""
        click.echo("  " + lines(text[:_SHOWN] + more).replace("\n", "\n  "))


def _laid_out(text: str) -> str:
    """JSON over several lines. As it is where that would not be the same (names that repeat,
    numbers that Python writes otherwise), nested without end, or no JSON."""
    from goex_proxy.core import exact

    try:
        value = exact.loads(text)
        laid_out = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
        return laid_out if exact.dumps(exact.loads(laid_out)) == exact.dumps(value) else text
    except ValueError:
        return text

"""One call at a real service: done, undone, done again, undone again; each read back.

In a home of its own, so that nothing of it stays in the user's journal.
"""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from goex_proxy.app import Parts, open_parts
from goex_proxy.cli.failure import Failure
from goex_proxy.cli.given import person
from goex_proxy.core.call import Call, Initiator
from goex_proxy.core.decision import Auth
from goex_proxy.core.entry import Entry
from goex_proxy.core.exchange import Headers, Origin, Request
from goex_proxy.core.host import split
from goex_proxy.core.journal import State
from goex_proxy.credentials.enrol import enrol
from goex_proxy.engine.actions import ActionError, Actions
from goex_proxy.engine.engine import wall_clock
from goex_proxy.files import reverser_file
from goex_proxy.founding import found
from goex_proxy.home import Home
from goex_proxy.stores.credential import Credential, Source

type Result = tuple[str, str, bool]
"""What was done, its outcome, and whether that is what was wanted."""

_UNDONE = ("undone", "compensated")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    file: Path
    method: str
    target: str
    url: str
    """Where the service really is."""
    body: bytes = b""
    content_type: str = ""
    secret: tuple[Credential, Source] | None = None


def run(trial: Trial) -> list[Result]:
    """Raises `Failure`, `FileError`, and what opening a home raises."""
    services = reverser_file.load(trial.file.read_bytes(), str(trial.file))
    origin = _origin(services[0].hosts, trial.url)
    with tempfile.TemporaryDirectory(prefix="goex-trial-") as folder:
        home = Home(Path(folder) / "home")
        found(home, posture="open")
        config = {
            "version": 1,
            "posture": "open",
            "reversers": [str(trial.file)],
            "upstreams": {origin.authority: trial.url},
        }
        if not services[0].hosts:
            config["services"] = {services[0].name: {"hosts": [origin.authority]}}
        home.config.write_text(json.dumps(config))
        credential = _lend(home, trial)
        return asyncio.run(_collect(home, _call(trial, origin, credential)))


def _origin(hosts: tuple[str, ...], url: str) -> Origin:
    """The service as agents know it: its first host, or else where it really is."""
    named = [host for host in hosts if not host.startswith("*")]
    host, port = split(named[0] if named else "service.test")
    if not url.startswith(("http://", "https://")):
        raise Failure(f"{url!r} is no base URL", code=2)
    return Origin(scheme="https", host=host, port=port or 443)


def _lend(home: Home, trial: Trial) -> Credential | None:
    if trial.secret is None:
        return None
    mine, source = trial.secret
    vault = home.vault()
    try:
        return enrol(
            vault, source, name=mine.name, service=mine.service, hosts=mine.hosts, slots=mine.slots
        )
    finally:
        vault.close()


def _call(trial: Trial, origin: Origin, credential: Credential | None) -> Call:
    fields = (("Content-Type", trial.content_type),) if trial.content_type else ()
    return Call(
        request=Request(
            method=trial.method,
            origin=origin,
            target=trial.target,
            headers=Headers((("User-Agent", "goex-proxy"), *fields)),
            body=trial.body,
        ),
        auth=Auth.OURS if credential else Auth.NONE,
        credential=credential.id if credential else "",
        credential_name=credential.name if credential else "",
        initiator=Initiator.PERSON,
        at=wall_clock(),
    )


async def _collect(home: Home, call: Call) -> list[Result]:
    async with open_parts(home) as parts:
        try:
            return [result async for result in _steps(parts, call)]
        except ActionError as error:
            raise Failure(str(error), code=error.code) from None


async def _steps(parts: Parts, call: Call) -> AsyncIterator[Result]:
    actions, by = Actions(parts.engine), person()
    made = await parts.engine.make(call, None)
    yield "do", _told(made), made.state is State.APPLIED
    if made.state is not State.APPLIED:
        return
    outcome = await _undone(actions, made.id)
    yield "undo", outcome, outcome.startswith(_UNDONE)
    if not outcome.startswith(_UNDONE):
        return
    again = await actions.redo(made.id, by=by)
    yield "redo", _told(again), again.state is State.APPLIED
    if again.state is State.APPLIED:
        outcome = await _undone(actions, again.id)
        yield "undo", outcome, outcome.startswith(_UNDONE)


async def _undone(actions: Actions, entry: int) -> str:
    run = await actions.undo([entry], by=person(), cascade=False, force=False)
    [step] = run.steps
    stays = f" (stays: {', '.join(step.residue)})" if step.residue else ""
    back = ", read back" if step.read_back else ""
    return f"{step.outcome}{back}{stays}{': ' if step.reason else ''}{step.reason}"


def _told(entry: Entry) -> str:
    status = entry.response.status if entry.response is not None else "-"
    fidelity = f", {entry.fidelity}" if entry.fidelity else ""
    why = f": {entry.reason}" if entry.reason else ""
    return f"{entry.opened.operation} {entry.state.public}, {status}{fidelity}{why}"

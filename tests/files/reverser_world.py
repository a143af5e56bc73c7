"""One service as the core sees it: a call goes through its phases, and is undone, by a rule.

Everything here is the real thing but the journal (events are folded in memory) and the wire:
`answer` is whatever answers a request, a table or a bed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from goex_proxy.core import exact
from goex_proxy.core.admission import arrive
from goex_proxy.core.book import Book
from goex_proxy.core.call import Call, Initiator
from goex_proxy.core.catalog import Catalog, Classified
from goex_proxy.core.command import (
    Append,
    Child,
    Command,
    Dial,
    Elapsed,
    Fetch,
    Lock,
    Outcome,
    Phase,
    Renames,
    Rest,
    Spawn,
)
from goex_proxy.core.decision import Auth, Decision, Effect, Posture
from goex_proxy.core.entry import Entry, apply, fold
from goex_proxy.core.event import Admitted, Answered, UndoStarted
from goex_proxy.core.exchange import Headers, Origin, Request, Response
from goex_proxy.core.phase import next_phase
from goex_proxy.core.policy import Ruleset
from goex_proxy.core.service import Service
from goex_proxy.engine.library import encode
from goex_proxy.files.cel import Cel
from goex_proxy.files.reverser_file import load
from goex_proxy.files.reverser_recall import Recaller
from goex_proxy.wire.decode import decode, decode_answer

SHIPPED = Path(__file__).parents[2] / "reversers"
type Answer = Callable[[Request], Response]


def services(name: str, hosts: Mapping[str, tuple[str, ...]] | None = None) -> tuple[Service, ...]:
    path = SHIPPED / f"{name}.yaml"
    return load(path.read_text(), path.name, hosts or {})


def book(*found: Service) -> Book:
    return Book(
        catalog=Catalog(services=found),
        rules=Ruleset(language=Cel({})),
        decode=decode,
        decode_answer=decode_answer,
        encode=encode,
        recall=Recaller().recall,
        posture=Posture.OPEN,
    )


def request(
    method: str,
    url: str,
    *,
    json: object = None,
    form: Mapping[str, str] | None = None,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
) -> Request:
    """A request as an agent writes it."""
    scheme, _, rest = url.partition("://")
    host, slash, target = rest.partition("/")
    made = Request(
        method=method,
        origin=Origin(scheme=scheme, host=host, port=443 if scheme == "https" else 80),
        target=slash + target or "/",
        headers=Headers(tuple((headers or {}).items())),
        body=body,
    )
    if json is not None:
        return made.with_body(exact.dumps(json), "application/json")
    if form is not None:
        from urllib.parse import urlencode

        return made.with_body(urlencode(form).encode(), "application/x-www-form-urlencoded")
    return made


def reply(status: int, json: object = None, **fields: str) -> Response:
    headers = Headers(tuple((k.replace("_", "-"), v) for k, v in fields.items()))
    made = Response(status=status, headers=headers)
    if json is None:
        return made
    return replace(
        made, headers=headers.set("Content-Type", "application/json"), body=exact.dumps(json)
    )


def classified(found: Book, made: Request) -> Classified:
    return found.catalog.classify(made, found.decode)


@dataclass
class World:
    """A book, something that answers, and the entries made so far."""

    book: Book
    answer: Answer
    principal: str = ""
    entries: dict[int, Entry] = field(default_factory=dict)
    sent: list[Request] = field(default_factory=list)
    """Every mutating request that went out."""
    _children: dict[tuple[str, int], int] = field(default_factory=dict)

    def call(self, made: Request) -> Entry:
        """Make a call of an agent; returns its entry once it is settled."""
        call = Call(request=made, auth=Auth.OURS, credential="c1", principal=self.principal)
        entry = self._open(call, None)
        return self._on(entry)

    def undo(self, entry: Entry, *, force: bool = False) -> Entry:
        """Undo it as a person would; returns the entry as it then stands."""
        run = f"u{entry.id}"
        started = apply(entry, UndoStarted(by="person", run=run, force=force))
        return self._on(started)

    def _open(self, call: Call, spawn: Spawn | None) -> Entry:
        arrival = arrive(call, self.book)
        assert not arrival.problem, arrival.problem
        decision = Decision(effect=Effect.ALLOW, rule="test", reason="")
        opened = replace(arrival.opened, rule=spawn.rule if spawn else None)
        return fold([opened, Admitted(decision=decision)], len(self.entries) + 1)

    def _on(self, entry: Entry) -> Entry:
        for _ in range(60):
            self.entries[entry.id] = entry
            phase = next_phase(entry, self.book)
            if phase is None:
                return entry
            outcome = self._run(phase)
            match outcome:
                case Append(events=events):
                    for event in events:
                        entry = apply(entry, event)
                case Spawn(call=call):
                    child = self._open(replace(call, initiator=Initiator.PERSON), outcome)
                    self._children[call.link.run, call.link.step] = child.id
                    self._on(child)
                case Rest():
                    return entry
                case _:
                    raise AssertionError(outcome)
            if entry.state.value == "sent":
                self.sent.append(entry.call.request)
                entry = apply(entry, Answered(response=self.answer(entry.call.request)))
        raise AssertionError("it never rests")

    def _run(self, phase: Phase) -> Outcome:
        said: object = None
        while True:
            try:
                asked = phase.send(said)
            except StopIteration as stop:
                outcome: Outcome = stop.value
                return outcome
            said = self._perform(asked)

    def _perform(self, asked: Command[object]) -> object:
        match asked:
            case Fetch():
                return self.answer(asked.request)
            case Lock() | Dial():
                return None
            case Elapsed():
                return 1e9
            case Renames():
                return tuple(a for e in self.entries.values() for a in e.aliases)
            case Child():
                found = self._children.get((asked.run, asked.step))
                return self.entries[found] if found is not None else None
            case _:
                raise AssertionError(asked)

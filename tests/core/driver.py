"""Drives the core's phases against the shop, with a journal in memory; may lose and crash."""

from dataclasses import replace
from enum import Enum
from typing import Any

from goex_proxy.core.admission import admit, arrive
from goex_proxy.core.book import Book
from goex_proxy.core.call import Call, Link
from goex_proxy.core.command import (
    Append,
    Asking,
    Child,
    Dial,
    Elapsed,
    Fetch,
    Load,
    Lock,
    Phase,
    Renames,
    Rest,
    Spawn,
)
from goex_proxy.core.entry import Entry, fold
from goex_proxy.core.event import Admitted, Aliased, Answered, Event, Lost, Sent, UndoStarted
from goex_proxy.core.journal import State
from goex_proxy.core.phase import next_phase
from goex_proxy.core.undoing import standing
from tests.core.shop import Shop
from tests.core.world import a_call, a_decision, a_request


class Trouble(Enum):
    NONE = "none"
    LOST_BEFORE = "the request never arrived"
    LOST_AFTER = "it arrived, its answer did not"
    CRASH_BEFORE = "we died when it was recorded as sent"
    CRASH_AFTER = "we died before its answer was recorded"
    CRASH_ANSWERED = "we died when its answer was recorded"


class Died(Exception):
    """The process is gone; the journal stays."""


class Driver:
    def __init__(self, shop: Shop, book: Book) -> None:
        self.shop = shop
        self.book = book
        self.events: dict[int, list[Event]] = {}
        self.known: dict[int, Entry] = {}
        self.effects: set[int] = set()
        self.elapsed = 0.0
        self.trouble = Trouble.NONE
        self.runs = 0

    # The journal.

    def entries(self) -> list[Entry]:
        return [self.load(number) for number in self.events]

    def load(self, number: int) -> Entry:
        log = self.events[number]
        known = self.known.get(number)
        if known is None or known.events != len(log):
            known = self.known[number] = fold(log, number)
        return known

    def in_state(self, *states: State) -> list[Entry]:
        return [e for e in self.entries() if e.state in states]

    def note(self, entry: Entry, *events: Event) -> Entry:
        self.events[entry.id] += events
        return self.load(entry.id)

    def begin(self, *events: Event) -> Entry:
        number = len(self.events) + 1
        fold(events, number)
        self.events[number] = list(events)
        return self.load(number)

    def steps_are_unique(self) -> bool:
        links = [(e.call.link.run, e.call.link.step) for e in self.entries() if e.call.is_undo]
        return len(links) == len(set(links))

    def took_effect(self, entry: Entry) -> bool:
        return entry.id in self.effects

    # What can be done.

    def call(
        self, method: str, target: str, body: object, trouble: Trouble = Trouble.NONE
    ) -> Entry | None:
        request = a_request(method, target, json=body)
        return self.make(a_call(request), trouble)

    def make(self, call: Call, trouble: Trouble = Trouble.NONE) -> Entry:
        outcome = self.run(admit(arrive(call, self.book)), None)
        assert isinstance(outcome, Append)
        self.elapsed = 0.0
        return self.carry(self.begin(*outcome.events), trouble)

    def carry(self, entry: Entry, trouble: Trouble = Trouble.NONE) -> Entry:
        """On until somebody else has to act; through a crash, and what comes after it."""
        self.trouble = trouble
        try:
            return self._carry(entry)
        except Died:
            self.trouble = Trouble.NONE
            return self.restart(entry.id)

    def restart(self, number: int) -> Entry:
        """What recovery does: children first, then the entry itself."""
        for entry in sorted(self.entries(), key=lambda e: not e.call.is_undo):
            if entry.state is State.SENT:
                self.note(entry, Lost(reason="we stopped"))
            elif entry.call.is_undo and entry.state in {State.ADMITTED, State.ANSWERED}:
                self._carry(entry)
        return self._carry(self.load(number))

    def recover(self, entry: Entry) -> Entry:
        """An undo whose step is in doubt stays so until a person looks; else it goes on."""
        children = [e for e in self.entries() if e.call.link.undo_of == entry.id]
        if any(c.state is State.IN_DOUBT for c in children):
            return entry
        return self._carry(entry)

    def undo(self, entry: Entry, trouble: Trouble = Trouble.NONE) -> Entry:
        self.runs += 1
        started = UndoStarted(by="ann", run=f"u{self.runs}")
        return self.carry(self.note(entry, started), trouble)

    def redo(self, entry: Entry) -> Entry:
        return self.make(replace(entry.call, link=Link(redo_of=entry.id)))

    def probe(self, entry: Entry) -> Entry:
        return self._carry(entry)

    def plan(self, entry: Entry) -> str:
        found, _ = self.run(standing(entry, self.book), entry)
        return str(found.value)

    def later(self) -> None:
        self.elapsed = 10_000.0

    # Phases and commands.

    def _carry(self, entry: Entry) -> Entry:
        for _ in range(100):
            if entry.state is State.SENT:
                entry = self._send(entry)
                continue
            phase = next_phase(entry, self.book)
            if phase is None:
                return entry
            outcome = self.run(phase, entry)
            match outcome:
                case Append(events=events):
                    before = entry.state
                    entry = self.note(entry, *events)
                    if entry.state is before:
                        return entry
                case Spawn(call=call, rule=rule):
                    opened = replace(arrive(call, self.book).opened, rule=rule)
                    self._carry(self.begin(opened, Admitted(decision=a_decision(rule="undo"))))
                case _:
                    assert isinstance(outcome, Rest)
                    return entry
        raise AssertionError("it does not come to rest")

    def _send(self, entry: Entry) -> Entry:
        trouble, self.trouble = self.trouble, Trouble.NONE
        if trouble is Trouble.CRASH_BEFORE:
            raise Died
        if trouble is Trouble.LOST_BEFORE:
            return self.note(entry, Lost(reason="reset"))
        before = self.shop.snapshot()
        response = self.shop.answer(entry.call.request)
        if self.shop.snapshot() != before or response.ok:
            self.effects.add(entry.id)
        if trouble is Trouble.CRASH_AFTER:
            raise Died
        if trouble is Trouble.LOST_AFTER:
            return self.note(entry, Lost(reason="reset"))
        entry = self.note(entry, Answered(response=response))
        if trouble is Trouble.CRASH_ANSWERED:
            raise Died
        return entry

    def run(self, phase: Phase | Asking[Any], entry: Entry | None) -> Any:  # noqa: ANN401 - each phase has its own result
        """One phase to its end."""
        reply: Any = None
        try:
            command = next(phase)
            while True:
                reply = self._perform(command, entry)
                command = phase.send(reply)
        except StopIteration as stop:
            return stop.value

    def _perform(self, command: object, entry: Entry | None) -> object:
        match command:
            case Fetch(request=request):
                assert request.method == "GET"
                return self.shop.answer(request)
            case Lock() | Dial():
                return None
            case Child(run=run, step=step):
                found = [
                    e for e in self.entries() if (e.call.link.run, e.call.link.step) == (run, step)
                ]
                return next((e for e in found if e.call.is_undo), None)
            case Renames():
                return tuple(
                    e for log in self.events.values() for e in log if isinstance(e, Aliased)
                )
            case Load(entry=number):
                return self.load(number)
            case Elapsed():
                return self.elapsed
            case _:
                raise AssertionError(f"nobody performs {command}")


def sent_events(driver: Driver) -> int:
    return sum(isinstance(e, Sent) for log in driver.events.values() for e in log)

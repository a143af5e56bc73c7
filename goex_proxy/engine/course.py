"""One entry's course through its phases, in this process: load, next phase, run, append.

Traffic, approval, recovery and undo all travel it. It stops where an upstream has to be
dialled (`Stop.DIAL`: whoever moves the bytes calls `dialled` or `undialled`) and where
nobody can go on (`Stop.REST`). Events of phases that wait for nobody share one commit; an
answer is made durable before anything is read on the side.
"""

from collections.abc import Awaitable, Callable, Sequence
from enum import Enum
from typing import Any, assert_never

from goex_proxy.core.admission import Arrival, admit
from goex_proxy.core.book import Book
from goex_proxy.core.call import Call
from goex_proxy.core.command import (
    Append,
    Asking,
    Child,
    Command,
    Dial,
    DialFailed,
    Elapsed,
    Fetch,
    FetchFailed,
    Load,
    Lock,
    Outcome,
    Pass,
    Phase,
    Renames,
    Rest,
    Spawn,
)
from goex_proxy.core.entry import Entry
from goex_proxy.core.event import Answered, Event, Failed, Lost, RuleText
from goex_proxy.core.exchange import Response
from goex_proxy.core.journal import State
from goex_proxy.core.phase import next_phase
from goex_proxy.engine.ledger import Ledger, advanced
from goex_proxy.engine.locks import Holder
from goex_proxy.stores.journal_errors import JournalError
from goex_proxy.stores.rows import Fence

type Fetcher = Callable[[Fetch], Awaitable[Response]]
"""Sends a read on the side. Raises `FetchFailed`."""
type Spawner = Callable[[Call, RuleText], Awaitable[Entry]]
"""Makes a call of our own as an entry, and returns it when it rests."""


class Stop(Enum):
    DIAL = "dial"
    REST = "rest"


class Course:
    """Not for two tasks at once. `JournalError` passes through: nothing was appended then."""

    def __init__(
        self,
        ledger: Ledger,
        book: Book,
        fetch: Fetcher,
        spawn: Spawner,
        holder: Holder,
        *,
        entry: Entry | None = None,
        fence: Fence | None = None,
    ) -> None:
        self._ledger = ledger
        self._book = book
        self._fetch = fetch
        self._spawn = spawn
        self._holder = holder
        self._fence = fence
        self._arrival: Arrival | None = None
        self._durable = entry
        self._entry = entry
        self._pending: list[Event] = []
        self._lost = False
        """Whether the beginning of a new entry was not recorded."""
        self._dialling: Phase | None = None
        self.rest = ""
        """Why it rests, in words, when a phase said so."""

    @property
    def dialling(self) -> bool:
        """Whether it waits for `dialled` or `undialled`."""
        return self._dialling is not None

    @property
    def entry(self) -> Entry:
        """As it stands, what is not yet durable included."""
        assert self._entry is not None  # noqa: S101 - `begin` was called
        return self._entry

    def begin(self, events: Sequence[Event]) -> None:
        """Take events that are not durable yet: of a new entry, or of this one."""
        if self._lost:
            raise JournalError("its beginning could not be recorded: nothing can follow it")
        self._entry = advanced(self._entry, events)
        self._pending += events

    async def decide(self, arrival: Arrival) -> Outcome:
        """Run the first phase of a call that has no entry yet; it never dials."""
        self._arrival = arrival
        outcome = await self._drive(admit(arrival), None, resumed=False)
        if outcome is None:
            raise RuntimeError("a call was to be sent before it was decided")
        return outcome

    async def ask[T](self, asking: Asking[T]) -> T:
        """Run something of the core that only reads, to its value. Raises what it raises."""
        reply: object = None
        try:
            command = next(asking)
            while True:
                try:
                    reply = await self._perform(command)
                except FetchFailed as error:
                    command = asking.throw(error)
                else:
                    command = asking.send(reply)
        except StopIteration as stop:
            value: T = stop.value
            return value

    async def go(self) -> Stop:
        """Run phases until somebody else has to act. What it returns at REST is durable."""
        while True:
            phase = next_phase(self.entry, self._book, self._arrival)
            if phase is None:
                await self.flush()
                return Stop.REST
            stop = await self._run(phase, None)
            if stop is not None:
                return stop

    async def dialled(self) -> Stop:
        """The upstream is up and verified: make `Sent` durable."""
        return await self._resume(None)

    async def undialled(self, reason: str) -> Stop:
        """It could not be reached, or nobody wants it any more: nothing was sent."""
        return await self._resume(DialFailed(reason))

    async def answered(self, response: Response) -> Stop:
        self.begin((Answered(response=response),))
        return await self.go()

    async def headed(self, head: Response) -> None:
        """The head of an answer that is streamed past: durable; `go` completes it."""
        self.begin((Answered(response=head),))
        await self.flush()

    async def lost(self, reason: str) -> Stop:
        self.begin((Lost(reason=reason),))
        await self.flush()
        return await self.go()

    async def unsent(self, reason: str) -> Stop:
        """It was recorded as sent, and we know that not one byte left."""
        said = f"not one byte of it left: {reason}"
        self.begin((Lost(reason=reason), Failed(reason=said, evidence=said)))
        await self.flush()
        return Stop.REST

    async def flush(self) -> None:
        """Make durable what is pending. If that fails it is as if it had not been taken: what is
        told and done from there on rests on what the journal has."""
        if not self._pending:
            return
        events, self._pending = self._pending, []
        after, self._entry = self.entry, self._durable or self.entry
        self._lost = self._durable is None
        self._durable = await self._ledger.append(self._durable, events, self._fence, after=after)
        self._entry, self._lost = self._durable, False

    def release(self) -> None:
        """Let go of the resources."""
        self._holder.release()

    async def _resume(self, reply: DialFailed | None) -> Stop:
        phase, self._dialling = self._dialling, None
        assert phase is not None  # noqa: S101 - `go` stopped at DIAL
        return await self._run(phase, reply, resumed=True) or await self.go()

    async def _run(self, phase: Phase, reply: object, *, resumed: bool = False) -> Stop | None:
        """Run one phase to its end, or to its Dial; None: go on with the next."""
        outcome = await self._drive(phase, reply, resumed=resumed)
        if outcome is None:
            self._dialling = phase
            return Stop.DIAL
        return await self._take(outcome)

    async def _drive(self, phase: Phase, reply: object, *, resumed: bool) -> Outcome | None:
        """The phase's outcome; None if it waits at its Dial."""
        try:
            command = _step(phase, reply) if resumed else next(phase)
            while not isinstance(command, Dial):
                if self._entry is not None and self._entry.state is State.ANSWERED:
                    await self.flush()
                try:
                    reply = await self._perform(command)
                except FetchFailed as error:
                    reply = error
                command = _step(phase, reply)
        except StopIteration as stop:
            outcome: Outcome = stop.value
            return outcome
        return None

    async def _take(self, outcome: Outcome) -> Stop | None:
        match outcome:
            case Append(events=events):
                before = self.entry.state
                self.begin(events)
                if self.entry.state is not State.ADMITTED:
                    await self.flush()
                return Stop.REST if self.entry.state is before else None
            case Spawn(call=call, rule=rule):
                await self._spawn(call, rule)
                return None
            case Rest(why=why):
                self.rest = why
                await self.flush()
                return Stop.REST
            case Pass():
                raise RuntimeError("an entry cannot be let through unrecorded")
            case _:
                assert_never(outcome)

    async def _perform(self, command: Command[Any]) -> object:
        match command:
            case Fetch():
                return await self._fetch(command)
            case Lock(keys=keys):
                await self._holder.take(keys)
                return None
            case Load(entry=id_):
                return self._ledger.load(id_)
            case Child(run=run, step=step):
                return self._ledger.child(run, step)
            case Renames(service=service):
                return self._ledger.renames(service)
            case Elapsed():
                return self._ledger.elapsed(self.entry.id)
            case _:
                raise RuntimeError(f"nobody performs {type(command).__name__}")


def _step(phase: Phase, reply: object) -> Command[Any]:
    if isinstance(reply, FetchFailed | DialFailed):
        return phase.throw(reply)
    return phase.send(reply)

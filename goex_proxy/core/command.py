"""What the core asks of the outer world.

The core performs no I/O. It yields commands and is handed the replies:

    before = yield from Fetch(request=read, credential="c1")   # a Response, to mypy too

A phase is a generator of commands that returns what is to be appended, in one commit. No
phase outlives an append: whatever waits (a hold, a crash, an undo) is in the journal.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from goex_proxy.core.call import Call
from goex_proxy.core.entry import Entry
from goex_proxy.core.event import Aliased, Event, RuleText
from goex_proxy.core.exchange import Request, Response


class Command[Reply]:
    """A request for I/O, with the type of its reply."""

    __slots__ = ()

    def __iter__(self) -> Generator["Command[Any]", Any, Reply]:
        reply: Reply = yield self
        return reply


class FetchFailed(Exception):
    """Thrown into a phase: a read that got no usable answer, and why."""


class DialFailed(Exception):
    """Thrown into a phase: the upstream could not be reached; nothing was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch(Command[Response]):
    """Send a read on the side: an image, a probe, a reading back. Raises `FetchFailed`."""

    request: Request
    credential: str = ""
    """Id of the credential that it carries; '' for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock(Command[None]):
    """Wait until nobody else changes these resources through the gateway.

    Those that the entry has already may be let go of meanwhile: read after it, not before.
    """

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial(Command[None]):
    """Reach the upstream and verify it; send nothing yet. Raises `DialFailed`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Child(Command[Entry | None]):
    """The entry that an undo's step has become, if it has one already."""

    run: str
    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Renames(Command[tuple[Aliased, ...]]):
    """What undos of this service's entries had to make anew, oldest first."""

    service: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Load(Command[Entry | None]):
    """Another entry as it now stands: of an undo's step, the one that is undone."""

    entry: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Elapsed(Command[float]):
    """Seconds since the entry was sent, by a clock that does not jump; inf after a restart
    that lies longer back than can be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """The phase's result: append these events, in one commit."""

    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """The phase's result: an allowed read. Let it through; the journal is not touched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spawn:
    """The phase's result: make this call, as an entry of its own, then ask again."""

    call: Call
    rule: RuleText
    """The rule of the entry that it undoes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """The phase's result: nothing can be done now; somebody or something has to come."""

    why: str


type Outcome = Append | Pass | Spawn | Rest
type Phase = Generator[Command[Any], Any, Outcome]
type Asking[T] = Generator[Command[Any], Any, T]

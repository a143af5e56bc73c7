"""Tells a phase's story in a test: each line is what it asks and what it is told."""

from collections.abc import Callable, Generator
from typing import Any, Self

from goex_proxy.core.command import Append, Command
from goex_proxy.core.event import Event


class Story[T]:
    """A transcript of one phase; every command has to be named, in order."""

    def __init__(self, phase: Generator[Command[Any], Any, T]) -> None:
        self._phase = phase
        self._asked: Command[Any] | None = None
        self._result: T | None = None
        self._advance(lambda: next(phase))

    def asks(self, expected: Command[Any], *, told: object = None) -> Self:
        """The phase asks exactly this, and is told that."""
        self._expect(expected)
        self._advance(lambda: self._phase.send(told))
        return self

    def asks_and_fails(self, expected: Command[Any], error: Exception) -> Self:
        """The phase asks exactly this, and the world cannot do it."""
        self._expect(expected)
        self._advance(lambda: self._phase.throw(error))
        return self

    def returns(self, expected: T) -> None:
        assert self.result == expected

    def appends(self, *expected: Event) -> None:
        """The phase ends with exactly these events."""
        assert self.events == expected

    @property
    def result(self) -> T:
        assert self._asked is None, f"still asking {self._asked}"
        assert self._result is not None
        return self._result

    @property
    def events(self) -> tuple[Event, ...]:
        assert isinstance(self.result, Append), f"it appends nothing: {self.result}"
        return self.result.events

    @property
    def event(self) -> Event:
        """The one event that it ends with."""
        [event] = self.events
        return event

    def _expect(self, expected: Command[Any]) -> None:
        assert self._asked == expected, (
            f"\nexpected {expected}\nbut got  {self._asked or self._result}"
        )

    def _advance(self, step: Callable[[], Command[Any]]) -> None:
        try:
            self._asked = step()
        except StopIteration as stop:
            self._asked, self._result = None, stop.value

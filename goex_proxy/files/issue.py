"""What is wrong with a file that a person wrote: where, what, and what to write instead."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, order=True)
class At:
    """A place in a file; line and column count from 1, 0 means the file as a whole."""

    path: str
    line: int = 0
    col: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.col}" if self.line else self.path


class Spot(Protocol):
    """A text that stands in a file, and where each of its characters does."""

    def inside(self, offset: int) -> At: ...


@dataclass(frozen=True, slots=True)
class Within:
    """A part of a text: the expression in `${...}`."""

    spot: Spot
    start: int

    def inside(self, offset: int) -> At:
        return self.spot.inside(self.start + offset)


@dataclass(frozen=True, slots=True)
class Typed:
    """A text of one line that stands in no file: typed at a prompt, built by a test."""

    name: str = "<expression>"

    def inside(self, offset: int) -> At:
        return At(self.name, 1, offset + 1)


@dataclass(frozen=True, slots=True, order=True)
class Issue:
    """One thing that is wrong."""

    at: At
    what: str
    hint: str = ""

    def __str__(self) -> str:
        hint = "\n  hint: " + self.hint if self.hint else ""
        return f"{self.at}: {self.what}{hint}"


class FileError(ValueError):
    """A file that cannot be used. Says everything that is wrong with it, first things first.

    `path`, `line`, `col`, `what` and `hint` are those of the first issue.
    """

    def __init__(self, *issues: Issue) -> None:
        if not issues:
            raise TypeError("a FileError says what is wrong")
        super().__init__("\n".join(map(str, issues)))
        self.issues = issues

    @property
    def path(self) -> str:
        return self.issues[0].at.path

    @property
    def line(self) -> int:
        return self.issues[0].at.line

    @property
    def col(self) -> int:
        return self.issues[0].at.col

    @property
    def what(self) -> str:
        return self.issues[0].what

    @property
    def hint(self) -> str:
        return self.issues[0].hint


@dataclass(slots=True)
class Issues:
    """Collects what is wrong, so that one look at a file names all of it."""

    found: list[Issue] = field(default_factory=list)

    def add(self, at: At, what: str, hint: str = "") -> None:
        self.found.append(Issue(at, what, hint))

    def extend(self, issues: Iterable[Issue]) -> None:
        self.found.extend(issues)

    def refuse(self) -> None:
        """Raise `FileError` with everything found, in the order of the file, if anything was."""
        if self.found:
            raise FileError(*sorted(set(self.found), key=lambda issue: issue.at))

"""A service: who it is, which credential it takes, how its operations read and write."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from goex_proxy.core.expression import Expression, Language
from goex_proxy.core.operation import Match, Operation
from goex_proxy.core.path import Path
from goex_proxy.core.resource import Resource
from goex_proxy.core.step import Template


class Trust(StrEnum):
    """Who vouches for a reverser file."""

    REVIEWED = "reviewed"
    INFERRED = "inferred"
    PROPOSED = "proposed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialShape:
    """Which credential a service takes: slots, client variables, shape, a read to check it."""

    slots: tuple[str, ...] = ("bearer",)
    variables: tuple[str, ...] = ()
    prefix: str = ""
    hosts: tuple[str, ...] = ()
    check: tuple[str, str] | None = None
    """Method and path of a read that only a good credential may make."""
    principal: str = ""
    """Dotted name, in the answer of `check`, of who the credential is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a refusal is said so that the service's own clients show it."""

    status: int | None = None
    json: Template = None
    codec: str | None = None
    """Instead of JSON: a codec that writes it (`git-receive-pack`: ng <ref> <reason>)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedRead:
    """An operation that only reads though its verb would not say so."""

    name: str
    match: Match
    inference: bool = False
    """An LLM's answer: streamed, never held up by a broken vault or journal."""


type Candidate = NamedRead | Operation


@dataclass(frozen=True, kw_only=True)
class Service:
    name: str
    hosts: tuple[str, ...]
    """Exact names, or `*.example.com`; with `:port` if not the scheme's own."""
    language: Language
    credential: CredentialShape | None = None
    dialect: Dialect = field(default_factory=Dialect)
    done: Expression | None = None
    """Success of an answer, of images too; None: 2xx."""
    verbs: bool = True
    """Whether GET reads. False: classify by path alone, unknown names mutate."""
    protocol: str = "http"
    trust: Trust = Trust.REVIEWED
    reads: tuple[NamedRead, ...] = ()
    resources: Mapping[str, Resource] = field(default_factory=dict)
    operations: tuple[Operation, ...] = ()
    source: str = ""
    """The file it came from, for messages."""

    def candidates(self, method: str, path: Path) -> list[tuple[Candidate, dict[str, str]]]:
        """What this method and path may be, the most literal template first."""
        out: list[tuple[Candidate, dict[str, str]]] = []
        shape = (*path.segments, "") if path.slash else path.segments
        literal = self._literal.get(shape, ())
        for item in (*literal, *self._by_length.get(len(path.segments), ()), *self._any_length):
            if item.match.methods and method not in item.match.methods:
                continue
            params = item.match.template.match(path)
            if params is not None:
                out.append((item, params))
        out.sort(key=lambda found: found[0].match.template.weight)
        return out

    @cached_property
    def _literal(self) -> dict[tuple[str, ...], tuple[Candidate, ...]]:
        """Those without a parameter, by their path: Slack has a hundred and forty of them."""
        table: dict[tuple[str, ...], tuple[Candidate, ...]] = {}
        for item in self._all:
            if not item.match.template.params:
                path = item.match.template.shape
                table[path] = (*table.get(path, ()), item)
        return table

    @cached_property
    def _by_length(self) -> dict[int, tuple[Candidate, ...]]:
        table: dict[int, tuple[Candidate, ...]] = {}
        for item in self._all:
            template = item.match.template
            if template.params and not template.many:
                length = len(template.parts)
                table[length] = (*table.get(length, ()), item)
        return table

    @cached_property
    def _any_length(self) -> tuple[Candidate, ...]:
        return tuple(item for item in self._all if item.match.template.many)

    @property
    def _all(self) -> tuple[Candidate, ...]:
        return (*self.reads, *self.operations)

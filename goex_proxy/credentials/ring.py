"""The live credentials at one moment, made for fast look-ups. Immutable."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain

from goex_proxy.core.exchange import Origin
from goex_proxy.credentials import binding, slot
from goex_proxy.credentials.binding import Binding
from goex_proxy.credentials.scrub import Scrubs
from goex_proxy.credentials.value import read, ttl
from goex_proxy.stores.credential import Credential, Source
from goex_proxy.stores.secret import Secret
from goex_proxy.stores.vault_key import VaultError

_FORMER = 8
_EARLY = 0.2
_RETRY = 30.0
_UNSENDABLE = (b"\r", b"\n", b"\0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A credential whose bindings and slots were parsed, with its value if it could be read."""

    credential: Credential
    source: Source
    bindings: tuple[Binding, ...]
    slots: frozenset[str]
    secret: Secret | None
    unavailable: str = ""
    """Why there is no value."""
    expires: float | None = None
    """Monotonic seconds after which a value may not be used any more, or is to be had again."""
    former: tuple[Secret, ...] = ()
    """Values it had before, newest first: still scrubbed, never sent."""

    def covers(self, origin: Origin) -> bool:
        return any(bound.covers(origin) for bound in self.bindings)

    def due(self, now: float) -> bool:
        """Is it time to read the value again (most of its time is over, or it failed)?"""
        if self.expires is None:
            return False
        early = _EARLY * (ttl(self.source) or 0.0) if self.secret is not None else 0.0
        return now >= self.expires - early

    def unusable(self, now: float) -> str | None:
        """Why its value cannot be put on the wire now, or None."""
        if self.secret is None:
            return self.unavailable or "it has no value"
        if self.expires is not None and now >= self.expires:
            return "its value has expired"
        if any(mark in self.secret.reveal() for mark in _UNSENDABLE):
            return "its value holds a line break, which no header may"
        return None

    def value(self) -> bytes:
        """The bytes for the wire. Raises ValueError without one: ask `unusable` first."""
        if self.secret is None:
            raise ValueError("this credential has no value")
        return self.secret.reveal()


def live(credential: Credential, source: Source, now: float, old: Live | None) -> Live:
    """Read a credential's value. A failure is not raised but kept: the others go on.

    Raises ValueError if its hosts or slots cannot be read.
    """
    former = _former(old)
    made = Live(
        credential=credential,
        source=source,
        bindings=tuple(binding.parse(text) for text in credential.hosts),
        slots=frozenset(slot.parse(text) for text in credential.slots),
        secret=None,
        former=former,
    )
    try:
        secret = read(source)
    except VaultError as error:
        return replace(made, unavailable=str(error), expires=now + _RETRY)
    seconds = ttl(source)
    return replace(
        made,
        secret=secret,
        expires=None if seconds is None else now + seconds,
        former=tuple(value for value in former if value != secret),
    )


def _former(old: Live | None) -> tuple[Secret, ...]:
    if old is None:
        return ()
    current = (old.secret,) if old.secret is not None else ()
    return (*current, *(value for value in old.former if value not in current))[:_FORMER]


class Ring:
    """Placeholders, hosts and header names as dicts and sets, and the compiled scrubber."""

    def __init__(self, lives: Iterable[Live], departed: Iterable[Live] = ()) -> None:
        """`departed`: removed from the vault since; their values are still scrubbed."""
        self.lives = tuple(lives)
        self.departed = tuple(departed)
        self.by_placeholder = {one.credential.placeholder: one for one in self.lives}
        self.by_id = {one.credential.id: one for one in self.lives}
        names = chain.from_iterable(one.slots for one in self.lives)
        self.fields = frozenset(
            name.removeprefix("header:") for name in names if name.startswith("header:")
        )
        current = [one for one in self.lives if one.credential.revoked is None]
        bound = [(each, one) for one in current for each in one.bindings]
        self._hosts = _by_host((each, one) for each, one in bound if not each.wildcard)
        self._suffixes = _by_host((each, one) for each, one in bound if each.wildcard)

    def __repr__(self) -> str:
        return f"Ring({len(self.lives)} credentials)"

    def owner(self, origin: Origin) -> Live | None:
        """A credential in force that is bound to this host."""
        for bound, one in self._hosts.get(origin.host, ()):
            if bound.covers(origin):
                return one
        for bound, one in self._suffixes.get(origin.host.partition(".")[2], ()):
            if bound.covers(origin):
                return one
        return None

    def values_differ(self, other: "Ring") -> bool:
        """Would the two scrub differently?"""
        mine, others = list(self._secrets()), list(other._secrets())
        return mine != others

    def borrow(self, other: "Ring") -> None:
        """Take over a compiled scrubber; only if the values do not differ."""
        self.__dict__["scrubs"] = other.scrubs

    @cached_property
    def scrubs(self) -> Scrubs:
        return Scrubs(self._secrets())

    def _secrets(self) -> Iterator[tuple[Secret, str]]:
        for one in (*self.lives, *self.departed):
            current = (one.secret,) if one.secret is not None else ()
            for secret in (*current, *one.former):
                yield secret, one.credential.placeholder


def _by_host(pairs: Iterable[tuple[Binding, Live]]) -> dict[str, list[tuple[Binding, Live]]]:
    table: dict[str, list[tuple[Binding, Live]]] = {}
    for bound, one in pairs:
        table.setdefault(bound.host, []).append((bound, one))
    return table

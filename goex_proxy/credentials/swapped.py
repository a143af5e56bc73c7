"""A request that carries real secrets: for the last step before the wire, and for no other."""

from dataclasses import dataclass
from typing import NoReturn

from goex_proxy.core.exchange import Headers, Request


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class SwappedHeaders(Headers):
    """Header fields with secrets in them: their print is redacted, also after a change."""

    def without(self, *names: str) -> "SwappedHeaders":
        return SwappedHeaders(Headers(self.fields).without(*names).fields)

    def set(self, name: str, value: str) -> "SwappedHeaders":
        return SwappedHeaders(Headers(self.fields).set(name, value).fields)

    def __repr__(self) -> str:
        return "Headers(redacted)"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("headers with secrets are neither pickled nor copied")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Swapped(Request):
    """A request after the swap. Write it to the wire and drop it: never keep, log or compare it.

    The core never sees one; its repr says only where it goes.
    """

    def __repr__(self) -> str:
        return f"Swapped({self.method} {self.origin}, redacted)"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a request with secrets is neither pickled nor copied")

"""Bytes that must not be seen: every accidental way to print them is closed.

It is not protection against code that means to read them: `reveal()` returns the bytes.
"""

import hmac
from typing import NoReturn, final

_SHOWN = "Secret(redacted)"


@final
class Secret:
    """Holds a value that no repr, format, log line, pickle or snapshot may show.

    Compares in constant time for equal lengths. Has no length and no hash: neither a log of
    sizes nor a dict keyed by secrets can come about by accident.
    """

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = value

    def reveal(self) -> bytes:
        """The bytes. Call it as late as possible, and never to build a message."""
        return self._value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value, other._value)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return _SHOWN

    def __str__(self) -> str:
        return _SHOWN

    def __format__(self, spec: str) -> str:
        return _SHOWN

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a Secret is neither pickled nor copied")

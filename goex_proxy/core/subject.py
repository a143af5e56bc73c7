"""The subject of a phase: the call, the service and rule that it goes by, and the book."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from goex_proxy.core.book import Book
from goex_proxy.core.call import Call
from goex_proxy.core.operation import Operation
from goex_proxy.core.service import Service


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    call: Call
    service: Service
    operation: Operation
    book: Book
    names: Mapping[str, object] = field(default_factory=dict)
    """What expressions can read of the request: args, path parameters, binds."""

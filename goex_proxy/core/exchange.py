"""What passes between an agent and a service, as plain values.

A `Request` is always the request *as the agent wrote it*: credentials appear only as
placeholders. A `Response` was scrubbed before it got here. No type of the core can hold a
real secret, so nothing that the core records, logs or compares can leak one.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Headers:
    """Header fields in the order of the wire; names compare without case (RFC 9110, 5.1).

    Values are text in latin-1, as on the wire.
    """

    fields: tuple[tuple[str, str], ...] = ()

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.fields)

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a field, in order."""
        lower = name.lower()
        return tuple([value for key, value in self.fields if key.lower() == lower])

    def get(self, name: str, default: str = "") -> str:
        """The values of a field joined by `, ` (RFC 9110, 5.3); `default` if there is none."""
        values = self.all(name)
        return ", ".join(values) if values else default

    def has(self, name: str) -> bool:
        lower = name.lower()
        return any([key.lower() == lower for key, _ in self.fields])

    def without(self, *names: str) -> "Headers":
        gone = {name.lower() for name in names}
        return Headers(tuple(pair for pair in self.fields if pair[0].lower() not in gone))

    def set(self, name: str, value: str) -> "Headers":
        """This field once, with this value, at the end."""
        return Headers((*self.without(name).fields, (name, value)))

    def as_map(self) -> dict[str, str]:
        """Names in lower case, several values joined: how policies see headers."""
        joined: dict[str, str] = {}
        for name, value in self.fields:
            lower = name.lower()
            joined[lower] = f"{joined[lower]}, {value}" if lower in joined else value
        return joined


def headers(pairs: Iterable[tuple[str, str]] = ()) -> Headers:
    return Headers(tuple(pairs))


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a request goes: scheme, host (lower case, no trailing dot, IDNA), port."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """Host, and the port unless it is the scheme's own: what a Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = 443 if self.scheme == "https" else 80
        return host if self.port == default else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request. `target` is the path and query as they are sent (origin form)."""

    method: str
    origin: Origin
    target: str
    headers: Headers = field(default_factory=Headers)
    body: bytes | None = b""
    """None: not known here, because it is streamed past (above the cap)."""
    prefix: bytes = b""
    """Of a body that is streamed past: how it begins."""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    @property
    def url(self) -> str:
        return f"{self.origin}{self.target}"

    def with_body(self, body: bytes, content_type: str | None = None) -> "Request":
        fields = self.headers.set("Content-Type", content_type) if content_type else self.headers
        return replace(self, headers=fields, body=body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One response, complete or (`body` None) streamed past."""

    status: int
    headers: Headers = field(default_factory=Headers)
    body: bytes | None = b""
    reason: str = ""
    """The HTTP/1.1 reason phrase, where one was chosen; never needed to understand it."""
    scrubbed: bool = False
    """Whether a secret was replaced in it: what it shows cannot be written back."""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

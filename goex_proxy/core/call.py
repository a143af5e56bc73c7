"""A call: one request with who made it, and the facts that a policy may look at."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from goex_proxy.core.catalog import Classified
from goex_proxy.core.decision import Auth
from goex_proxy.core.exchange import Request
from goex_proxy.core.expression import ExpressionError
from goex_proxy.core.operation import Fidelity


class Initiator(StrEnum):
    """Who wants the call made: the agent's traffic, a person at the command line, ourselves."""

    AGENT = "agent"
    PERSON = "person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Why an entry exists, when another entry is the reason."""

    undo_of: int | None = None
    redo_of: int | None = None
    run: str = ""
    step: int = 0
    template: int = -1
    """Which step of the rule's `undo` it is; -1: `restore` or `delete`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who is calling: agent, session, and what is known of them."""

    agent: str = "anonymous"
    session: str = "default"
    started: str = ""
    """When the session began, RFC 3339."""
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request as it may be journaled: placeholders, foreign secrets redacted."""

    request: Request
    caller: Caller = field(default_factory=Caller)
    auth: Auth = Auth.NONE
    credential: str = ""
    """Id of our credential: stable over rotation."""
    credential_name: str = ""
    credential_labels: tuple[str, ...] = ()
    principal: str = ""
    problem: str = ""
    """Why its credentials must not be sent where it goes; '' if they may."""
    initiator: Initiator = Initiator.AGENT
    link: Link = field(default_factory=Link)
    at: str = ""
    """When it came in: RFC 3339, UTC, microseconds."""
    session_writes: int = 0
    """Changes that its session made before it; less than 0: they could not be counted."""

    @property
    def is_undo(self) -> bool:
        return self.link.undo_of is not None

    def signed(self, request: Request) -> Request:
        """A request of ours to the same origin, with the Authorization that this call bore.

        A service may want a user name beside the secret, or take but one form of it. What is
        copied holds a placeholder: the call is journaled without anything else.
        """
        given = self.request.headers.get("authorization")
        if self.auth is not Auth.OURS or not given or request.origin != self.request.origin:
            return request
        if request.headers.has("authorization"):
            return request
        return replace(request, headers=request.headers.set("Authorization", given))


class Facts(Mapping[str, object]):
    """What a policy can read of a call; each value is made when it is first asked for."""

    def __init__(self, call: Call, seen: Classified, fidelity: Fidelity, outside: bool) -> None:
        self.call = call
        self.seen = seen
        self.fidelity = fidelity
        self.outside = outside
        self._made: dict[str, object] = {}

    def __getitem__(self, name: str) -> object:
        made = self._made
        if name not in made:
            made[name] = _MAKERS[name](self)
        return made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_MAKERS)

    def __len__(self) -> int:
        return len(_MAKERS)


def facts(call: Call, seen: Classified, fidelity: Fidelity, outside: bool) -> Facts:
    """The facts of formats.md, section 1; the same for traffic, undo and `policy test`."""
    return Facts(call, seen, fidelity, outside)


_MAKERS: dict[str, Callable[[Facts], object]] = {
    "method": lambda f: f.seen.request.method,
    "scheme": lambda f: f.seen.request.origin.scheme,
    "host": lambda f: f.seen.request.origin.host,
    "port": lambda f: f.seen.request.origin.port,
    "path": lambda f: f.seen.path.shown,
    "segments": lambda f: list(f.seen.path.segments),
    "query": lambda f: dict(f.seen.decoded.query),
    "headers": lambda f: f.seen.request.headers.as_map(),
    "content_type": lambda f: _media_type(f.seen.request),
    "size": lambda f: _size(f.seen.request),
    "body": lambda f: f.seen.decoded.value,
    "body_state": lambda f: f.seen.decoded.state.value,
    "args": lambda f: arguments(f.seen),
    "operation": lambda f: f.seen.name,
    "service": lambda f: f.seen.service.name if f.seen.service else "",
    "kind": lambda f: f.seen.kind.value,
    "fidelity": lambda f: f.fidelity.value,
    "residue": lambda f: list(f.seen.operation.residue) if f.seen.operation else [],
    "outside": lambda f: f.outside,
    "proved": lambda f: f.seen.operation.proved.value if f.seen.operation else "none",
    "recipients": lambda f: recipients(f.seen),
    "targets": lambda f: targets(f.seen),
    "blast": lambda f: 1,
    "cost_usd": lambda f: 0.0,
    "auth": lambda f: f.call.auth.value,
    "forced": lambda f: forced(f.seen),
    "is_undo": lambda f: f.call.is_undo,
    "credential.name": lambda f: f.call.credential_name,
    "credential.labels": lambda f: list(f.call.credential_labels),
    "agent.id": lambda f: f.call.caller.agent,
    "agent.labels": lambda f: list(f.call.caller.labels),
    "session.id": lambda f: f.call.caller.session,
    "session.started": lambda f: moment("session.started", f.call.caller.started or f.call.at),
    "session.writes": lambda f: _writes(f.call),
    "now": lambda f: moment("now", f.call.at),
}


def moment(name: str, at: str) -> datetime:
    """Raises `ExpressionError` where no time is known, so that a rule on it fails closed."""
    try:
        return datetime.fromisoformat(at)
    except ValueError:
        raise ExpressionError(name, f"the call has no time ({at!r})") from None


def _writes(call: Call) -> int:
    if call.session_writes < 0:
        raise ExpressionError("session.writes", "the journal could not be read")
    return call.session_writes


def arguments(seen: Classified) -> dict[str, object]:
    """Raises `ExpressionError` where the service may read others than we do."""
    if seen.unread:
        raise ExpressionError("args", seen.unread)
    return dict(seen.decoded.args)


def recipients(seen: Classified) -> list[str]:
    """To whom it goes, lower case. Raises `ExpressionError` if that cannot be told."""
    operation = seen.operation
    if operation is None or operation.recipients is None or seen.service is None:
        return []
    if seen.unread:
        raise ExpressionError(operation.recipients.source, seen.unread)
    value = operation.recipients.evaluate(seen.service.language.scope(seen.names()))
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ExpressionError(operation.recipients.source, "recipients are not a list of texts")
    return [item.lower() for item in value]


def forced(seen: Classified) -> str:
    """Whether a git push rewrites history: yes, no, unknown; '' where it does not apply."""
    operation = seen.operation
    if operation is None or operation.forced is None or seen.service is None:
        return ""
    value = operation.forced.evaluate(seen.service.language.scope(seen.names()))
    return value if isinstance(value, str) else "unknown"


def targets(seen: Classified) -> list[str]:
    """The paths it touches: its own, and those that the rule binds (a MOVE's destination)."""
    out = [seen.path.shown]
    if seen.operation is not None and seen.service is not None:
        scope = seen.service.language.scope(seen.names())
        out += [str(bound.evaluate(scope)) for _, bound in seen.operation.binds]
    return out


def _media_type(request: Request) -> str:
    return request.headers.get("content-type").partition(";")[0].strip().lower()


def _size(request: Request) -> int:
    if request.body is not None:
        return len(request.body)
    length = request.headers.get("content-length")
    # ASCII digits, and not so many that int() refuses: `\xb2` is a digit to str, and not to int.
    return int(length) if length.isascii() and length.isdigit() and len(length) < 20 else -1

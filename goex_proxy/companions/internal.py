"""http://goex.internal/: what an agent may know, of itself only.

Its entries' state and answer, and what it may do. Never images, inverses, evidence, or
anything of another agent. Reached through the gateway alone.
"""

from collections.abc import Callable

from goex_proxy.core import exact
from goex_proxy.core.call import Caller
from goex_proxy.core.entry import Entry
from goex_proxy.core.exchange import Headers, Request, Response
from goex_proxy.core.state import State
from goex_proxy.engine.engine import Engine

_TOLD = {State.HELD, State.REFUSED, State.ABANDONED}
"""States whose reason the agent was told; of others it may be evidence, or somebody's edit."""
_JSON = Headers((("Content-Type", "application/json"),))


def tell(engine: Engine) -> Callable[[Caller, Request], Response]:
    """The companion of one engine."""

    def answer(caller: Caller, request: Request) -> Response:
        if request.method not in {"GET", "HEAD"}:
            return _json(405, {"message": "goex.internal is for reading"})
        parts = [part for part in request.path.split("/") if part]
        match parts:
            case []:
                return _json(200, _about(engine, caller))
            case ["entries", name]:
                entry = _own(engine, caller, name)
                if entry is not None:
                    return _json(200, _entry(entry))
            case _:
                pass
        return _json(404, {"message": "goex.internal has / and /entries/ID"})

    return answer


def _about(engine: Engine, caller: Caller) -> dict[str, object]:
    book = engine.shelf.book
    return {
        "agent": caller.agent,
        "session": caller.session,
        "posture": book.posture.value,
        "services": sorted(service.name for service in book.catalog.services),
        "rules": [
            {"effect": str(rule.effect), "operations": list(rule.operations)}
            for rule in book.rules.rules
        ],
        "paused": engine.paused,
        "advice": "what is held is not lost: do not retry, ask your user to approve it",
    }


def _own(engine: Engine, caller: Caller, name: str) -> Entry | None:
    number = name[1:]
    if not name.startswith("e") or not (number.isascii() and number.isdigit()) or len(name) > 16:
        return None
    entry = engine.ledger.load(int(number))
    if entry is None or entry.call.caller.session != caller.session:
        return None
    return entry if entry.call.caller.agent == caller.agent else None


def _entry(entry: Entry) -> dict[str, object]:
    answer = entry.response
    return {
        "id": entry.name,
        "state": entry.state.public,
        "operation": entry.opened.operation,
        "reason": (entry.reason or None) if entry.state in _TOLD else None,
        "status": answer.status if answer is not None else None,
        "answer": answer.body.decode("utf-8", "replace")
        if answer is not None and answer.body is not None
        else None,
    }


def _json(status: int, value: dict[str, object]) -> Response:
    return Response(status=status, headers=_JSON, body=exact.dumps(value))

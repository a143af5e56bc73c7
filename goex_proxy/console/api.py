"""The control API: names and JSON in, JSON out. The socket serves it; commands that find no
gateway call it in their own process. Its callers are the owner of the home, never agents."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Protocol

from goex_proxy.console.fault import where
from goex_proxy.core.entry import Entry
from goex_proxy.core.journal import State
from goex_proxy.engine.actions import ActionError, Actions, Selection
from goex_proxy.engine.callers import Callers
from goex_proxy.engine.engine import Engine
from goex_proxy.engine.undo_run import UndoRun
from goex_proxy.stores.journal_errors import JournalError
from goex_proxy.stores.vault_key import VaultError

type Args = Mapping[str, object]
type Result = dict[str, object]


_UNSETTLED = (State.IN_DOUBT, State.UNDOING)
"""What an undo cannot take back and must not pass over in silence."""


class Surroundings(Protocol):
    """What around the engine a person can ask for; the gateway's process has it."""

    async def open_session(self, name: str, agent: str, level: str, password: str) -> Result: ...
    async def close_session(self, name: str) -> None: ...
    async def over(self, name: str) -> None: ...
    def settle_sessions(self) -> None: ...
    async def refresh(self) -> None: ...
    def status(self) -> Result: ...


class Api:
    def __init__(self, engine: Engine, surroundings: Surroundings) -> None:
        self._engine = engine
        self._actions = Actions(engine)
        self._around = surroundings
        self._calls: dict[str, Callable[[Args], Awaitable[Result]]] = {
            "plan": self._plan,
            "undo": self._undo,
            "redo": self._redo,
            "keep": self._keep,
            "resolve": self._resolve,
            "approve": self._approve,
            "reject": self._reject,
            "pause": self._pause,
            "resume": self._resume,
            "status": self._status,
            "reload": self._reload,
            "refresh": self._refresh,
            "session.open": self._open_session,
            "session.close": self._close_session,
            "session.list": self._sessions,
            "agent.add": self._add_agent,
            "agent.revoke": self._revoke_agent,
            "agent.list": self._agents,
        }

    async def over(self, name: str) -> None:
        """Wait until an open session is closed."""
        await self._around.over(name)

    def fault(self, name: str, error: Exception) -> ActionError:
        """Count what nobody foresaw; what its caller is told."""
        self._engine.failed(f"control {name}: {type(error).__name__}")
        return ActionError(
            f"{name} failed in the gateway, a fault of goex-proxy: {where(error)}; "
            "no secret is in this line; more is in the gateway's own output"
        )

    async def call(
        self, name: str, args: Args, wanted: Callable[[], bool] = lambda: True
    ) -> Result:
        """`wanted`: whether somebody still waits for it; a long one ends early if not.

        Raises `ActionError`.
        """
        found = self._calls.get(name)
        if found is None:
            raise ActionError(f"there is no action {name}", 2)
        try:
            return await (self._undo(args, wanted) if name == "undo" else found(args))
        except (JournalError, VaultError, ValueError) as error:
            raise ActionError(str(error)) from None

    @property
    def _callers(self) -> Callers:
        return self._engine.callers

    async def _plan(self, args: Args) -> Result:
        cascade, force = bool(args.get("cascade")), bool(args.get("force"))
        ids = self._actions.select(_selection(args), _UNSETTLED)
        return _run(await self._actions.plan(ids, cascade=cascade, force=force))

    async def _undo(self, args: Args, wanted: Callable[[], bool] = lambda: True) -> Result:
        cascade, force = bool(args.get("cascade")), bool(args.get("force"))
        ids = self._actions.select(_selection(args), _UNSETTLED)
        by = _text(args, "by")
        run = await self._actions.undo(ids, by=by, cascade=cascade, force=force, wanted=wanted)
        return _run(run)

    async def _redo(self, args: Args) -> Result:
        return _entry(await self._actions.redo(_number(args, "id"), by=_text(args, "by")))

    async def _keep(self, args: Args) -> Result:
        ids = self._actions.select(_selection(args))
        kept = await self._actions.keep(ids, by=_text(args, "by"))
        return {"entries": [_entry(entry) for entry in kept]}

    async def _resolve(self, args: Args) -> Result:
        applied = bool(args.get("applied"))
        by = _text(args, "by")
        return _entry(await self._actions.resolve(_number(args, "id"), applied=applied, by=by))

    async def _approve(self, args: Args) -> Result:
        return _entry(await self._actions.approve(_number(args, "id"), by=_text(args, "by")))

    async def _reject(self, args: Args) -> Result:
        reason = str(args.get("reason") or "")
        by = _text(args, "by")
        return _entry(await self._actions.reject(_number(args, "id"), by=by, reason=reason))

    async def _pause(self, _: Args) -> Result:
        self._actions.pause(True)
        return {"paused": True}

    async def _resume(self, _: Args) -> Result:
        self._actions.pause(False)
        return {"paused": False}

    async def _status(self, _: Args) -> Result:
        return self._around.status() | {
            "paused": self._engine.paused,
            "posture": self._engine.shelf.book.posture.value,
            "troubles": dict(self._engine.troubles),
            "troubled": dict(self._engine.troubled),
            "sending": len(self._engine.live),
            "sessions": {k.name: k.level or "unknown" for k in self._callers.open_sessions()},
        }

    async def _reload(self, _: Args) -> Result:
        if not self._engine.shelf.reload():
            raise ActionError(f"the last good set stays: {self._engine.shelf.trouble}", 2)
        return {"reloaded": True}

    async def _refresh(self, _: Args) -> Result:
        await self._around.refresh()
        return {}

    async def _open_session(self, args: Args) -> Result:
        level, password = str(args.get("level") or ""), str(args.get("password") or "")
        return await self._around.open_session(
            _text(args, "name"), _text(args, "agent"), level, password
        )

    async def _close_session(self, args: Args) -> Result:
        await self._around.close_session(_text(args, "name"))
        return {}

    async def _sessions(self, _: Args) -> Result:
        return {"sessions": [_known(k) for k in self._callers.all("session")]}

    async def _add_agent(self, args: Args) -> Result:
        return {"password": self._callers.add_agent(_text(args, "name"))}

    async def _revoke_agent(self, args: Args) -> Result:
        self._callers.revoke_agent(_text(args, "name"))
        self._around.settle_sessions()
        return {}

    async def _agents(self, _: Args) -> Result:
        return {"agents": [_known(k) for k in self._callers.all("agent")]}


def _known(known: object) -> Result:
    fields: Result = asdict(known)  # type: ignore[call-overload]
    for name in ("digest", "kind", "left"):
        fields.pop(name)
    return fields


def _run(run: UndoRun) -> Result:
    steps = [
        {**asdict(step), "entry": f"e{step.entry}", "residue": list(step.residue)}
        for step in run.steps
    ]
    return {"run": run.run, "steps": steps}


def _entry(entry: Entry) -> Result:
    return {
        "entry": entry.name,
        "state": entry.state.public,
        "operation": entry.opened.operation,
        "reason": entry.reason,
        "status": entry.response.status if entry.response is not None else None,
    }


def _selection(args: Args) -> Selection:
    ids = args.get("ids")
    session, since, last = args.get("session"), args.get("since"), args.get("last")
    return Selection(
        ids=tuple(_whole(i) for i in ids) if isinstance(ids, list) else (),
        session=str(session) if session is not None else None,
        since=str(since) if since is not None else None,
        last=_whole(last) if last is not None else None,
    )


def _text(args: Args, name: str) -> str:
    value = args.get(name)
    if not isinstance(value, str) or not value:
        raise ActionError(f"{name} is missing", 2)
    return value


def _number(args: Args, name: str) -> int:
    return _whole(args.get(name))


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ActionError(f"{value!r} is not a whole number", 2)
    return value

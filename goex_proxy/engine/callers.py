"""Who is calling: named agents, sessions, and the anonymous of a loopback.

A password names an agent or one session; only its SHA-256 is kept (it is 256 random bits, so
there is nothing to guess and no need of a slow hash). While a session with a password is
open, nobody is anonymous.
"""

import hmac
import json
import os
import secrets
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from goex_proxy.core.call import Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """An agent or a session that may call."""

    name: str
    agent: str
    digest: str
    kind: str = "agent"
    started: str = ""
    ended: str = ""
    level: str = ""
    """How far a session's agent is kept from what the gateway guards; empty: nobody said."""
    left: bool = False
    """Ended because its gateway went, not because somebody closed it: it may be taken up again."""


class Callers:
    """The registry, kept in one 0600 JSON file that is replaced whole."""

    def __init__(self, path: Path, *, anonymous: bool = True) -> None:
        self._path = path
        self._anonymous = anonymous
        self._open: set[str] = set()
        self._known: dict[tuple[str, str], Known] = {}
        if path.exists():
            for item in json.loads(path.read_text()):
                self._put(Known(**item))

    def identify(self, user: str | None, password: str | None, local: str | None) -> Caller | None:
        """The caller with this user and password, or behind this session socket; None: refuse."""
        if local is not None:
            known = self._known.get(("session", local))
            return _caller(known) if known is not None and not known.ended else None
        if user is None:
            return Caller() if self._anonymous and not self._open else None
        for kind in ("session", "agent"):
            known = self._known.get((kind, user))
            if known is not None and not known.ended and _fits(known, password or ""):
                return _caller(known)
        return None

    def stands(self, caller: Caller) -> bool:
        """Whether a caller of earlier may still call: a tunnel outlives a session and a revocation,
        and an anonymous one the moment in which somebody opens a session."""
        if caller == Caller():
            return self.identify(None, None, None) is not None
        for key in (("session", caller.session), ("agent", caller.agent)):
            known = self._known.get(key)
            if known is not None and not known.ended and _caller(known) == caller:
                return True
        return False

    def add_agent(self, name: str) -> str:
        """A new agent's password, or a new one for it; shown once. Raises ValueError."""
        return self._add(name, name, "agent")

    def open_session(self, name: str, agent: str, level: str = "") -> str:
        """A session's password. Raises ValueError if a session of that name is open."""
        known = self._known.get(("session", name))
        if known is not None and not known.ended:
            raise ValueError(f"a session {name} is open already; choose another --session")
        return self._add(name, agent, "session", level)

    def take_up(self, name: str, password: str) -> None:
        """Open a session again that lost its gateway, under the password that its agent has.

        Raises ValueError if it was closed meanwhile, or this is not its password.
        """
        known = self._known.get(("session", name))
        if known is None or not known.left or not _fits(known, password):
            raise ValueError(f"session {name} is over")
        self._put(replace(known, ended="", left=False))
        self._save()

    def close_session(self, name: str) -> None:
        """Raises ValueError if there never was one; one that is over stays over."""
        known = self._known.get(("session", name))
        if known is None:
            raise ValueError(f"there is no session {name}")
        if not known.ended or known.left:
            self._put(replace(known, ended=known.ended or _now(), left=False))
            self._save()

    def revoke_agent(self, name: str) -> None:
        """Raises ValueError if there is no such agent."""
        known = self._known.get(("agent", name))
        if known is None or known.ended:
            raise ValueError(f"there is no agent {name}")
        theirs = [k for k in self.all("session") if k.agent == name and (k.left or not k.ended)]
        for each in (known, *theirs):
            self._put(replace(each, ended=each.ended or _now(), left=False))
        self._save()

    def close_all(self) -> None:
        """At start: sessions of a gateway that is gone are over, until one is taken up again."""
        for known in self.open_sessions():
            self._put(replace(known, ended=_now(), left=True))
        self._save()

    def open_sessions(self) -> list[Known]:
        return [k for k in self._known.values() if k.kind == "session" and not k.ended]

    def all(self, kind: str) -> list[Known]:
        return [k for k in self._known.values() if k.kind == kind]

    def _add(self, name: str, agent: str, kind: str, level: str = "") -> str:
        if not name or not all(c.isalnum() or c in "-_." for c in name) or len(name) > 64:
            raise ValueError(f"{name!r} is not a name: letters, digits, - _ . and up to 64 of them")
        password = secrets.token_urlsafe(32)
        digest = sha256(password.encode()).hexdigest()
        self._put(
            Known(name=name, agent=agent, digest=digest, kind=kind, started=_now(), level=level)
        )
        self._save()
        return password

    def _put(self, known: Known) -> None:
        self._known[known.kind, known.name] = known
        if known.kind == "session":
            (self._open.discard if known.ended else self._open.add)(known.name)

    def _save(self) -> None:
        new = self._path.with_name(self._path.name + ".new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump([asdict(known) for known in self._known.values()], file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)


def _fits(known: Known, password: str) -> bool:
    return hmac.compare_digest(known.digest, sha256(password.encode()).hexdigest())


def _caller(known: Known) -> Caller:
    session = known.name if known.kind == "session" else "default"
    return Caller(agent=known.agent, session=session, started=known.started)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

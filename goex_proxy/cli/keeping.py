"""A session kept open while its agent runs, also over a restart of the gateway."""

import threading
from typing import TYPE_CHECKING

from goex_proxy.cli.render import plain, talk

if TYPE_CHECKING:
    from types import TracebackType

    from goex_proxy.cli.gateway_process import Door
    from goex_proxy.console.client import Lease
    from goex_proxy.home import Home

_POLL = 0.5
_PATIENCE = 10.0


class Keeping:
    """While it is entered, the session's lease is held; it ends with this process at the latest.

    When its gateway goes, the session is taken up again in the next one, under the same
    password; when a person closes the session, that is said.
    """

    def __init__(self, home: "Home", door: "Door") -> None:
        self._home = home
        self._door = door
        self._who = door.who
        self._lease: Lease | None = door.lease
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    def __enter__(self) -> "Keeping":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: "TracebackType | None",
    ) -> None:
        with self._lock:
            self._ending.set()
            if self._lease is not None:
                self._lease.end()
        self._thread.join(_PATIENCE)

    def _keep(self) -> None:
        lease: Lease | None = self._door.lease
        while lease is not None:
            closed = lease.wait()
            if self._ending.is_set():
                return
            if closed:
                _say(f"session {self._who.name} was closed: its calls are refused from now on")
                return
            lease = self._again()

    def _again(self) -> "Lease | None":
        """The session, in the next gateway; None if it shall be no more."""
        address = self._door.address
        _say(f"the gateway has gone, and this agent cannot call; goex serve --listen {address}")
        with self._lock:
            self._lease = None
        while not self._ending.wait(_POLL):
            lease, over = self._tried()
            if over:
                return None
            if lease is None:
                continue
            with self._lock:
                self._lease = lease
                if self._ending.is_set():
                    lease.end()
            self._greet(lease)
            return lease
        return None

    def _tried(self) -> "tuple[Lease | None, bool]":
        from goex_proxy.console.client import Lease, NoGateway, Refused

        args: dict[str, object] = {"name": self._who.name, "agent": self._who.agent}
        try:
            return Lease(self._home.socket, args | {"password": self._who.password}), False
        except NoGateway:
            return None, False
        except Refused as error:
            _say(f"the gateway is back, but this session is not: {plain(error)}")
            return None, True

    def _greet(self, lease: "Lease") -> None:
        from goex_proxy.cli.gateway_process import address

        now, before = address(lease.opened), self._door.address
        if now == before:
            _say(f"the gateway is back, and session {self._who.name} goes on")
        else:
            _say(f"the gateway is back on {now}, but this agent was told {before}")


def _say(text: str) -> None:
    # The agent may have the terminal in raw mode: a line needs its carriage return.
    talk(f"\r\ngoex: {text}\r")

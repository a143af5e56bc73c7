"""What an event makes mitmproxy's layers want, done: bytes, connections, hooks.

In the place of `ConnectionHandler.server_event`, for speed. All that an event makes us say to one
connection goes out in one write (each is a system call, the dearest thing on the path of a
request), and what can be done at once is done without a task. Events are handled one after
another, in order; nothing here waits.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from mitmproxy.connection import Connection
from mitmproxy.proxy import commands, events, server
from mitmproxy.proxy.context import Context
from mitmproxy.utils import asyncio_utils

from goex_proxy.gateway.wait import Await


class Pump(server.ConnectionHandler):
    """A connection handler; `Link` says what its hooks do."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._events: deque[events.Event] = deque()
        self._pumping = False
        self._unwritten: dict[Connection, list[bytes]] = {}
        self._hooks: set[asyncio.Task[None]] = set()
        self._acts: dict[type[commands.Command], Callable[[Any], None]] = {
            commands.SendData: self._send,
            commands.OpenConnection: self._open,
            commands.CloseConnection: self._shut,
            commands.CloseTcpConnection: self._shut,
            commands.RequestWakeup: self._wake_later,
            commands.Log: self._log,
            Await: self._await,
        }

    async def server_event(self, event: events.Event) -> None:
        """Handle it now; if one is being handled, right after that."""
        self._events.append(event)
        if self._pumping:
            return
        self._pumping = True
        self.timeout_watchdog.register_activity()
        try:
            while self._events:
                self._handle(self._events.popleft())
        finally:
            self._pumping = False
            self._write_all()

    def _handle(self, event: events.Event) -> None:
        acts = self._acts
        try:
            for command in self.layer.handle_event(event):
                act = acts.get(type(command))
                if act is not None:
                    act(command)
                elif isinstance(command, commands.StartHook):
                    self.at_once(command)
                    if command.blocking:
                        self._events.append(events.HookCompleted(command))
                else:
                    raise TypeError(type(command).__name__)
        except Exception:  # noqa: BLE001 - a crashed layer: `log` closes the connection
            self.log("a layer has crashed", logging.ERROR, exc_info=True)

    def at_once(self, hook: commands.StartHook) -> None:
        """Do what a hook asks for. Raises what goes wrong: the connection is closed then."""
        raise NotImplementedError

    # -- commands

    def _send(self, command: commands.SendData) -> None:
        self._unwritten.setdefault(command.connection, []).append(command.data)

    def _write_all(self) -> None:
        if self._unwritten:
            unwritten, self._unwritten = self._unwritten, {}
            for connection, pieces in unwritten.items():
                self._write(connection, pieces)

    def _write(self, connection: Connection, pieces: list[bytes]) -> None:
        io = self.transports.get(connection)
        if io is not None and io.writer is not None and not io.writer.is_closing():
            io.writer.write(pieces[0] if len(pieces) == 1 else b"".join(pieces))

    def _open(self, command: commands.OpenConnection) -> None:
        handler = asyncio_utils.create_task(
            self.open_connection(command),
            name="connection to a service",
            keep_ref=False,
            client=self.client.peername,
        )
        self.transports[command.connection] = server.ConnectionIO(handler=handler)

    def _shut(self, command: commands.CloseConnection) -> None:
        connection = command.connection
        if connection not in self.transports:
            return  # it has been closed already
        pieces = self._unwritten.pop(connection, None)
        if pieces is not None:
            self._write(connection, pieces)
        half = isinstance(command, commands.CloseTcpConnection) and command.half_close
        self.close_connection(connection, half)

    def _wake_later(self, command: commands.RequestWakeup) -> None:
        task = asyncio_utils.create_task(self.wakeup(command), name="wake", keep_ref=False)
        self.wakeup_timer.add(task)

    def _log(self, command: commands.Log) -> None:
        self.log(command.message, command.level)

    def _await(self, hook: Await) -> None:
        """Begin at once: what needs no waiting is over when this returns."""
        loop = asyncio.get_running_loop()
        task = asyncio.Task(self._awaited(hook), loop=loop, eager_start=True)
        if not task.done():
            self._hooks.add(task)
            task.add_done_callback(self._hooks.discard)

    async def _awaited(self, hook: Await) -> None:
        with self.timeout_watchdog.disarm():
            await hook.run()
        await self.server_event(events.HookCompleted(hook))

"""HTTP/2 by hand (hyper-h2): an agent that resets streams, and a service that speaks h2."""

import asyncio
from collections.abc import Callable
from typing import Any

import h2.config
import h2.connection
import h2.events

from tests.gateway.bed import HOST, Bed

type Fields = list[tuple[str, str]]


def texts(event: Any) -> Fields:  # noqa: ANN401 - any of three events
    """hyper-h2's headers as text, which is what `header_encoding` made of them."""
    return list(event.headers)


class H2Agent:
    """One h2 connection through the gateway."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        config = h2.config.H2Configuration(client_side=True, header_encoding="utf-8")
        self.connection = h2.connection.H2Connection(config)
        self.connection.initiate_connection()
        self.statuses: dict[int, int] = {}
        self.bodies: dict[int, bytearray] = {}
        self.trailers: dict[int, Fields] = {}
        self.ended: set[int] = set()
        self.reset: set[int] = set()
        self.flush()

    @classmethod
    async def open(cls, it: Bed) -> "H2Agent":
        reader, writer = await it.connect(tls=False)
        context = it.trust()
        context.set_alpn_protocols(["h2"])
        await writer.start_tls(context, server_hostname=HOST)
        return cls(reader, writer)

    def flush(self) -> None:
        self.writer.write(self.connection.data_to_send())

    def ask(self, method: str, path: str, *, end: bool = True, **more: str) -> int:
        number: int = self.connection.get_next_available_stream_id()
        head = [(":method", method), (":scheme", "https"), (":path", path)]
        head += [(":authority", more.pop("authority", HOST)), *more.items()]
        self.connection.send_headers(number, head, end_stream=end)
        self.flush()
        return number

    def send(self, number: int, data: bytes, *, end: bool = False) -> None:
        self.connection.send_data(number, data, end_stream=end)
        self.flush()

    def cancel(self, number: int) -> None:
        self.connection.reset_stream(number, error_code=8)
        self.flush()

    async def until(self, done: Callable[[], bool], within: float = 10.0) -> None:
        async with asyncio.timeout(within):
            while not done():
                data = await self.reader.read(65535)
                if not data:
                    return
                for event in self.connection.receive_data(data):
                    self._take(event)
                self.flush()

    def _take(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.ResponseReceived):
            self.statuses[event.stream_id] = int(dict(texts(event))[":status"])
        elif isinstance(event, h2.events.TrailersReceived):
            self.trailers[event.stream_id] = texts(event)
        elif isinstance(event, h2.events.DataReceived):
            self.bodies.setdefault(event.stream_id, bytearray()).extend(event.data)
            self.connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            self.ended.add(event.stream_id)
        elif isinstance(event, h2.events.StreamReset):
            self.reset.add(event.stream_id)


class H2Service:
    """Answers each request with its own head, as text, in h2; counts connections."""

    def __init__(self, trailers: Fields | None = None) -> None:
        self.trailers = trailers
        self.connections = 0
        self.bodies: dict[int, bytes] = {}
        self.heads: list[Fields] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        config = h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
        connection = h2.connection.H2Connection(config)
        connection.initiate_connection()
        writer.write(connection.data_to_send())
        heads: dict[int, Fields] = {}
        while data := await reader.read(65535):
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    heads[event.stream_id] = texts(event)
                    self.heads.append(texts(event))
                elif isinstance(event, h2.events.DataReceived):
                    self.bodies[event.stream_id] = (
                        self.bodies.get(event.stream_id, b"") + event.data
                    )
                    connection.acknowledge_received_data(
                        event.flow_controlled_length, event.stream_id
                    )
                elif isinstance(event, h2.events.StreamEnded):
                    self._answer(connection, event.stream_id, heads.pop(event.stream_id))
            writer.write(connection.data_to_send())
            await writer.drain()
        writer.close()

    def _answer(self, connection: h2.connection.H2Connection, number: int, head: Fields) -> None:
        body = "\n".join(f"{k}: {v}" for k, v in head).encode()
        connection.send_headers(number, [(":status", "200"), ("content-type", "text/plain")])
        connection.send_data(number, body, end_stream=self.trailers is None)
        if self.trailers is not None:
            connection.send_headers(number, self.trailers, end_stream=True)

"""The one way out of a sealed view: 127.0.0.1:PORT inside it -> the session's Unix socket.

It forwards bytes both ways, half-closes included, and knows nothing of what they mean. The
socket is the session's identity, so whoever can connect to the port is that session already.
"""

import asyncio
import contextlib
import socket

_CHUNK = 64 * 1024
_BACKLOG = 512


def listen(port: int) -> socket.socket:
    """The relay's listening socket: made before the agent starts, so that it never races it."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(_BACKLOG)
    return listener


def serve(listener: socket.socket, gateway: str) -> None:
    """Forward connections until the process ends."""
    asyncio.run(_serve(listener, gateway))


async def _serve(listener: socket.socket, gateway: str) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_unix_connection(gateway)
        except OSError:
            # The gateway has gone: an immediate reset tells the client more than silence.
            writer.transport.abort()
            return
        try:
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        except OSError:
            # One side is broken: the other must not wait for it.
            writer.transport.abort()
            far_writer.transport.abort()
        finally:
            for side in (writer, far_writer):
                side.close()
                with contextlib.suppress(OSError):
                    await side.wait_closed()

    server = await asyncio.start_server(answer, sock=listener)
    await server.serve_forever()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(_CHUNK):
        writer.write(chunk)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()

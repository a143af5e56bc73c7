"""Asking a running gateway, over its control socket. Standard library only: commands start fast."""

import http.client
import json
import socket
from contextlib import suppress
from pathlib import Path

_PATIENCE = 60.0


class NoGateway(Exception):
    """Nobody answers on the control socket."""


class Refused(Exception):
    """The gateway said no: its words, and the exit code they stand for."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("goex", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def ask(
    path: Path, name: str, args: dict[str, object], timeout: float = 900.0
) -> dict[str, object]:
    """Have the gateway do something. Raises `NoGateway`, `Refused`."""
    connection = _Connection(path, timeout)
    try:
        body = json.dumps(args)
        try:
            connection.request("POST", f"/v1/{name}", body, {"Content-Type": "application/json"})
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise NoGateway(str(error)) from None
        answer = connection.getresponse()
        result: dict[str, object] = json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Refused(f"the gateway did not answer: {error}", 1) from None
    finally:
        connection.close()
    if answer.status != 200:
        raise _refused(result)
    return result


class Lease:
    """A session, open in one gateway process as long as this connection is (console/lease.py).

    However this process ends, the session is over then. `opened`: what the gateway says of it.
    """

    def __init__(self, path: Path, args: dict[str, object]) -> None:
        """Raises `NoGateway` (also if one went in the middle), `Refused`."""
        self._connection = _Connection(path, _PATIENCE)
        try:
            self._answer = self._asked(json.dumps(args).encode() + b"\n")
            line: dict[str, object] = json.loads(self._answer.readline())
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._connection.close()
            raise NoGateway(str(error)) from None
        if self._answer.status != 200:
            self._connection.close()
            raise _refused(line)
        self.opened = line

    def _asked(self, line: bytes) -> http.client.HTTPResponse:
        self._connection.putrequest("POST", "/v1/session.lease")
        self._connection.putheader("Transfer-Encoding", "chunked")
        self._connection.endheaders()
        self._socket = self._connection.sock
        self._socket.sendall(b"%x\r\n%s\r\n" % (len(line), line))
        answer = self._connection.getresponse()
        self._socket.settimeout(None)
        return answer

    def wait(self) -> bool:
        """Wait for the session's end; False: not its end, but its gateway has gone."""
        try:
            return bool(self._answer.readline())
        except (OSError, http.client.HTTPException, ValueError):
            return False
        finally:
            self._connection.close()

    def end(self) -> None:
        """Say that the session is over; `wait`, in another thread, returns once it is."""
        with suppress(OSError):
            self._socket.sendall(b"0\r\n\r\n")


def _refused(result: dict[str, object]) -> Refused:
    code = result.get("code")
    return Refused(str(result.get("error")), code if isinstance(code, int) else 1)

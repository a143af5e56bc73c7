"""Asking a running gateway, over its control socket. Standard library only: commands start fast."""

import http.client
import json
import socket
from pathlib import Path


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
        code = result.get("code")
        raise Refused(str(result.get("error")), code if isinstance(code, int) else 1)
    return result

"""What every bed is: a server, its address, and a plain way to look into it past the proxy."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tests.beds.server import Server

TIMEOUT_SECONDS = 20.0


class Bed(Protocol):
    """A started third-party service."""

    server: Server

    @property
    def url(self) -> str:
        """Its address: `http://127.0.0.1:PORT`, no trailing slash."""

    def reset(self) -> None:
        """Back to the seed, on the same address."""

    def stop(self) -> None:
        """End it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came: header names in lower case, the last of a repeated name wins."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - a test reads into it
        """The body as JSON; None for an empty one."""
        return json.loads(self.body) if self.body else None


def ask(
    port: int,
    method: str,
    path: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: object = None,
) -> Reply:
    """One plain-HTTP request to 127.0.0.1, no proxy, no redirect; a body that is not bytes goes as JSON."""
    named = dict(headers or {})
    named.setdefault("User-Agent", "goex-bed")
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    if data is not None and not isinstance(body, bytes):
        named.setdefault("Content-Type", "application/json; charset=utf-8")
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        link.request(method, path, body=data, headers=named)
        answer = link.getresponse()
        return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
    finally:
        link.close()


def log_in(directory: Path, name: str) -> Path:
    """Where a bed's server writes what it says."""
    directory.mkdir(parents=True, exist_ok=True)
    return directory / f"{name}.log"

"""An agent's side: plain HTTP through the gateway's proxy port, nothing of our own in between."""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """What the agent got. Header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - a test reads into it
        return json.loads(self.body) if self.body else None

    @property
    def entry(self) -> int:
        """The number of the entry that the answer names."""
        return int(self.headers["x-goex-entry"].removeprefix("e"))

    @property
    def goex(self) -> dict[str, Any]:
        """What goex-proxy itself says in the body; empty if the service answered."""
        value = self.json if "json" in self.headers.get("content-type", "") else None
        said: dict[str, Any] = value.get("goex", {}) if isinstance(value, dict) else {}
        return said


class Pending:
    """A request that is out, and whose caller may still hang up."""

    def __init__(self, link: http.client.HTTPConnection) -> None:
        self._link = link

    def answer(self) -> Answer:
        try:
            got = self._link.getresponse()
            return Answer(got.status, {k.lower(): v for k, v in got.getheaders()}, got.read())
        finally:
            self._link.close()

    def hang_up(self) -> None:
        """Close the connection without reading."""
        self._link.close()


def start(
    proxy: tuple[str, int],
    trust: ssl.SSLContext,
    method: str,
    url: str,
    *,
    json_body: object = None,
    form: Mapping[str, str] | None = None,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = 30.0,
) -> Pending:
    """Send one request through the proxy; the answer is still to be read."""
    parts = urllib.parse.urlsplit(url)
    named = {"Host": parts.netloc, "User-Agent": "behaviour", **(headers or {})}
    if json_body is not None:
        body = json.dumps(json_body).encode()
        named.setdefault("Content-Type", "application/json")
    if form is not None:
        body = urllib.parse.urlencode(form).encode()
        named.setdefault("Content-Type", "application/x-www-form-urlencoded")
    target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    link: http.client.HTTPConnection
    if parts.scheme == "https":
        link = http.client.HTTPSConnection(*proxy, context=trust, timeout=timeout)
        link.set_tunnel(parts.hostname or "", parts.port or 443)
    else:
        link = http.client.HTTPConnection(*proxy, timeout=timeout)
        target = f"http://{parts.netloc}{target}"
    try:
        link.request(method, target, body=body, headers=named)
    except BaseException:
        link.close()
        raise
    return Pending(link)

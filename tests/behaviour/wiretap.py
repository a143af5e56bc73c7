"""Requests byte by byte, as no well-behaved client would send them."""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import ssl
from dataclasses import dataclass

from tests.behaviour.agent import Answer

PLAIN = "plain"
"""For `sni`: no TLS inside the tunnel."""
NONE = "none"
"""For `sni`: TLS without a server name."""
NOTHING = Answer(0, {}, b"")
"""The connection was closed without an answer."""


def send(
    proxy: tuple[str, int],
    trust: ssl.SSLContext,
    data: bytes,
    *,
    tunnel: str | None = None,
    sni: str | None = None,
    connect: str | None = None,
    seconds: float = 10.0,
    method: str = "GET",
) -> Answer:
    """Send `data`, inside a CONNECT to `tunnel` if one is named; the first answer to it.

    `sni`: of the TLS inside; by default the tunnel's host. `connect`: the whole CONNECT head.
    `method`: how the answer is to be framed (HEAD has no body).
    """
    with socket.create_connection(proxy, timeout=seconds) as link:
        if tunnel is None and connect is None:
            return _ask(link, data, method)
        asked = connect or f"CONNECT {tunnel} HTTP/1.1\r\nHost: {tunnel}\r\n\r\n"
        link.sendall(asked.encode("latin-1"))
        head = _head(link)
        if not head.startswith(b"HTTP/1.1 200"):
            return _answer(_Said(head, link), "GET")
        if sni == PLAIN:
            return _ask(link, data, method)
        with _wrapped(link, trust, sni, tunnel or "") as inner:
            return _ask(inner, data, method)


def _wrapped(
    link: socket.socket, trust: ssl.SSLContext, sni: str | None, tunnel: str
) -> ssl.SSLSocket:
    lax = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    lax.check_hostname = False
    lax.load_verify_locations(cadata=_pem(trust))
    name = None if sni == NONE else sni or tunnel.rpartition(":")[0]
    return lax.wrap_socket(link, server_hostname=name)


def _pem(trust: ssl.SSLContext) -> str:
    return "".join(ssl.DER_cert_to_PEM_cert(der) for der in trust.get_ca_certs(binary_form=True))


def _ask(link: socket.socket, data: bytes, method: str) -> Answer:
    with contextlib.suppress(OSError):  # refused before it was all sent: the answer says so
        link.sendall(data)
    return _answer(link, method)


def _head(link: socket.socket) -> bytes:
    held = b""
    while b"\r\n\r\n" not in held:
        more = link.recv(4096)
        if not more:
            break
        held += more
    return held


@dataclass(slots=True)
class _Said:
    """What was read already, and then the rest, as http.client wants it."""

    head: bytes
    link: socket.socket

    def makefile(self, mode: str) -> io.BufferedReader:
        rest = b""
        length = self.head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        wanted = int(length or b"0") - len(self.head.partition(b"\r\n\r\n")[2])
        while wanted > len(rest):
            more = self.link.recv(4096)
            if not more:
                break
            rest += more
        return io.BufferedReader(io.BytesIO(self.head + rest))


def _answer(link: socket.socket | _Said, method: str) -> Answer:
    got = http.client.HTTPResponse(link, method=method)  # type: ignore[arg-type]
    try:
        got.begin()
        body = got.read()
    except (http.client.HTTPException, OSError):
        return NOTHING
    fields = {name.lower(): value for name, value in got.getheaders()}
    return Answer(got.status, fields, body)

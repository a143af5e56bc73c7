"""One HTTP/2 request through a CONNECT, with pseudo headers of the test's choice."""

from __future__ import annotations

import socket
import ssl

import h2.config
import h2.connection
import h2.events
import h2.exceptions


def get(
    proxy: tuple[str, int],
    tunnel: str,
    sni: str,
    authority: str,
    fields: list[tuple[str, str]],
    *,
    method: str = "GET",
    path: str = "/",
    body: bytes | None = None,
) -> tuple[int, bytes]:
    """Status and body; (0, b"") if the stream or the connection was ended without an answer."""
    with socket.create_connection(proxy, timeout=10) as link:
        link.sendall(f"CONNECT {tunnel} HTTP/1.1\r\nHost: {tunnel}\r\n\r\n".encode("latin-1"))
        said = link.recv(4096)
        if not said.startswith(b"HTTP/1.1 200"):
            return int(said.split(b" ")[1]), b""
        lax = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        lax.check_hostname, lax.verify_mode = False, ssl.CERT_NONE
        lax.set_alpn_protocols(["h2"])
        with lax.wrap_socket(link, server_hostname=sni) as inner:
            assert inner.selected_alpn_protocol() == "h2"
            head = [(":method", method), (":scheme", "https"), (":path", path)]
            return _exchange(inner, [*head, (":authority", authority), *fields], body)


def _exchange(
    link: ssl.SSLSocket, head: list[tuple[str, str]], body: bytes | None
) -> tuple[int, bytes]:
    lax = h2.config.H2Configuration(
        client_side=True, header_encoding="utf-8", validate_outbound_headers=False,
        normalize_outbound_headers=False,
    )  # fmt: skip
    talk = h2.connection.H2Connection(lax)
    talk.initiate_connection()
    talk.send_headers(1, head, end_stream=body is None)
    if body is not None:
        talk.send_data(1, body, end_stream=True)
    link.sendall(talk.data_to_send())
    status, got = 0, b""
    while data := link.recv(65536):
        for event in talk.receive_data(data):
            if isinstance(event, h2.events.ResponseReceived):
                status = int({str(k): v for k, v in event.headers}[":status"])
            elif isinstance(event, h2.events.DataReceived):
                got += event.data
                talk.acknowledge_received_data(event.flow_controlled_length, 1)
            elif isinstance(event, h2.events.StreamEnded):
                return status, got
            elif isinstance(event, h2.events.StreamReset | h2.events.ConnectionTerminated):
                return 0, b""
        link.sendall(talk.data_to_send())
    return status, got

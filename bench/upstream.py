"""What the gateways talk to: nginx over TLS, and a small server for streams and uploads."""

import http.server
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.beds.certificates import BedAuthority

HOST = "localhost"
ANSWER = '{"id": 1042, "title": "found", "state": "open", "labels": ["bug", "ui"], "n": 7}  '
"""82 bytes."""
BIG = 100 << 20

_CONFIG = """\
daemon off; worker_processes 1; pid {at}/nginx.pid; error_log {at}/error.log crit;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 100000000; keepalive_timeout 600s;
  client_body_temp_path {at}/body; proxy_temp_path {at}/proxy; fastcgi_temp_path {at}/f;
  uwsgi_temp_path {at}/u; scgi_temp_path {at}/s;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {certificate}; ssl_certificate_key {key}; ssl_protocols TLSv1.3;
    client_max_body_size 0;
    default_type application/json;
    location / {{ return 200 '{answer}'; }}
    location = /big {{ root {at}; default_type application/octet-stream; sendfile on; }}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where it is, and the CA to trust."""

    port: int
    slow_port: int
    """Server-sent events at /sse, uploads read to their end anywhere."""
    ca: Path

    @property
    def host(self) -> str:
        return f"{HOST}:{self.port}"


@contextmanager
def upstream(at: Path) -> Iterator[Upstream]:
    """Both servers, until the end of the block. Raises RuntimeError if there is no nginx."""
    binary = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if binary is None:
        raise RuntimeError("the bench needs nginx: apt-get install nginx-light")
    at.chmod(0o755)  # nginx's worker is nobody, if we are root
    authority = BedAuthority(at / "ca")
    certificate, key = authority.issue(HOST)
    port = _free_port()
    text = _CONFIG.format(at=at, port=port, certificate=certificate, key=key, answer=ANSWER)
    (at / "nginx.conf").write_text(text)
    with (at / "big").open("wb") as file:
        file.truncate(BIG)
    process = subprocess.Popen([binary, "-c", str(at / "nginx.conf"), "-p", str(at)])
    slow = _slow(certificate, key)
    try:
        _wait_for(port)
        yield Upstream(port, slow.server_address[1], authority.certificate_file)
    finally:
        slow.shutdown()
        slow.server_close()
        process.terminate()
        process.wait(10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


def _wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("nginx does not listen")


class _Slow(http.server.BaseHTTPRequestHandler):
    """An event stream whose events say when they were written; uploads that are read whole."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for _ in range(20):
            event = f"data: {time.perf_counter():.6f}\n\n".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
            self.wfile.flush()
            time.sleep(0.05)
        self.wfile.write(b"0\r\n\r\n")

    def do_POST(self) -> None:
        left = int(self.headers["Content-Length"])
        while left > 0:
            left -= len(self.rfile.read(min(left, 1 << 18)))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def _slow(certificate: Path, key: Path) -> http.server.ThreadingHTTPServer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Slow)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server

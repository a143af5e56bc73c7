"""A service that keeps notes in memory: what a gateway changes, reads back and would undo."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

HOST = "notes.example.test"


class _Notes(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "_Server"

    def do_GET(self) -> None:
        self._tell(self._note())

    def do_PATCH(self) -> None:
        change = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        note = self._note() | change
        self.server.notes[self.path] = note
        self._tell(note)

    def _note(self) -> dict[str, object]:
        fresh: dict[str, object] = {"title": "found", "labels": ["a"], "n": 7}
        return self.server.notes.get(self.path, fresh)

    def _tell(self, note: dict[str, object]) -> None:
        body = json.dumps(note).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Notes)
        self.notes: dict[str, dict[str, object]] = {}


@contextmanager
def notes() -> Iterator[int]:
    """The service, until the end of the block: its port."""
    server = _Server()
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()

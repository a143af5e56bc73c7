"""WsgiDAV over a directory that a test can read by itself."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path

from tests.beds import cache
from tests.beds.bed import Reply, ask, log_in
from tests.beds.server import Server, clean_env, free_port

PINS = ("wsgidav==4.4.0", "cheroot==11.1.2", "PyYAML==6.0.3")


class WebDav:
    """A WebDAV share, anonymous, or behind HTTP Basic when `user` and `password` are given."""

    def __init__(self, at: Path, *, user: str = "", password: str = "") -> None:
        python = cache.venv("wsgidav-4.4.0", *PINS)
        self.user, self.password = user, password
        self.directory = at / "share"
        self.directory.mkdir(parents=True, exist_ok=True)
        port = free_port()
        config = at / "wsgidav.json"
        config.write_text(json.dumps(self._config(port)))
        config.chmod(0o600)
        line = [
            str(python),
            "-m",
            "wsgidav.server.server_cli",
            "--config",
            str(config),
        ]
        self.server = Server(line, port=port, log=log_in(at, "webdav"), env=clean_env())
        self.server.start()

    def _config(self, port: int) -> dict[str, object]:
        accounts: object = {self.user: {"password": self.password}} if self.user else True
        return {
            "host": "127.0.0.1",
            "port": port,
            "provider_mapping": {"/": str(self.directory)},
            "simple_dc": {"user_mapping": {"*": accounts}},
            "http_authenticator": {
                "accept_basic": True,
                "accept_digest": False,
                "default_to_digest": False,
            },
            "lock_storage": True,
            "property_manager": True,
        }

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    def reset(self) -> None:
        """An empty share, no locks, no dead properties."""
        self.server.stop()
        shutil.rmtree(self.directory)
        self.directory.mkdir()
        self.server.start()

    def stop(self) -> None:
        self.server.stop()

    def tree(self) -> dict[str, bytes]:
        """Every file on disk, `path -> bytes`; an empty directory is `path/ -> b""`."""
        found: dict[str, bytes] = {}
        for path in sorted(self.directory.rglob("*")):
            name = path.relative_to(self.directory).as_posix()
            if path.is_file():
                found[name] = path.read_bytes()
            elif not any(path.iterdir()):
                found[f"{name}/"] = b""
        return found

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        """One request straight to the bed; `If_None_Match="*"` is the header If-None-Match."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.user:
            pair = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            named.setdefault("Authorization", f"Basic {pair}")
        return ask(self.server.port, method, path, headers=named, body=body)

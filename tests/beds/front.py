"""nginx before a bed: verified TLS under the service's real name, HTTP Basic, and a witness of credentials."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.beds import cache
from tests.beds.bed import log_in
from tests.beds.cache import Unavailable
from tests.beds.certificates import BedAuthority
from tests.beds.server import Server, clean_env, free_port


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as nginx saw it. `credential` is the name given to the secret that arrived, `none`, or `other`."""

    method: str
    path: str
    status: int
    credential: str
    host: str
    protocol: str
    server_name: str
    bytes_in: int


def nginx() -> str:
    """The nginx binary; installed by apt when we are root on a Debian and it is missing."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))
    found = shutil.which("nginx", path=path)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        cache.command(["apt-get", "install", "-y", "--no-install-recommends", "nginx-light"])
        found = shutil.which("nginx", path=path)
    if found is None:
        raise Unavailable("nginx is not installed (and we cannot: not root, or no apt-get)")
    return found


class Front:
    """nginx on 127.0.0.1 that ends TLS for `host` and hands on to `upstream` (`http://127.0.0.1:PORT`).

    With `basic`, it demands that user and password itself and passes nothing of them on. Each name in
    `secrets` labels one exact Authorization value: `Bearer S` or `token S` of a secret. No value is logged.
    """

    def __init__(
        self, at: Path, upstream: str, *, host: str, authority: BedAuthority,
        basic: tuple[str, str] | None = None, secrets: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        at.mkdir(parents=True, exist_ok=True)
        self.host, self.basic = host, basic
        self.port = free_port()
        self.access = at / "access.jsonl"
        self.access.touch()
        labels = dict(secrets or {})
        config = at / "nginx.conf"
        config.touch(mode=0o600)
        config.write_text(self._config(at, upstream, authority, labels))
        line = [nginx(), "-p", str(at), "-c", str(config), "-e", str(at / "error.log")]
        self.server = Server(line, port=self.port, log=log_in(at, "nginx"), env=clean_env())
        self.server.start()

    @property
    def url(self) -> str:
        """Where it is; its certificate is for `host`, so a client names that and connects here."""
        return f"https://127.0.0.1:{self.port}"

    def stop(self) -> None:
        self.server.stop()

    def reset(self) -> None:
        """Forget what was seen. nginx writes with O_APPEND, so truncating is enough."""
        os.truncate(self.access, 0)

    def seen(self, at_least: int = 0) -> list[Seen]:
        """What came so far, in order of completion. nginx logs after it answered: wait up to 2 s for `at_least`."""
        for _ in range(100):
            rows = self.access.read_text().splitlines()
            if len(rows) >= at_least:
                break
            time.sleep(0.02)
        return [_seen(json.loads(row)) for row in rows]

    def _config(self, at: Path, upstream: str, ca: BedAuthority, labels: Mapping[str, str]) -> str:
        certificate, key = ca.issue(self.host)
        named = "\n".join(_label(name, secret) for name, secret in labels.items())
        demand = ""
        if self.basic:
            named += "\n" + _exact("basic", f"Basic {_pair(self.basic)}")
            users = at / "users"
            users.touch(mode=0o600)
            users.write_text(_htpasswd(*self.basic))
            demand = f'auth_basic "bed"; auth_basic_user_file {users}; proxy_set_header Authorization "";'
        user = "user root;" if os.geteuid() == 0 else ""
        return CONFIG.format(
            at=at, user=user, port=self.port, host=self.host, certificate=certificate, key=key,
            named=named, demand=demand, upstream=upstream, access=self.access,
        )  # fmt: skip


# Destination (WebDAV) is rewritten to the scheme the bed sees, as every TLS front of a WebDAV server must.
CONFIG = """
daemon off; {user} worker_processes 1; pid {at}/nginx.pid;
events {{ worker_connections 1024; }}
http {{
  client_body_temp_path {at}/body; proxy_temp_path {at}/proxy; fastcgi_temp_path {at}/f;
  uwsgi_temp_path {at}/u; scgi_temp_path {at}/s;
  client_max_body_size 0; map_hash_bucket_size 512;
  map $http_authorization $credential {{ default other; "" none;
{named}
  }}
  map $http_destination $destination {{ default $http_destination; "~^https://(?<rest>.*)$" http://$rest; }}
  log_format seen escape=json '{{"method":"$request_method","path":"$request_uri","status":"$status",'
    '"credential":"$credential","host":"$http_host","protocol":"$server_protocol",'
    '"server_name":"$ssl_server_name","bytes_in":"$request_length"}}';
  access_log {access} seen;
  server {{
    listen 127.0.0.1:{port} ssl http2;
    server_name {host};
    ssl_certificate {certificate}; ssl_certificate_key {key}; ssl_protocols TLSv1.2 TLSv1.3;
    location / {{
      {demand}
      proxy_pass {upstream};
      proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $http_host; proxy_set_header Destination $destination;
      proxy_request_buffering off; proxy_buffering off;
    }}
  }}
}}
"""


def _seen(row: Mapping[str, str]) -> Seen:
    return Seen(
        method=row["method"], path=row["path"], status=int(row["status"]), host=row["host"],
        credential=row["credential"], protocol=row["protocol"], server_name=row["server_name"],
        bytes_in=int(row["bytes_in"]),
    )  # fmt: skip


def _label(name: str, secret: str) -> str:
    return "\n".join(_exact(name, f"{scheme} {secret}") for scheme in ("Bearer", "token"))


def _exact(name: str, value: str) -> str:
    """A map row; a regex, because nginx compares plain strings without regard to case."""
    quoted = re.escape(value).replace('"', '\\"')
    return f'    "~^{quoted}$" {name};'


def _pair(basic: tuple[str, str]) -> str:
    return base64.b64encode(":".join(basic).encode()).decode()


def _htpasswd(user: str, password: str) -> str:
    salt = os.urandom(8)
    digest = hashlib.sha1(password.encode() + salt, usedforsecurity=False).digest()
    return f"{user}:{{SSHA}}{base64.b64encode(digest + salt).decode()}\n"

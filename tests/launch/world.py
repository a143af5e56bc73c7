"""A user's machine in small: a home with secrets, a gateway's home, sockets, and who looks."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from goex_proxy.launch.bubblewrap import find_bubblewrap

DRIVER = Path(__file__).with_name("driver.py")
NOBODY = 65534
SECRET = "the-real-secret"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass
class World:
    """What a view is made of and looked at from. `user` None is the user who runs the tests."""

    base: Path
    engine: str
    user: int | None
    sockets: list[socket.socket] = field(default_factory=list)

    @property
    def home(self) -> Path:
        return self.base / "home"

    @property
    def goex(self) -> Path:
        return self.home / ".goex-proxy"

    @property
    def session(self) -> Path:
        """The socket of a sealed session, in a folder of its own."""
        return self.goex / "session" / "gateway.sock"

    @property
    def work(self) -> Path:
        return self.base / "work"

    def write(self, name: str, text: str = SECRET) -> Path:
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        self.give()
        return path

    def listen(self, path: Path, answer: bytes = b"") -> None:
        """A Unix socket that answers each connection with these bytes, after its first words."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(path))
        listener.listen()
        os.chmod(path, 0o666)
        self.sockets.append(listener)
        if answer:
            threading.Thread(target=_answer, args=(listener, answer), daemon=True).start()

    def give(self) -> None:
        if self.user is not None:
            for path in (self.base, *self.base.rglob("*")):
                os.chown(path, self.user, self.user, follow_symlinks=False)

    def line(self, command: list[str], **changes: object) -> list[str]:
        """The command line that launches a command in a view of this world."""
        told = {
            "command": command,
            "level": "hidden",
            "engine": self.engine,
            "directory": str(self.work),
            "user_home": str(self.home),
            "environment": {"PATH": PATH, "HOME": str(self.home), "LANG": "C"},
            "ambient": {},
            "services": [],
            "goex": "",
            "relay": "",
            **changes,
        }
        file = self.base / f"order-{len(list(self.base.iterdir()))}.json"
        file.write_text(json.dumps(told))
        file.chmod(0o644)
        return [*self._as_user(), sys.executable, "-I", str(DRIVER), str(file)]

    def run(self, *command: str, **changes: object) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self.line(list(command), **changes),
            env={"PATH": PATH, "OUTER_SECRET": SECRET},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def sh(self, script: str, **changes: object) -> "subprocess.CompletedProcess[str]":
        return self.run("sh", "-c", script, **changes)

    def _as_user(self) -> list[str]:
        if self.user is None:
            return []
        who = f"setpriv --reuid={self.user} --regid={self.user} --clear-groups"
        who += ' --inh-caps=-all --bounding-set=-all -- "$@"'
        # The interpreter may lie in a home that others cannot enter: show it in one they can.
        python = Path(sys.base_prefix)
        closed = [path for path in python.parents if not path.stat().st_mode & 0o001]
        if not closed:
            return ["sh", "-c", f"exec {who}", "sh"]
        held = self.base / "python"
        held.mkdir(exist_ok=True)
        script = (
            f"mount --make-rprivate / && mount --bind {python} {held} && "
            f"mount -t tmpfs -o mode=755 none {closed[-1]} && mkdir -p {python} && "
            f"mount --bind {held} {python} && exec {who}"
        )
        return ["unshare", "-m", "sh", "-c", script, "sh"]


@contextmanager
def make_world(engine: str, user: int | None) -> Iterator[World]:
    base = Path(tempfile.mkdtemp(prefix="goex-world-", dir="/var/tmp"))
    base.chmod(0o755)
    world = World(base, engine, user)
    try:
        for path in (world.home, world.goex, world.work, world.session.parent):
            path.mkdir()
        world.write(".goex-proxy/vault.key")
        world.write(".goex-proxy/bundle.pem", "public")
        world.write(".ssh/id_ed25519")
        world.write(".netrc")
        world.listen(world.goex / "control.sock")
        world.give()
        yield world
    finally:
        for listener in world.sockets:
            listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
            listener.close()
        shutil.rmtree(base)


def engine_path(name: str) -> str | None:
    return find_bubblewrap() if name == "bwrap" else name


def _answer(listener: socket.socket, answer: bytes) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            connection.recv(65536)
            connection.sendall(answer)

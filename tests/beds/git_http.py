"""dulwich's git smart-HTTP server over bare repositories: any push is taken, forced and deleting ones too."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.beds.bed import log_in
from tests.beds.cache import Unavailable
from tests.beds.server import Server, clean_env, free_port

# Only wiring: dulwich's own command line serves one repository, and without threads.
SERVE = """
import sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import make_server
from dulwich.repo import Repo
from dulwich.server import Backend
from dulwich.web import WSGIRequestHandlerLogger, WSGIServerLogger, make_wsgi_chain

class Threaded(ThreadingMixIn, WSGIServerLogger):
    daemon_threads = True

class Bare(Backend):  # FileSystemBackend takes "/x.git" for a path outside any root but "/"
    def open_repository(self, path):
        path = path.decode() if isinstance(path, bytes) else path
        if path not in sys.argv[3:]:
            raise KeyError(path)
        return Repo(sys.argv[1] + path)

app = make_wsgi_chain(Bare())
make_server("127.0.0.1", int(sys.argv[2]), app, Threaded, WSGIRequestHandlerLogger).serve_forever()
"""


class GitHttp:
    """Bare repositories `NAME.git`, served without authentication (put nginx before it for Basic)."""

    def __init__(self, at: Path, *repositories: str) -> None:
        if shutil.which("git") is None:
            raise Unavailable("git is not on PATH")
        self.names = repositories or ("hello",)
        self.directory = at / "repositories"
        self.directory.mkdir(parents=True, exist_ok=True)
        self._make()
        port = free_port()
        line = [sys.executable, "-c", SERVE, str(self.directory), str(port)]
        line += [f"/{name}.git" for name in self.names]
        self.server = Server(line, port=port, log=log_in(at, "git"), env=clean_env())
        self.server.start()

    def _make(self) -> None:
        for name in self.names:
            path = self.directory / f"{name}.git"
            self._git("init", "--quiet", "--bare", "--initial-branch=main", str(path))

    def _git(self, *words: str) -> str:
        env = clean_env(GIT_CONFIG_NOSYSTEM="1")
        done = subprocess.run(
            ["git", *words], capture_output=True, text=True, env=env, timeout=30, check=True
        )
        return done.stdout

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    def repository(self, name: str = "hello") -> str:
        """The URL to clone `name` from, straight from the bed."""
        return f"{self.url}/{name}.git"

    def refs(self, name: str = "hello") -> dict[str, str]:
        """Every ref of the repository on disk, `refs/heads/main -> sha`."""
        path = str(self.directory / f"{name}.git")
        said = self._git("--git-dir", path, "for-each-ref", "--format=%(refname) %(objectname)")
        return dict(line.split(" ", 1) for line in said.splitlines())

    def reset(self) -> None:
        """Empty repositories of the same names."""
        self.server.stop()
        shutil.rmtree(self.directory)
        self.directory.mkdir()
        self._make()
        self.server.start()

    def stop(self) -> None:
        self.server.stop()

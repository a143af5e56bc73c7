"""What a push is answered; with the real git against a dulwich server."""

import http.client
import os
import subprocess
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from wsgiref.simple_server import make_server
from wsgiref.types import StartResponse

import pytest
from dulwich.repo import Repo
from dulwich.server import BackendRepo, DictBackend
from dulwich.web import WSGIRequestHandlerLogger, WSGIServerLogger, make_wsgi_chain
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.core.decoded import BodyState
from goex_proxy.wire import push_report, receive_pack, refs
from goex_proxy.wire.pktline import FLUSH, band, line

REPORT = line(b"unpack ok\n") + line(b"ok r\n") + line(b"ng s non-fast-forward\n") + FLUSH
SAID = {"unpack": "ok", "ok": ["r"], "ng": {"s": "non-fast-forward"}}


def test_a_bare_report_is_read() -> None:
    assert push_report.decode(REPORT).value == SAID | {"progress": "", "error": ""}


def test_a_report_in_bands_is_read_however_it_is_cut() -> None:
    sent = band(2, b"hello\n") + band(1, REPORT[:9]) + band(1, REPORT[9:]) + FLUSH
    assert push_report.decode(sent).value == SAID | {"progress": "hello\n", "error": ""}


@pytest.mark.parametrize("sent", [b"", REPORT[:-4], REPORT[:20], FLUSH, band(3, b"no") + FLUSH])
def test_a_report_that_is_not_whole_is_invalid(sent: bytes) -> None:
    assert push_report.decode(sent).state is BodyState.INVALID


@given(st.binary() | st.lists(st.binary(max_size=60).map(line)).map(b"".join))
def test_no_bytes_raise(data: bytes) -> None:
    push_report.decode(data)
    push_report.decode(band(1, data) + FLUSH)


@given(st.text(), st.sampled_from([["report-status"], ["report-status", "side-band-64k"]]))
def test_a_refusal_is_a_report_whatever_the_reason(reason: str, capabilities: list[str]) -> None:
    args = {"updates": [{"ref": "refs/heads/main"}], "capabilities": capabilities}
    value = push_report.decode(push_report.refuse(args, reason)).value
    assert isinstance(value, dict)
    assert (list(value["ng"]), value["ok"]) == (["refs/heads/main"], [])


class _Handler(WSGIRequestHandlerLogger):
    def log_message(self, format: str, *args: object) -> None: ...


@dataclass
class GitServer:
    """A dulwich server on loopback; refuses pushes with a reason where one is set."""

    port: int = 0
    refusal: str = ""
    pushes: list[bytes] = field(default_factory=list)

    def call(self, method: str, target: str, body: bytes = b"") -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        kind = {"Content-Type": "application/x-git-receive-pack-request"} if body else {}
        connection.request(method, target, body or None, kind)
        with connection.getresponse() as response:
            data = response.read()
        connection.close()
        return data


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    (tmp_path / "bare").mkdir()
    with Repo.init_bare(tmp_path / "bare") as repo:
        git = GitServer()
        repositories: dict[str, BackendRepo] = {"/": repo}
        inner = make_wsgi_chain(DictBackend(repositories))

        def app(environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
            if environ["REQUEST_METHOD"] != "POST":
                return inner(environ, start)
            body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            git.pushes.append(body)
            if git.refusal:
                start("200 OK", [("Content-Type", "application/x-git-receive-pack-result")])
                args = receive_pack.decode(body).args
                return [push_report.refuse(args, git.refusal, "ask your user")]
            environ["wsgi.input"] = _Bytes(body)
            return inner(environ, start)

        httpd = make_server("127.0.0.1", 0, app, WSGIServerLogger, _Handler)
        git.port = httpd.server_port
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield git
        httpd.shutdown()
        thread.join(10)
        httpd.server_close()


class _Bytes:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, size: int = -1) -> bytes:
        size = len(self._data) if size < 0 else size
        found, self._data = self._data[:size], self._data[size:]
        return found


@dataclass
class Work:
    path: Path

    def git(self, *args: str) -> subprocess.CompletedProcess[str]:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "core.hooksPath="]
        scrubbed = {"PATH": os.environ["PATH"], "HOME": str(self.path), "LC_ALL": "C"}
        return subprocess.run(
            ["git", *identity, *args],
            cwd=self.path,
            env=scrubbed,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def commit(self, name: str) -> str:
        self.git("commit", "--allow-empty", "-m", name)
        return self.git("rev-parse", "HEAD").stdout.strip()


@pytest.fixture
def work(tmp_path: Path, server: GitServer) -> Work:
    made = Work(tmp_path / "work")
    made.path.mkdir()
    made.git("init", "-b", "main")
    made.git("remote", "add", "origin", f"http://127.0.0.1:{server.port}/")
    return made


def test_a_real_push_is_read_and_undone_without_an_object(server: GitServer, work: Work) -> None:
    first = work.commit("one")
    assert work.git("push", "origin", "main").returncode == 0
    second = work.commit("two")
    assert work.git("push", "origin", "main").returncode == 0
    update = {"ref": "refs/heads/main", "old": first, "new": second}
    args = receive_pack.decode(server.pushes[-1]).args
    assert args["updates"] == [update | {"action": "update"}]

    back = receive_pack.encode({"updates": [update | {"old": second, "new": first}]})
    report = push_report.decode(server.call("POST", "/git-receive-pack", back)).value
    assert isinstance(report, dict)
    assert (report["unpack"], report["ok"]) == ("ok", ["refs/heads/main"])
    advertised = server.call("GET", "/info/refs?service=git-receive-pack")
    assert refs.decode(advertised).value == {"refs/heads/main": first}
    assert "atomic" in refs.capabilities(advertised)


def test_gits_own_server_takes_the_undo_once_and_refuses_a_stale_one(work: Work) -> None:
    first, second = work.commit("one"), work.commit("two")
    work.git("clone", "--bare", ".", "bare")
    update = {"ref": "refs/heads/main", "old": second, "new": first}
    body = receive_pack.encode({"updates": [update], "atomic": True})
    said = [push_report.decode(_receive(work, body)).value for _ in range(2)]
    assert [s["ok"] for s in said if isinstance(s, dict)] == [["refs/heads/main"], []]
    assert isinstance(said[1], dict)
    assert list(said[1]["ng"]) == ["refs/heads/main"]
    gone = receive_pack.encode({"updates": [update | {"old": first, "new": "0" * 40}]})
    value = push_report.decode(_receive(work, gone)).value
    assert isinstance(value, dict)
    assert value["unpack"] == "ok"


def _receive(work: Work, body: bytes) -> bytes:
    return subprocess.run(
        ["git", "receive-pack", "--stateless-rpc", "bare"],
        cwd=work.path,
        input=body,
        capture_output=True,
        timeout=60,
    ).stdout


def test_git_shows_the_reason_of_a_refusal(server: GitServer, work: Work) -> None:
    server.refusal = "held by goex: e7"
    work.commit("one")
    pushed = work.git("push", "origin", "main")
    assert pushed.returncode != 0
    assert "! [remote rejected] main -> main (held by goex: e7)" in pushed.stderr
    assert "remote: ask your user" in pushed.stderr

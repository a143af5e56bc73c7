"""Each bed does what the tests that lean on it assume: it starts, keeps state, tells tokens apart, resets."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.beds import cache, clients
from tests.beds.certificates import BedAuthority
from tests.beds.emulate import Emulate
from tests.beds.fixtures import BASIC
from tests.beds.front import Front
from tests.beds.git_http import GitHttp
from tests.beds.server import Server, clean_env, free_port
from tests.beds.webdav import WebDav

pytestmark = pytest.mark.bed
HELLO = "/repos/octocat/hello"
WRONG = "ghp_OtherTokenOtherTokenOtherTokenOther1"


def curl(front: Front, authority: BedAuthority, path: str, *words: str) -> tuple[int, str]:
    """Status and body, by real curl that names the host and connects to the front."""
    line = [
        "curl",
        "-sS",
        "--max-time",
        "20",
        "--cacert",
        str(authority.certificate_file),
        "-w",
        "\n%{http_code}",
    ]
    line += [
        "--connect-to",
        f"{front.host}:443:127.0.0.1:{front.port}",
        f"https://{front.host}{path}",
        *words,
    ]
    said = subprocess.run(
        line, capture_output=True, text=True, env=clean_env(), timeout=30, check=True
    ).stdout
    body, _, status = said.rpartition("\n")
    return int(status), body


def test_github_acts_as_octocat_for_the_real_token_only(github_bed: Emulate) -> None:
    assert github_bed.get("/user")["login"] == "octocat"
    assert github_bed.ask("GET", "/user", token=WRONG).json["login"] == "first-user"
    assert github_bed.ask("GET", "/user", token="").status == 401
    assert github_bed.ask("GET", "/repos/octocat/priv").status == 200
    assert github_bed.ask("GET", "/repos/octocat/priv", token=WRONG).status == 403


def test_github_keeps_an_issue_through_close_and_reopen_and_forgets_it_on_reset(
    github_bed: Emulate,
) -> None:
    made = github_bed.ask("POST", f"{HELLO}/issues", {"title": "one"})
    assert made.status == 201
    path = f"{HELLO}/issues/{made.json['number']}"
    assert made.json["url"] == f"https://api.github.com{path}"
    assert github_bed.get(path)["state"] == "open"
    assert (
        github_bed.ask("PATCH", path, {"state": "closed", "state_reason": "not_planned"}).status
        == 200
    )
    assert (github_bed.get(path)["state"], github_bed.get(path)["state_reason"]) == (
        "closed",
        "not_planned",
    )
    assert github_bed.ask("PATCH", path, {"state": "open"}).status == 200
    assert github_bed.get(path)["state"] == "open"
    address = github_bed.url
    github_bed.reset()
    assert github_bed.url == address
    assert github_bed.ask("GET", path).status == 404


def test_slack_refuses_every_token_but_the_real_one_by_its_scopes(slack_bed: Emulate) -> None:
    posted = {"channel": "work", "text": "hello"}
    assert slack_bed.ask("POST", "/api/chat.postMessage", posted).json["ok"] is True
    assert (
        slack_bed.ask("POST", "/api/chat.postMessage", posted, token=WRONG).json["error"]
        == "missing_scope"
    )
    assert (
        slack_bed.ask("POST", "/api/chat.postMessage", posted, token="").json["error"]
        == "not_authed"
    )


def test_slack_shows_a_message_until_it_is_deleted(slack_bed: Emulate) -> None:
    made = slack_bed.ask("POST", "/api/chat.postMessage", {"channel": "work", "text": "once"}).json
    named = {"channel": made["channel"], "ts": made["ts"]}
    read = "/api/conversations.replies"
    assert [m["text"] for m in slack_bed.form(read, **named).json["messages"]] == ["once"]
    assert slack_bed.ask("POST", "/api/chat.update", {**named, "text": "twice"}).json["ok"] is True
    assert [m["text"] for m in slack_bed.form(read, **named).json["messages"]] == ["twice"]
    assert slack_bed.ask("POST", "/api/chat.delete", named).json["ok"] is True
    again = slack_bed.ask("POST", "/api/chat.delete", named)
    assert (again.status, again.json["error"]) == (200, "message_not_found")
    slack_bed.reset()
    assert slack_bed.form(read, **named).json["ok"] is False


def test_webdav_puts_overwrites_moves_and_deletes_what_is_on_disk(webdav_bed: WebDav) -> None:
    webdav_bed.reset()
    assert webdav_bed.ask("PUT", "/a.txt", b"one").status == 201
    assert webdav_bed.ask("PUT", "/a.txt", b"two").status == 204
    assert webdav_bed.ask("GET", "/a.txt").body == b"two"
    assert webdav_bed.ask("MKCOL", "/dir").status == 201
    assert webdav_bed.tree() == {"a.txt": b"two", "dir/": b""}
    moved = webdav_bed.ask("MOVE", "/a.txt", Destination=f"{webdav_bed.url}/dir/b.txt")
    assert (moved.status, webdav_bed.tree()) == (201, {"dir/b.txt": b"two"})
    assert webdav_bed.ask("DELETE", "/dir").status == 204
    assert webdav_bed.tree() == {}


def test_webdav_with_basic_turns_away_who_does_not_know_the_password(
    webdav_basic_bed: WebDav,
) -> None:
    wrong = base64.b64encode(b"robot:guess").decode()
    assert webdav_basic_bed.ask("PUT", "/a", b"1", Authorization=f"Basic {wrong}").status == 401
    assert webdav_basic_bed.tree() == {}
    assert webdav_basic_bed.ask("PUT", "/a", b"1").status == 201
    assert webdav_basic_bed.tree() == {"a": b"1"}


def commit(work: Path, name: str) -> str:
    """One commit with real git; its sha."""
    (work / name).write_text(name)
    git(work, "add", name)
    git(work, "-c", "user.name=a", "-c", "user.email=a@example.test", "commit", "-q", "-m", name)
    return git(work, "rev-parse", "HEAD").strip()


def git(work: Path, *words: str, **env: str) -> str:
    """Real git in `work`, without anyone's configuration."""
    alone = clean_env(GIT_CONFIG_NOSYSTEM="1", GIT_TERMINAL_PROMPT="0", **env)
    done = subprocess.run(
        ["git", *words], cwd=work, env=alone, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


def test_git_takes_a_push_a_forced_step_back_and_a_deleted_branch(
    git_bed: GitHttp, tmp_path: Path
) -> None:
    git_bed.reset()
    git(tmp_path, "init", "-q", "-b", "main")
    first, second = commit(tmp_path, "one"), commit(tmp_path, "two")
    url = git_bed.repository()
    git(tmp_path, "push", "-q", url, "main", "main:side")
    assert git_bed.refs() == {"refs/heads/main": second, "refs/heads/side": second}
    git(tmp_path, "push", "-q", "--force", url, f"{first}:main")
    git(tmp_path, "push", "-q", url, ":side")
    assert git_bed.refs() == {"refs/heads/main": first}
    git_bed.reset()
    assert git_bed.refs() == {}


def test_every_bed_listens_on_loopback_and_nowhere_else(
    github_bed: Emulate, slack_bed: Emulate, webdav_bed: WebDav, git_bed: GitHttp
) -> None:
    for bed in (github_bed, slack_bed, webdav_bed, git_bed):
        assert bed.server.listening() == {f"127.0.0.1:{bed.server.port}"}


def test_a_server_that_listens_on_every_interface_is_refused_and_ended(tmp_path: Path) -> None:
    port = free_port()
    line = [sys.executable, "-m", "http.server", "--bind", "0.0.0.0", str(port)]
    server = Server(line, port=port, log=tmp_path / "log")
    with pytest.raises(cache.Unavailable, match="listens beyond loopback"):
        server.start()
    assert server.process is None


def test_a_bed_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from tests.beds.git_http import GitHttp\n"
        "print(GitHttp(Path(sys.argv[1])).server.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        bed = int(starter.stdout.readline())
        starter.send_signal(signal.SIGKILL)
    for _ in range(250):
        if not running(bed):
            return
        time.sleep(0.02)
    os.kill(bed, signal.SIGKILL)
    pytest.fail("the bed outlived its starter by 5 s")


def running(pid: int) -> bool:
    """Whether the process lives (a zombie that nobody reaps does not)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def test_the_front_proves_that_the_real_token_arrived(
    github_tls: Front, bed_authority: BedAuthority, github_bed: Emulate
) -> None:
    github_tls.reset()
    for value in (
        f"Bearer {github_bed.real}",
        f"token {github_bed.real}",
        f"Bearer {github_bed.real.lower()}",
    ):
        curl(github_tls, bed_authority, "/user", "-H", f"Authorization: {value}")
    curl(github_tls, bed_authority, "/user")
    seen = github_tls.seen(at_least=4)
    assert [row.credential for row in seen] == ["real", "real", "other", "none"]
    assert {(row.host, row.server_name) for row in seen} == {("api.github.com", "api.github.com")}
    assert github_bed.real not in github_tls.access.read_text()


def test_the_front_serves_a_certificate_for_its_host_only(
    slack_tls: Front, bed_authority: BedAuthority
) -> None:
    status, body = curl(slack_tls, bed_authority, "/api/auth.test", "-X", "POST")
    assert (status, "not_authed" in body) == (200, True)
    line = ["curl", "-sS", "--cacert", str(bed_authority.certificate_file), slack_tls.url]
    assert (
        subprocess.run(
            line, capture_output=True, env=clean_env(), timeout=30, check=False
        ).returncode
        == 60
    )


def test_the_front_demands_basic_and_keeps_it_from_webdav(
    webdav_tls: Front, webdav_bed: WebDav, bed_authority: BedAuthority
) -> None:
    webdav_bed.reset()
    webdav_tls.reset()
    put = ("-X", "PUT", "--data-binary", "x")
    assert curl(webdav_tls, bed_authority, "/a.txt", *put)[0] == 401
    assert curl(webdav_tls, bed_authority, "/a.txt", *put, "-u", "robot:wrong")[0] == 401
    assert curl(webdav_tls, bed_authority, "/a.txt", *put, "-u", ":".join(BASIC))[0] == 201
    move = (
        "-X",
        "MOVE",
        "-H",
        "Destination: https://dav.example.test/b.txt",
        "-u",
        ":".join(BASIC),
    )
    assert curl(webdav_tls, bed_authority, "/a.txt", *move)[0] == 201
    assert webdav_bed.tree() == {"b.txt": b"x"}
    assert [row.credential for row in webdav_tls.seen(at_least=4)] == [
        "none",
        "other",
        "basic",
        "basic",
    ]


def test_real_git_pushes_through_the_front_with_basic(
    git_tls: Front, git_bed: GitHttp, bed_authority: BedAuthority, tmp_path: Path
) -> None:
    git_bed.reset()
    git(tmp_path, "init", "-q", "-b", "main")
    sha = commit(tmp_path, "one")
    url = f"https://{BASIC[0]}:{BASIC[1]}@127.0.0.1:{git_tls.port}/other.git"
    insecure = (
        "-c",
        "http.sslVerify=false",
    )  # the name is checked in the tests that go through the gateway
    git(tmp_path, *insecure, "push", "-q", url, "main")
    assert git_bed.refs("other") == {"refs/heads/main": sha}
    assert "basic" in {row.credential for row in git_tls.seen(at_least=2)}


def test_python_clients_are_there_and_see_nothing_of_our_environment(client_python: Path) -> None:
    script = "import os, requests, httpx, aiohttp, github, slack_sdk; print(sorted(os.environ))"
    done = clients.run_python(script)
    assert done.returncode == 0, done.stderr
    assert set(eval(done.stdout)) <= {"PATH", "LANG", "HOME", "LC_CTYPE"}


def test_node_clients_are_there_on_node_24(client_node: Path) -> None:
    script = "import {Octokit} from 'octokit'; import {WebClient} from '@slack/web-api'; console.log(process.version, typeof Octokit, typeof WebClient)"
    done = clients.run_node(script)
    assert done.stdout.split() == ["v24.21.0", "function", "function"], done.stderr


def test_an_install_is_done_once_however_many_ask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOEX_BED_CACHE", str(tmp_path))
    built: list[Path] = []

    def build(target: Path) -> None:
        time.sleep(0.05)
        built.append(target)

    with ThreadPoolExecutor(8) as pool:
        assert len({*pool.map(lambda _: cache.installed("thing-1", build), range(8))}) == 1
    assert len(built) == 1


def test_an_interrupted_install_is_done_again_from_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOEX_BED_CACHE", str(tmp_path))

    def interrupted(target: Path) -> None:
        (target / "half").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.installed("thing-1", interrupted)
    whole = cache.installed("thing-1", lambda target: (target / "whole").touch())
    assert {path.name for path in whole.iterdir()} == {"whole", ".complete"}

"""P7: clients as people install them work through the gateway, with nothing but variables set.

Each runs in a process of its own under the environment that `goex run` would give it, with
placeholders only. nginx before each bed says whose credential came: `real` or another.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from goex_proxy.launch.client_files import client_files, write_client_files
from goex_proxy.launch.environment import Clients, client_variables
from tests.beds import clients
from tests.beds.certificates import BedAuthority
from tests.beds.emulate import Emulate
from tests.beds.fixtures import had
from tests.beds.front import Front
from tests.beds.git_http import GitHttp
from tests.beds.server import clean_env
from tests.behaviour.ground import Ground, Holding, Standing, stored
from tests.behaviour.tap import Loop

pytestmark = pytest.mark.bed
GIT_LOGIN = ("x-access-token", "real-git-Password-42")
POLICY = """rules:
  - {deny: github.issues/create, if: "args.title == 'refused'", reason: "titles must be kind"}
  - {hold: github.issues/create, if: "args.title == 'held'", reason: "a person reads it first"}
  - {deny: slack.chat.postMessage, if: "args.text == 'refused'", reason: "titles must be kind"}
  - {hold: slack.chat.postMessage, if: "args.text == 'held'", reason: "a person reads it first"}
  - {deny: git.push, if: "args.updates.exists(u, u.ref == 'refs/heads/refused')", reason: "titles must be kind"}
  - {hold: git.push, if: "args.updates.exists(u, u.ref == 'refs/heads/held')", reason: "a person reads it first"}
"""
REASONS = {"refused": "titles must be kind", "held": "a person reads it first"}


class Street:
    """GitHub, Slack and git behind TLS, the gateway before them, and an agent's environment."""

    def __init__(self, at: Path, loop: Loop, ca: BedAuthority, github: Emulate, slack: Emulate, git: GitHttp) -> None:  # fmt: skip
        self.fronts = {
            "github": had(lambda: Front(at / "github", github.url, host="localhost", authority=ca, secrets={"real": github.real})),
            "slack": had(lambda: Front(at / "slack", slack.url, host="localhost", authority=ca, secrets={"real": slack.real})),
            "git": had(lambda: Front(at / "git", git.url, host="localhost", authority=ca, basic=GIT_LOGIN)),
        }  # fmt: skip
        hosts = {"github": "api.github.com", "slack": "slack.com", "git": "git.example.test"}
        values = {"github": github.real, "slack": slack.real, "git": GIT_LOGIN[1]}
        names = {"github": "GH_TOKEN", "slack": "SLACK_TOKEN", "git": "GIT_TOKEN"}
        self.github, self.slack, self.git = github, slack, git
        self.world: Standing = Ground(
            at / "world", loop,
            {hosts[n]: f"https://localhost:{front.port}" for n, front in self.fronts.items()},
            holdings=[Holding(name=n, source=stored(values[n]), host=hosts[n], variables=(names[n],)) for n in hosts],
            config=f"upstream_ca: {ca.certificate_file}\nservices: {{git: {{hosts: [git.example.test]}}}}",
            policy=POLICY,
        ).open()  # fmt: skip
        self.world.start()
        home = self.world.home
        files = client_files(home.client, ca=home.ca_certificate, bundle=home.bundle)
        write_client_files(files)
        host, port = self.world.proxy
        self.variables = client_variables(
            Clients(
                proxy=f"http://{host}:{port}", files=files,
                placeholders={names[n]: self.world.placeholder(n) for n in hosts},
                git_logins={"git.example.test": "GIT_TOKEN"},
            )
        )  # fmt: skip

    def python(self, script: str, *words: str) -> str:
        return _said(clients.run_python(script, *words, **self.variables))

    def node(self, script: str, *words: str) -> str:
        return _said(clients.run_node(script, *words, **self.variables))

    def run(self, *line: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        env = clean_env(**{**self.variables, "HOME": str(cwd or "/nonexistent")})
        return subprocess.run(line, env=env, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)  # fmt: skip

    def close(self) -> None:
        self.world.close()
        for front in self.fronts.values():
            front.stop()


def _said(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, (done.stdout, done.stderr)
    return done.stdout


@pytest.fixture(scope="module")
def _street(
    tmp_path_factory: pytest.TempPathFactory, tap_loop: Loop, bed_authority: BedAuthority,
    github_bed: Emulate, slack_bed: Emulate, git_bed: GitHttp, client_python: Path,
) -> Iterator[Street]:  # fmt: skip
    at = tmp_path_factory.mktemp("street")
    made = Street(at, tap_loop, bed_authority, github_bed, slack_bed, git_bed)
    yield made
    made.close()


@pytest.fixture
def street(_street: Street) -> Iterator[Street]:
    for front in _street.fronts.values():
        front.reset()
    yield _street
    _street.world.act("resume")


USER = "https://api.github.com/user"
LOGS_IN = {
    "PyGithub": "import os, github; print(github.Github(auth=github.Auth.Token(os.environ['GH_TOKEN'])).get_user().login)",
    "requests": f"import os, requests; print(requests.get('{USER}', headers={{'Authorization': 'token ' + os.environ['GH_TOKEN']}}).json()['login'])",
    "httpx": f"import os, httpx; print(httpx.get('{USER}', headers={{'Authorization': 'Bearer ' + os.environ['GH_TOKEN']}}).json()['login'])",
    "httpx, HTTP/2": f"""
import os, httpx
with httpx.Client(http1=False, http2=True) as client:
    got = client.get('{USER}', headers={{'Authorization': 'Bearer ' + os.environ['GH_TOKEN']}})
    assert got.http_version == 'HTTP/2', got.http_version
    print(got.json()['login'])
""",
    "aiohttp": f"""
import aiohttp, asyncio, os
async def main():
    async with aiohttp.ClientSession(trust_env=True) as session:
        async with session.get('{USER}', headers={{'Authorization': 'Bearer ' + os.environ['GH_TOKEN']}}) as got:
            print((await got.json())['login'])
asyncio.run(main())
""",
    "urllib": f"import json, os, urllib.request as u; print(json.load(u.urlopen(u.Request('{USER}', headers={{'Authorization': 'Bearer ' + os.environ['GH_TOKEN']}})))['login'])",
}  # fmt: skip


@pytest.mark.parametrize("client", LOGS_IN)
def test_a_python_client_is_who_the_real_token_says(street: Street, client: str) -> None:
    assert street.python(LOGS_IN[client]).strip() == "octocat"
    assert [seen.credential for seen in street.fronts["github"].seen(1)] == ["real"]


def test_slack_sdk_posts_with_the_real_token(street: Street) -> None:
    script = """
import os
from slack_sdk import WebClient
client = WebClient(token=os.environ['SLACK_TOKEN'])
channel = next(c['id'] for c in client.conversations_list()['channels'] if c['name'] == 'work')
print(client.chat_postMessage(channel=channel, text='from slack_sdk')['message']['text'])
"""
    assert street.python(script).strip() == "from slack_sdk"
    assert {seen.credential for seen in street.fronts["slack"].seen(2)} == {"real"}


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_curl_is_who_the_real_token_says(street: Street, version: str) -> None:
    held = street.variables["GH_TOKEN"]
    done = street.run("curl", "-sS", version, "-H", f"Authorization: Bearer {held}", USER)
    assert json.loads(done.stdout)["login"] == "octocat", done
    assert street.fronts["github"].seen(1)[0].credential == "real"


NODE = {
    "fetch": f"console.log((await (await fetch('{USER}', {{headers: {{authorization: 'Bearer ' + process.env.GH_TOKEN}}}})).json()).login)",
    "octokit": "import {Octokit} from 'octokit'; console.log((await new Octokit({auth: process.env.GH_TOKEN}).rest.users.getAuthenticated()).data.login)",
}  # fmt: skip


@pytest.mark.parametrize("client", NODE)
def test_a_node_client_is_who_the_real_token_says(
    street: Street, client_node: Path, client: str
) -> None:
    assert street.node(NODE[client]).strip() == "octocat"
    assert street.fronts["github"].seen(1)[0].credential == "real"


def git(street: Street, cwd: Path, *words: str) -> subprocess.CompletedProcess[str]:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.test", "-c", "init.defaultBranch=main")
    return street.run("git", *who, *words, cwd=cwd)


@pytest.fixture
def clone(street: Street, tmp_path: Path) -> Path:
    """A clone with a commit on main, pushed."""
    done = git(street, tmp_path, "clone", "-q", "https://git.example.test/hello.git", "clone")
    assert done.returncode == 0, done.stderr
    at = tmp_path / "clone"
    git(street, at, "checkout", "-q", "-B", "main")
    (at / os.urandom(4).hex()).write_text("x")
    git(street, at, "add", ".")
    assert git(street, at, "commit", "-q", "-m", "one").returncode == 0
    return at


def test_git_clones_pushes_and_fetches_with_the_real_password(street: Street, clone: Path) -> None:
    pushed = git(street, clone, "push", "origin", "main:from-git")
    assert pushed.returncode == 0, pushed.stderr
    head = git(street, clone, "rev-parse", "HEAD").stdout.strip()
    assert street.git.refs()["refs/heads/from-git"] == head
    fetched = git(street, clone, "fetch", "origin", "from-git")
    assert fetched.returncode == 0, fetched.stderr
    kinds = {seen.credential for seen in street.fronts["git"].seen(4)}
    assert "basic" in kinds, "nginx saw the real pair"
    assert kinds <= {"basic", "none"}, "git asks without a credential first, and never with another"
    entry = int(street.world.log()[-1]["id"][1:])
    (step,) = street.world.undo(entry)
    assert step["outcome"] == "undone", step
    assert "refs/heads/from-git" not in street.git.refs(), "an undo logs in as the push did"


# -- what a client shows when a call does not go through

ISSUE = "https://api.github.com/repos/octocat/hello/issues"
SHOWS = {
    "PyGithub": """
import os, sys, github
try: github.Github(auth=github.Auth.Token(os.environ['GH_TOKEN'])).get_repo('octocat/hello', lazy=True).create_issue(sys.argv[1])
except Exception as error: print(str(error))
""",
    "requests": f"""
import os, sys, requests
try: requests.post('{ISSUE}', json={{'title': sys.argv[1]}}, headers={{'Authorization': 'Bearer ' + os.environ['GH_TOKEN']}}).raise_for_status()
except Exception as error: print(str(error))
""",
    "httpx": f"""
import os, sys, httpx
try: httpx.post('{ISSUE}', json={{'title': sys.argv[1]}}, headers={{'Authorization': 'Bearer ' + os.environ['GH_TOKEN']}}).raise_for_status()
except Exception as error: print(str(error))
""",
    "aiohttp": f"""
import aiohttp, asyncio, os, sys
async def main():
    async with aiohttp.ClientSession(trust_env=True, raise_for_status=True) as session:
        try: await session.post('{ISSUE}', json={{'title': sys.argv[1]}}, headers={{'Authorization': 'Bearer ' + os.environ['GH_TOKEN']}})
        except Exception as error: print(str(error))
asyncio.run(main())
""",
    "urllib": f"""
import json, os, sys, urllib.request as u
body = json.dumps({{'title': sys.argv[1]}}).encode()
try: u.urlopen(u.Request('{ISSUE}', body, {{'Authorization': 'Bearer ' + os.environ['GH_TOKEN'], 'Content-Type': 'application/json'}}))
except Exception as error: print(str(error))
""",
    "slack_sdk": """
import os, sys
from slack_sdk import WebClient
try: WebClient(token=os.environ['SLACK_TOKEN']).chat_postMessage(channel='work', text=sys.argv[1])
except Exception as error: print(str(error))
""",
}  # fmt: skip


def names_what_happened(said: str, outcome: str) -> None:
    """The outcome, the entry, the reason, and what to do."""
    if outcome == "unavailable":
        assert "unavailable" in said, said
        assert "changes are paused" in said, said
        assert "goex resume" in said, said
        return
    assert f"goex: {outcome}" in said or f"goex_{outcome}" in said, said
    found = re.search(r"\b(e[0-9]+)\b", said)
    assert found, said
    assert REASONS[outcome] in said, said
    assert "do not retry" in said, said
    assert outcome == "refused" or f"goex approve {found[1]}" in said, said


OUTCOMES = ("refused", "held", "unavailable")


def told(street: Street, outcome: str, say: Callable[[], str]) -> None:
    if outcome == "unavailable":
        street.world.act("pause")
    names_what_happened(say(), outcome)
    writes = [s for front in street.fronts.values() for s in front.seen() if s.method == "POST"]
    assert not [s for s in writes if not s.path.endswith(("/git-upload-pack", ".list"))], writes


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("client", SHOWS)
def test_the_text_of_an_exception_says_what_happened_and_what_to_do(
    street: Street, client: str, outcome: str
) -> None:
    told(street, outcome, lambda: street.python(SHOWS[client], outcome))


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_octokit_shows_what_happened_and_what_to_do(
    street: Street, client_node: Path, outcome: str
) -> None:
    script = """import {Octokit} from 'octokit'; try {
    await new Octokit({auth: process.env.GH_TOKEN}).rest.issues.create({owner: 'octocat', repo: 'hello', title: TITLE})
    } catch (error) { console.log(String(error)) }""".replace("TITLE", repr(outcome))
    told(street, outcome, lambda: street.node(script))


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_curl_prints_what_happened_and_what_to_do(street: Street, outcome: str) -> None:
    auth = f"Authorization: Bearer {street.variables['GH_TOKEN']}"
    line = ("curl", "-sS", "-H", auth, "--json", json.dumps({"title": outcome}), ISSUE)
    told(street, outcome, lambda: json.loads(street.run(*line).stdout)["message"])


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_git_shows_the_reason_beside_the_rejected_ref(
    street: Street, clone: Path, outcome: str
) -> None:
    def push() -> str:
        done = git(street, clone, "push", "origin", f"main:{outcome}")
        assert done.returncode == 1, done.stderr
        assert "! [remote rejected]" in done.stderr
        return done.stderr

    told(street, outcome, push)
    assert f"refs/heads/{outcome}" not in street.git.refs()

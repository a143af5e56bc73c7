"""The beds as pytest fixtures: started on first use, one per session. A bed that cannot be had is skipped here, fails in CI."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from tests.beds import clients, emulate
from tests.beds.cache import Unavailable
from tests.beds.certificates import BedAuthority
from tests.beds.emulate import Emulate
from tests.beds.front import Front
from tests.beds.git_http import GitHttp
from tests.beds.webdav import WebDav

BASIC = ("robot", "real-Basic-Password-7")


def missing(reason: Unavailable) -> NoReturn:
    """Skip on a user's machine; where `CI` is set a missing bed is a failure, not a shrug."""
    if os.environ.get("CI", "").lower() not in ("", "0", "false"):
        pytest.fail(f"a test bed is missing: {reason}")
    pytest.skip(f"a test bed is missing: {reason}")


def had[T](start: Callable[[], T]) -> T:
    """What `start` returns; `Unavailable` becomes a skip or a failure."""
    try:
        return start()
    except Unavailable as reason:
        missing(reason)


@pytest.fixture(scope="session")
def bed_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the beds of this session keep seeds, shares and logs."""
    return tmp_path_factory.mktemp("beds")


@pytest.fixture(scope="session")
def bed_authority(bed_directory: Path) -> BedAuthority:
    """The CA behind every `*_tls` fixture."""
    return BedAuthority(bed_directory / "ca")


@pytest.fixture(scope="session")
def github_bed(bed_directory: Path) -> Iterator[Emulate]:
    """GitHub by emulate; state is shared by the session unless `reset` is called."""
    bed = had(lambda: emulate.github(bed_directory / "github"))
    yield bed
    bed.stop()


@pytest.fixture(scope="session")
def slack_bed(bed_directory: Path) -> Iterator[Emulate]:
    """Slack by emulate."""
    bed = had(lambda: emulate.slack(bed_directory / "slack"))
    yield bed
    bed.stop()


@pytest.fixture(scope="session")
def webdav_bed(bed_directory: Path) -> Iterator[WebDav]:
    """WsgiDAV, anonymous."""
    bed = had(lambda: WebDav(bed_directory / "webdav"))
    yield bed
    bed.stop()


@pytest.fixture(scope="session")
def webdav_basic_bed(bed_directory: Path) -> Iterator[WebDav]:
    """WsgiDAV that demands HTTP Basic itself."""
    bed = had(lambda: WebDav(bed_directory / "webdav-basic", user=BASIC[0], password=BASIC[1]))
    yield bed
    bed.stop()


@pytest.fixture(scope="session")
def git_bed(bed_directory: Path) -> Iterator[GitHttp]:
    """dulwich, repositories hello.git and other.git."""
    bed = had(lambda: GitHttp(bed_directory / "git", "hello", "other"))
    yield bed
    bed.stop()


@pytest.fixture(scope="session")
def github_tls(
    github_bed: Emulate, bed_authority: BedAuthority, bed_directory: Path
) -> Iterator[Front]:
    """api.github.com over TLS; `seen()` says `real` where the real token came."""
    yield from _front(bed_directory / "github-tls", github_bed, bed_authority)


@pytest.fixture(scope="session")
def slack_tls(
    slack_bed: Emulate, bed_authority: BedAuthority, bed_directory: Path
) -> Iterator[Front]:
    """slack.com over TLS."""
    yield from _front(bed_directory / "slack-tls", slack_bed, bed_authority)


@pytest.fixture(scope="session")
def webdav_tls(
    webdav_bed: WebDav, bed_authority: BedAuthority, bed_directory: Path
) -> Iterator[Front]:
    """dav.example.test over TLS, demanding Basic."""
    at, url = bed_directory / "webdav-tls", webdav_bed.url
    yield from _stopped(
        lambda: Front(at, url, host="dav.example.test", authority=bed_authority, basic=BASIC)
    )


@pytest.fixture(scope="session")
def git_tls(git_bed: GitHttp, bed_authority: BedAuthority, bed_directory: Path) -> Iterator[Front]:
    """git.example.test over TLS, demanding Basic."""
    at, url = bed_directory / "git-tls", git_bed.url
    yield from _stopped(
        lambda: Front(at, url, host="git.example.test", authority=bed_authority, basic=BASIC)
    )


@pytest.fixture(scope="session")
def client_python() -> Path:
    """The interpreter with requests, httpx, aiohttp, PyGithub, slack_sdk."""
    return had(clients.python)


@pytest.fixture(scope="session")
def client_node() -> Path:
    """Node 24, with octokit importable through `clients.run_node`."""
    had(clients.node_modules)
    return had(clients.node)


def _front(at: Path, bed: Emulate, authority: BedAuthority) -> Iterator[Front]:
    secrets = {"real": bed.real}
    yield from _stopped(
        lambda: Front(at, bed.url, host=bed.host, authority=authority, secrets=secrets)
    )


def _stopped(start: Callable[[], Front]) -> Iterator[Front]:
    front = had(start)
    yield front
    front.stop()

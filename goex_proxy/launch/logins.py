"""Which logins lie on this machine: where and at which host, never a value.

For `init` to report, so that a user can hand them to the vault.
"""

import netrc
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

VARIABLES: Mapping[str, tuple[str, ...]] = {
    "github": ("GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN"),
    "gitlab": ("GITLAB_TOKEN", "GITLAB_PRIVATE_TOKEN"),
    "slack": ("SLACK_TOKEN", "SLACK_BOT_TOKEN", "SLACK_USER_TOKEN", "SLACK_APP_TOKEN"),
    "dropbox": ("DROPBOX_TOKEN", "DROPBOX_ACCESS_TOKEN"),
    "spotify": ("SPOTIFY_TOKEN", "SPOTIPY_CLIENT_SECRET", "SPOTIFY_CLIENT_SECRET"),
    "stripe": ("STRIPE_API_KEY", "STRIPE_SECRET_KEY"),
    "anthropic": ("ANTHROPIC_API_KEY",),
    "openai": ("OPENAI_API_KEY",),
}
_GH_HOST = re.compile(r"^([A-Za-z0-9][A-Za-z0-9.-]*):\s*$")  # an unindented key of hosts.yml
_FILE_LIMIT = 1024 * 1024


@dataclass(frozen=True, slots=True, order=True)
class Login:
    """One login that was found. `place` is a variable's name or a file's path."""

    service: str
    """The service, or the host for a login of a file that serves many."""
    place: str


def find_logins(environment: Mapping[str, str], user_home: Path) -> list[Login]:
    """Sorted; a file that cannot be read or understood counts as found, as far as its name says."""
    return sorted({*_in_variables(environment), *_in_files(user_home)})


def _in_variables(environment: Mapping[str, str]) -> Iterable[Login]:
    for service, names in VARIABLES.items():
        for name in names:
            if environment.get(name):
                yield Login(service, name)


def _in_files(home: Path) -> Iterable[Login]:
    gh = home / ".config/gh/hosts.yml"
    for line in _text(gh).splitlines():
        if match := _GH_HOST.match(line):
            yield Login("github" if match[1] == "github.com" else match[1], str(gh))
    for name in (".netrc", "_netrc"):
        path = home / name
        for host in _netrc_hosts(path):
            yield Login(host, str(path))
    for name in (".git-credentials", ".config/git/credentials"):
        path = home / name
        for line in _text(path).splitlines():
            # https://USER:PASSWORD@HOST: only what follows the last @ is looked at.
            host = line.rpartition("@")[2].partition("/")[0].strip()
            if "://" in line and "@" in line and host:
                yield Login(host, str(path))


def _netrc_hosts(path: Path) -> list[str]:
    if not path.is_file() or not os.access(path, os.R_OK):
        return []
    try:
        return sorted(netrc.netrc(str(path)).hosts)
    except (netrc.NetrcParseError, UnicodeDecodeError):
        return ["(unreadable netrc)"]


def _text(path: Path) -> str:
    if not path.is_file() or not os.access(path, os.R_OK):
        return ""
    with path.open("rb") as file:
        return file.read(_FILE_LIMIT).decode(errors="replace")

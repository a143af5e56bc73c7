"""emulate 0.12.2 (vercel-labs): GitHub and Slack with state, in memory, one process each.

It takes any unknown token for its FIRST user, so "200" proves nothing: the real token here belongs to a
later user. `GET /user` says `octocat` for the real token and `first-user` for any other; the private repository
answers 403 to others; Slack's strict scopes answer `missing_scope`. Older versions listen on every interface.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.beds import cache
from tests.beds.bed import Reply, ask, log_in
from tests.beds.server import Server, clean_env, free_port

GITHUB_TOKEN = "ghp_RealBedTokenRealBedTokenRealBedTok01"
SLACK_TOKEN = "xoxb-1000000000-2000000000-RealBedTokenRealBedToken"
SLACK_SCOPES = [
    "chat:write", "channels:read", "channels:history", "channels:join", "channels:manage",
    "channels:write", "groups:read", "groups:history", "groups:write", "im:read", "im:history",
    "im:write", "mpim:read", "mpim:history", "mpim:write", "users:read", "users:read.email",
    "users.profile:read", "users.profile:write", "users:write", "files:read", "files:write",
    "pins:read", "pins:write", "bookmarks:read", "bookmarks:write", "reactions:read",
    "reactions:write", "team:read",
]  # fmt: skip

GITHUB_SEED: dict[str, Any] = {
    "tokens": {GITHUB_TOKEN: {"login": "octocat", "scopes": ["repo", "user", "admin:org"]}},
    "github": {
        "baseUrl": "https://api.github.com",
        "users": [
            {"login": "first-user", "name": "Whoever has no real token"},
            {"login": "octocat", "name": "The Octocat", "email": "octocat@example.com"},
            {"login": "hubot", "name": "Hubot", "email": "hubot@example.com"},
        ],
        "repos": [
            {"owner": "octocat", "name": "hello", "description": "A public repository"},
            {"owner": "octocat", "name": "priv", "description": "A private one", "private": True},
        ],
    },
}
SLACK_SEED: dict[str, Any] = {
    "slack": {
        "baseUrl": "https://slack.com",
        "team": {"name": "Bed", "domain": "bed"},
        "users": [
            {"name": "agent-owner", "real_name": "Agent Owner", "email": "owner@example.com"},
            {"name": "colleague", "real_name": "Colleague", "email": "colleague@example.com"},
        ],
        "channels": [
            {"name": "work", "topic": "The seeded topic", "purpose": "The seeded purpose"}
        ],
        "tokens": [{"token": SLACK_TOKEN, "user": "agent-owner", "scopes": SLACK_SCOPES}],
        "strict_scopes": True,
    },
}


class Emulate:
    """One service of emulate. `real` is the secret; `host` the name the service thinks it has."""

    def __init__(
        self, service: str, seed: Mapping[str, Any], *, host: str, real: str, at: Path
    ) -> None:
        self.service = service
        self.host = host
        self.real = real
        at.mkdir(parents=True, exist_ok=True)
        seeded = at / f"{service}.yaml"
        seeded.write_text(yaml.safe_dump(dict(seed)))
        script = cache.npm("emulate-0.12.2", "emulate@0.12.2") / "emulate" / "dist" / "index.js"
        port = free_port()
        line = [str(cache.node()), str(script), "start", "-s", service, "-p", str(port)]
        line += ["--host", "127.0.0.1", "--seed", str(seeded)]
        self.server = Server(line, port=port, log=log_in(at, service), env=clean_env())
        self.server.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    def reset(self) -> None:
        self.server.restart()

    def stop(self) -> None:
        self.server.stop()

    def ask(
        self, method: str, path: str, body: object = None, *, token: str | None = None
    ) -> Reply:
        """One request straight to the bed, with the real token unless another is given ("" for none)."""
        used = self.real if token is None else token
        headers = {"Host": self.host, "Accept": "application/json"}
        if used:
            headers["Authorization"] = f"Bearer {used}"
        return ask(self.server.port, method, path, headers=headers, body=body)

    def form(self, path: str, **fields: str) -> Reply:
        """A POSTed form: how every read of the Slack bed must be asked (it has no GET for them)."""
        headers = {
            "Host": self.host,
            "Authorization": f"Bearer {self.real}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        body = urllib.parse.urlencode(fields).encode()
        return ask(self.server.port, "POST", path, headers=headers, body=body)

    def get(self, path: str) -> Any:  # noqa: ANN401 - a test reads into it
        """The JSON the bed holds at `path`, read with the real token."""
        return self.ask("GET", path).json


def github(at: Path) -> Emulate:
    """GitHub: users first-user, octocat (the real token), hubot; repos octocat/hello and octocat/priv."""
    return Emulate("github", GITHUB_SEED, host="api.github.com", real=GITHUB_TOKEN, at=at)


def slack(at: Path) -> Emulate:
    """Slack: channels general, random, work; the real token is agent-owner's."""
    return Emulate("slack", SLACK_SEED, host="slack.com", real=SLACK_TOKEN, at=at)

"""Fixtures every test may ask for. The beds start only when one is asked for."""

from tests.beds.fixtures import (
    bed_authority,
    bed_directory,
    client_node,
    client_python,
    git_bed,
    git_tls,
    github_bed,
    github_tls,
    slack_bed,
    slack_tls,
    webdav_basic_bed,
    webdav_bed,
    webdav_tls,
)

__all__ = [
    "bed_authority",
    "bed_directory",
    "client_node",
    "client_python",
    "git_bed",
    "git_tls",
    "github_bed",
    "github_tls",
    "slack_bed",
    "slack_tls",
    "webdav_basic_bed",
    "webdav_bed",
    "webdav_tls",
]

"""Fixtures every test may ask for. The beds start only when one is asked for."""

import signal

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


def pytest_configure() -> None:
    """A shell starts what it puts in the background with Ctrl-C ignored, and every process that a
    test starts would inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)

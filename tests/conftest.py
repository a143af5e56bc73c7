"""Fixtures every test may ask for. The beds start only when one is asked for."""

import signal

from hypothesis import HealthCheck, settings

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


# How long an example takes says what else the machine does, nothing of the code.
settings.register_profile("goex", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("goex")


def pytest_configure() -> None:
    """A shell starts what it puts in the background with Ctrl-C ignored, and every process that a
    test starts would inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)

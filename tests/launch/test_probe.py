"""Can a view be made? Asked of the kernel, with its limits really lowered."""

import os
import subprocess
import sys

import pytest

from goex_proxy.launch import Level, probe
from goex_proxy.launch.probe import trial
from goex_proxy.launch.syscalls import refusals
from goex_proxy.launch.view import NATIVE
from tests.launch.world import PATH

ASK = "from goex_proxy.launch import *; import sys; print(probe(Level(sys.argv[1])))"


def test_cooperative_is_always_there() -> None:
    assert probe(Level.COOPERATIVE) is None


@pytest.mark.parametrize("level", [Level.HIDDEN, Level.SEALED])
def test_what_the_probe_promises_is_kept_by_a_view(level: Level) -> None:
    reason = probe(level)
    if reason and os.environ.get("CI") != "true":
        pytest.skip(reason)
    assert reason is None


def test_a_broken_engine_is_a_reason_and_never_a_view() -> None:
    assert trial(Level.HIDDEN, "/bin/false") is not None
    assert trial(Level.HIDDEN, "/no/bwrap") is not None


@pytest.mark.parametrize("level", ["hidden", "sealed"])
def test_without_privileges_and_namespaces_the_reason_names_the_limit(level: str) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can lower the limit, in a user namespace of its own")
    # The limit counts per user namespace: lowered in one of our own, it binds only below.
    script = 'echo 0 > /proc/sys/user/max_mnt_namespaces && exec "$@"'
    outer = ["unshare", "-Ur", "--mount-proc", "--pid", "--fork", "sh", "-c", script, "sh"]
    done = subprocess.run(
        [*outer, sys.executable, "-I", "-c", ASK, level],
        env={"PATH": PATH},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip(f"the limit cannot be lowered here: {done.stderr.strip()}")
    assert "namespaces is reached, or 0" in done.stdout, done.stdout
    assert len(done.stdout.splitlines()) == 1


def test_an_unknown_processor_has_no_view() -> None:
    with pytest.raises(ValueError, match="no system call filter is known for m68k"):
        refusals("m68k")


def test_native_is_one_of_the_engines() -> None:
    reason = trial(Level.HIDDEN, NATIVE)
    assert reason is None or "exit" in reason

"""`run` at a real terminal and at each level."""

import json
import os
import pty
import select
import signal
import subprocess
import time
from pathlib import Path

import pytest

from goex_proxy.launch import HidePlan, Level, ViewUnavailable, run, start
from tests.launch.world import PATH, World


def at_a_terminal(line: list[str], keys: list[tuple[bytes, bytes]]) -> tuple[int, bytes]:
    """Run a command with a terminal of its own; send each key once its text was seen."""
    child, terminal = pty.fork()
    if child == 0:
        os.execve(line[0], line, {"PATH": PATH})
    said = b""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 0.2)[0]:
            continue
        try:
            said += os.read(terminal, 4096)
        except OSError:
            break  # EIO: the last process has closed the terminal
        if keys and keys[0][0] in said:
            os.write(terminal, keys.pop(0)[1])
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said


def absolute(line: list[str]) -> list[str]:
    return ["/usr/bin/env", *line]


def test_ctrl_c_reaches_the_agent_once_and_its_code_is_kept(world: World) -> None:
    script = "trap 'echo got; sleep 0.3; exit 6' INT; echo up; while :; do sleep 0.05; done"
    code, said = at_a_terminal(absolute(world.line(["sh", "-c", script])), [(b"up", b"\x03")])
    assert code == 6, said
    assert said.count(b"got") == 1


def test_ctrl_c_ends_an_agent_that_does_not_catch_it(world: World) -> None:
    line = world.line(["sh", "-c", "echo up; exec sleep 300"])
    code, said = at_a_terminal(absolute(line), [(b"up", b"\x03")])
    assert code == 130
    assert b"Traceback" not in said


def test_an_interactive_shell_has_its_terminal_and_gives_it_back(world: World) -> None:
    line = world.line(["bash", "--norc", "-i"], environment={"PATH": PATH, "PS1": "ready> "})
    after = ["/bin/sh", "-c", '"$@"; echo "code $?"; stty -a | grep -o " echo "', "sh", *line]
    keys = [(b"ready> ", b"stty -echo; echo in-$((20+3)); exit 3\n")]
    code, said = at_a_terminal(after, keys)
    assert b"in-23" in said
    assert b"code 3" in said
    assert b" echo " in said.rpartition(b"code 3")[2]
    assert b"no job control" not in said
    assert code == 0


def test_cooperative_runs_the_command_as_it_is(tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = ["sh", "-c", f"env > {out}; exit 4"]
    assert run(command, level=Level.COOPERATIVE, environment={"PATH": PATH, "A": "b"}) == 4
    assert "A=b" in out.read_text().splitlines()


def test_a_signal_death_is_128_and_the_number_at_every_level() -> None:
    command = ["sh", "-c", "kill -TERM $$"]
    assert run(command, level=Level.COOPERATIVE, environment={"PATH": PATH}) == 128 + 15


def test_the_callers_signal_handlers_come_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    run(["true"], level=Level.COOPERATIVE, environment={"PATH": PATH})
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(
    ("level", "relay"), [(Level.HIDDEN, (Path("/s"), 8080)), (Level.SEALED, None)]
)
def test_a_relay_goes_with_sealed_and_only_with_it(
    level: Level, relay: tuple[Path, int] | None
) -> None:
    with pytest.raises(ValueError, match="a relay belongs to a sealed view"):
        start(["true"], level=level, environment={}, relay=relay)


def test_a_view_that_cannot_be_made_never_starts_the_command(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    gone = HidePlan(readonly=(tmp_path / "gone",))
    launched = start(
        ["touch", str(mark)], level=Level.HIDDEN, environment={"PATH": PATH}, hide=gone
    )
    with pytest.raises(ViewUnavailable, match="was not started"):
        launched.wait()
    assert not mark.exists()


def test_an_order_shows_neither_password_nor_placeholder(world: World) -> None:
    line = world.line(["true"])
    assert "environment" in json.loads(Path(line[-1]).read_text())
    listing = world.run("sh", "-c", "cat /proc/*/cmdline | tr '\\0' ' '").stdout
    assert "LANG" not in listing


def test_no_process_is_left(world: World) -> None:
    with subprocess.Popen(world.line(["sh", "-c", "(sleep 77.25 &)"]), env={"PATH": PATH}) as done:
        assert done.wait(30) == 0
    listing = subprocess.run(["ps", "-e", "-o", "args="], capture_output=True, text=True).stdout
    assert "sleep 77.25" not in listing.splitlines()

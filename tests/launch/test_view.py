"""P1 in a hidden view: what the gateway guards cannot be reached from inside, by real processes."""

import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.launch.world import PATH, SECRET, World

CONNECT = "import socket,sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"


def test_the_gateways_home_shows_only_what_clients_need(world: World) -> None:
    done = world.sh(f"ls -A {world.goex}; cat {world.goex}/bundle.pem; cat {world.goex}/vault.key")
    assert done.stdout == "bundle.pem\npublic"
    assert SECRET not in done.stdout + done.stderr


def test_the_control_socket_cannot_be_reached(world: World) -> None:
    done = world.run("python3", "-c", CONNECT, str(world.goex / "control.sock"))
    assert "FileNotFoundError" in done.stderr


def test_every_other_home_that_can_be_found_is_out_of_sight(world: World) -> None:
    found = ["home/.goex-proxy", "named", "work/.goex", "base-of-a-gateway"]
    for name in found[1:]:
        (world.base / name).mkdir()
        (world.base / name / "vault.key").write_text(SECRET)
    world.listen(world.base / found[3] / "control.sock")
    world.give()
    named = {"GOEX_HOME": str(world.base / "named")}
    inner = world.work / "src"
    inner.mkdir()
    done = world.sh(
        f"cd {world.base}; cat {' '.join(name + '/vault.key' for name in found)}",
        ambient=named,
        directory=str(inner),
    )
    assert SECRET not in done.stdout
    assert done.stderr.count("No such file") == len(found)


def test_the_default_home_is_hidden_from_an_agent_of_another(world: World) -> None:
    own = world.base / "own"
    own.mkdir()
    (own / "bundle.pem").write_text("ours")
    world.give()
    done = world.sh(
        f"ls -A {world.goex}; cat {world.goex}/vault.key; cat {own}/bundle.pem", goex=str(own)
    )
    assert done.stdout == "ours"


def test_a_socket_that_listens_anywhere_is_covered(world: World) -> None:
    world.listen(world.work / "agent.1")
    done = world.run("python3", "-c", CONNECT, str(world.work / "agent.1"))
    assert "ConnectionRefusedError" in done.stderr


def test_credential_files_are_empty(world: World) -> None:
    done = world.sh("ls -A ~/.ssh; cat ~/.netrc; cat ~/.ssh/id_ed25519")
    assert done.stdout == ""


def test_a_key_that_a_hidden_link_leads_to_is_blank(world: World) -> None:
    real = world.write("dotfiles/key")
    (world.home / ".ssh/other").symlink_to(real)
    assert world.sh("cat ~/dotfiles/key").stdout == ""


def test_a_services_own_login_is_hidden_only_when_the_vault_holds_one(world: World) -> None:
    world.write(".config/gh/hosts.yml", "gh-login")
    assert world.sh("cat ~/.config/gh/hosts.yml").stdout == "gh-login"
    assert world.sh("cat ~/.config/gh/hosts.yml", services=["github"]).stdout == ""


def test_no_other_process_is_seen(world: World) -> None:
    done = world.sh("ls /proc | grep -c '^[0-9]*$'; cat /proc/1/environ /proc/1/maps; echo $$")
    count, own = done.stdout.split()
    assert int(count) <= 5
    assert int(own) < 10
    assert SECRET not in done.stdout + done.stderr


def test_the_first_process_cannot_be_read_or_traced(world: World) -> None:
    done = world.sh("cat /proc/1/maps /proc/1/environ; readlink /proc/1/fd/0 /proc/1/exe")
    assert done.stdout == ""
    assert done.stderr.count("denied") == 2


@pytest.mark.parametrize("prefix", ["", "unshare -Ur ", "unshare -Urm "])
def test_what_covers_cannot_be_unmounted(world: World, prefix: str) -> None:
    done = world.sh(f"{prefix}sh -c 'umount {world.goex}; umount -l {world.goex}; ls {world.goex}'")
    assert "vault.key" not in done.stdout
    # An unshare that the kernel refuses is as good; one that ran must have found the lock.
    assert done.stdout == "bundle.pem\n" or "unshare" in done.stderr


def test_no_copy_of_the_mounts_shows_what_they_cover(world: World) -> None:
    script = (
        f"mkdir -p m; mount --bind {world.home} m && cat m/.goex-proxy/vault.key m/.ssh/id_ed25519"
    )
    done = world.sh(f"unshare -Urm sh -c '{script}'")
    assert SECRET not in done.stdout


def test_no_capability_is_held_or_won_back(world: World) -> None:
    done = world.sh("grep -E '^(CapEff|CapPrm|NoNewPrivs|Seccomp):' /proc/self/status")
    values = dict(line.split(":\t") for line in done.stdout.splitlines())
    assert int(values["CapEff"], 16) == 0
    assert int(values["CapPrm"], 16) == 0
    assert (values["NoNewPrivs"], values["Seccomp"]) == ("1", "2")


def test_nothing_types_into_the_users_terminal(world: World) -> None:
    code = "import fcntl,os; m,s=os.openpty(); fcntl.ioctl(s, int(input()), b'x')"
    for request in (0x5412, 0x541C):
        done = world.sh(f'echo {request} | python3 -c "{code}"')
        assert "PermissionError" in done.stderr, done.stderr


def test_the_kernels_keyrings_are_out_of_reach(world: World) -> None:
    code = "import ctypes,os; l=ctypes.CDLL(None,use_errno=True); print(l.syscall(250,0,-3,1), ctypes.get_errno())"
    if "x86_64" in subprocess.run(["uname", "-m"], capture_output=True, text=True).stdout:
        assert world.run("python3", "-c", code).stdout == "-1 38\n"


def test_what_steers_the_machine_is_read_only(world: World) -> None:
    script = "test -w /proc/sys/kernel/core_pattern || test -w /proc/sysrq-trigger || test -w /sys || echo none"
    assert world.sh(script).stdout == "none\n"


def test_devices_work_and_disks_are_not_among_them(world: World) -> None:
    script = "echo x > /dev/null && head -c 4 /dev/urandom | wc -c; ls /dev | grep -c -E '^(vd|sd|mem|kmem)'"
    assert world.sh(script).stdout == "4\n0\n"
    assert world.run("python3", "-c", "import os; print(os.openpty())").returncode == 0


def test_the_installation_is_read_only(world: World) -> None:
    package = Path(__file__).parents[2] / "goex_proxy"
    done = world.sh(f"touch {package}/planted.py")
    assert "Read-only" in done.stderr or "denied" in done.stderr
    assert not (package / "planted.py").exists()


def test_directory_streams_and_environment_are_the_agents(world: World) -> None:
    done = world.sh(
        "pwd; env | sort; echo talk >&2; touch made", environment={"PATH": PATH, "A": "ü"}
    )
    assert done.stdout.splitlines() == [str(world.work), "A=ü", f"PATH={PATH}", f"PWD={world.work}"]
    assert done.stderr == "talk\n"
    assert (world.work / "made").exists()


def test_git_works(world: World) -> None:
    script = "git init -q . && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x && git log --format=%s"
    assert world.sh(script).stdout == "x\n", world.sh(script).stderr


@pytest.mark.parametrize(
    ("script", "code"),
    [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", 143), ("kill -KILL $$", 137)],
)
def test_the_exit_code_is_kept(world: World, script: str, code: int) -> None:
    assert world.sh(script).returncode == code


def test_a_command_that_is_not_there_says_so(world: World) -> None:
    done = world.run("no-such-command")
    assert done.returncode == 127
    assert "cannot start 'no-such-command': not found" in done.stderr


def test_orphans_are_buried_and_end_with_the_view(world: World) -> None:
    done = world.sh("(sleep 0.2 &) ; (sleep 300 &) ; sleep 0.6; ps -e -o stat= | grep -c Z")
    assert done.stdout == "0\n"  # and run() returned although a sleeper was left


def test_a_signal_to_the_launcher_reaches_the_agent_once(world: World) -> None:
    script = "trap 'echo got; exit 5' TERM; echo up; while :; do sleep 0.05; done"
    line = world.line(["sh", "-c", script])
    with subprocess.Popen(line, stdout=subprocess.PIPE, env={"PATH": PATH}) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == b"got\n"
        assert process.wait(20) == 5


def test_the_agent_dies_with_its_launcher(world: World) -> None:
    mark = world.work / "beat"
    line = world.line(["sh", "-c", f"echo up; while :; do date +%N > {mark}; sleep 0.05; done"])
    with subprocess.Popen(line, stdout=subprocess.PIPE, env={"PATH": PATH}) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.kill()
        process.wait(20)
    time.sleep(0.5)
    last = mark.read_text()
    time.sleep(0.3)
    assert mark.read_text() == last


def test_a_view_from_a_hidden_directory_is_refused(world: World) -> None:
    done = world.run("true", directory=str(world.goex))
    assert done.returncode == 1
    assert "is hidden from the agent" in done.stderr

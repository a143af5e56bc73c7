"""`init`, `serve`, `demo`, `env`, `note`, and how fast the small commands start."""

import json
import socket
import stat
import subprocess
import sys

import pytest

from tests.cli.place import Place

HEAVY = ("mitmproxy", "aiohttp", "sqlite_utils", "rich", "pydantic", "cryptography", "yaml")


def test_init_makes_a_home_that_is_ours_alone_and_can_be_repeated(place: Place) -> None:
    first = place.goex("init", "--posture", "careful", GH_TOKEN="ghp_the_real_one")
    assert (first.code, first.out) == (0, "")
    assert "found a login: github in GH_TOKEN" in first.err
    assert "ghp_the_real_one" not in first.err
    assert stat.S_IMODE(place.home.stat().st_mode) == 0o700
    assert stat.S_IMODE((place.home / "vault.key").stat().st_mode) == 0o600
    assert "posture: careful" in (place.home / "goex.yaml").read_text()
    before = {path: path.read_bytes() for path in (place.home / "ca").iterdir()}
    again = place.goex("init", "--posture", "open")
    assert "is as it was" in again.err
    assert "set posture: open in" in again.err
    assert {path: path.read_bytes() for path in (place.home / "ca").iterdir()} == before
    assert "posture: careful" in (place.home / "goex.yaml").read_text()


def test_serve_says_ready_and_ends_well(place: Place) -> None:
    place.found()
    with place.gateway() as proxy:
        status = place.goex("status", "--json").json
        assert status["running"] is True
        assert status["listening"] == [proxy.removeprefix("http://")]
        second = place.goex("serve")
        assert second.code == 1
        assert "another goex-proxy is at work" in second.err
        assert second.out == ""
    assert place.goex("status", "--json").json["running"] is False


def test_a_taken_port_is_a_clear_error(place: Place) -> None:
    place.found()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = place.goex("serve", "--listen", f"127.0.0.1:{port}")
    assert done.code == 1
    assert f"error: cannot listen on 127.0.0.1:{port}" in done.err
    assert "Traceback" not in done.err


def test_a_bad_configuration_is_exit_2_with_its_place(place: Place) -> None:
    place.found()
    (place.home / "goex.yaml").write_text("version: 1\nlisten: here\npostur: open\n")
    done = place.goex("serve")
    assert done.code == 2
    assert "goex.yaml:2:9: listen: 'here'" in done.err
    assert "did you mean 'posture'?" in done.err


def test_a_bad_address_is_a_usage_error(place: Place) -> None:
    place.found()
    assert place.goex("serve", "--listen", "nowhere").code == 2


def test_the_demo_needs_nothing_and_leaves_nothing(place: Place) -> None:
    temporary = place.folder / "tmp"
    temporary.mkdir()
    done = place.goex("demo", TMPDIR=str(temporary))
    assert done.code == 0, done.err
    assert "caviar" in done.out
    assert "e1  undone, read back" in done.out
    assert "byte for byte" in done.err
    assert list(temporary.iterdir()) == []
    assert not place.home.exists()


def test_env_gives_variables_in_each_format(lived: Place) -> None:
    variables = lived.goex("env", "--format", "json").json
    assert variables["HTTPS_PROXY"].startswith("http://127.0.0.1:")
    assert variables["SSL_CERT_FILE"] == str(lived.home / "client" / "bundle.pem")
    named = lived.goex("env", "--proxy", "http://bob:pw@127.0.0.1:9", "--format", "claude").json
    assert named["env"]["HTTPS_PROXY"] == "http://bob:pw@127.0.0.1:9"
    assert lived.goex("env").out.startswith("export HTTPS_PROXY=")
    assert lived.goex("env", "--proxy", "ftp://x").code == 2


def test_env_needs_a_port_that_is_known(place: Place) -> None:
    place.found(listen="127.0.0.1:0")
    done = place.goex("env")
    assert done.code == 1
    assert "lets it choose its port" in done.err


def test_note_is_for_agents(lived: Place) -> None:
    note = lived.goex("note").out
    assert 8 <= len(note.splitlines()) <= 14
    assert "goex.internal" in note


@pytest.mark.parametrize("arguments", [["--help"], ["log"], ["show", "e1"], ["undo", "--help"]])
def test_small_commands_import_nothing_heavy(lived: Place, arguments: list[str]) -> None:
    heavy = HEAVY if arguments[0] != "show" else [h for h in HEAVY if h != "cryptography"]
    program = (
        "import json, sys\n"
        "from goex_proxy.cli.main import main\n"
        f"code = main({arguments!r})\n"
        f"print(json.dumps([code, [name for name in {list(heavy)!r} if name in sys.modules]]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=lived.environment(), capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout.splitlines()[-1]) == [0, []]


def test_mistakes_in_typing_are_lower_case_with_a_hint(lived: Place) -> None:
    done = lived.goex("undo", "--nope")
    assert done.code == 2
    assert done.err.startswith("error: no such option")
    assert done.err.endswith("hint: goex undo --help\n")
    assert lived.goex("frobnicate").code == 2

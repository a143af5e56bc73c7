"""The shapes of `--json` that others build on, and streams that are not there."""

import os
import subprocess

import pytest

from tests.cli.place import Place

VALUE = "acme_0123456789abcdefghijABCDEFGHIJ"
STEP = {"entry", "outcome", "read_back", "guarded", "residue", "reason"}
SECRET = {"name", "placeholder", "service", "hosts", "slots", "as", "agents", "last_used"}


def test_undo_json_has_the_keys_of_the_contract(lived: Place) -> None:
    plan = lived.goex("undo", "e2", "--dry-run", "--json").json
    assert plan.keys() >= {"run", "steps"}
    assert all(step.keys() >= STEP for step in plan["steps"])
    assert plan["steps"][0]["entry"] == "e2"
    assert isinstance(plan["steps"][0]["residue"], list)


def test_secret_list_json_has_the_keys_of_the_contract(place: Place) -> None:
    place.found()
    where = ["--host", "h.example", "--in", "bearer", "--as", "ACME"]
    assert place.goex("secret", "add", "acme", *where, given=VALUE).code == 0
    [credential] = place.goex("secret", "list", "--json").json
    assert credential.keys() >= SECRET
    assert VALUE not in str(credential)
    variables = place.goex("env", "--format", "json").json
    assert all(isinstance(value, str) for value in variables.values())
    assert variables["ACME"] == credential["placeholder"]


@pytest.mark.parametrize(
    ("form", "word"),
    [("docker", "--network host -v "), ("claude", "settings.json"), ("github-actions", ">>")],
)
def test_env_says_how_what_it_prints_is_used(lived: Place, form: str, word: str) -> None:
    told = lived.goex("env", "--format", form)
    assert told.code == 0
    assert word in told.err
    assert "hint" not in told.out


@pytest.mark.parametrize("arguments", [["log"], ["show", "e2"], ["status"], ["--help"]])
@pytest.mark.parametrize("stream", [">&-", "2>&-", ">/dev/full"])
def test_a_stream_that_is_not_there_makes_no_traceback(
    lived: Place, arguments: list[str], stream: str
) -> None:
    line = ["sh", "-c", f'"$@" {stream}', "sh", *lived.line(*arguments)]
    done = subprocess.run(
        line, env=lived.environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert "Traceback" not in done.stderr
    assert "fault" not in done.stderr
    assert done.returncode == (1 if stream == ">/dev/full" else 0)
    if stream == ">/dev/full":
        assert done.stderr.startswith(f"error: {os.strerror(28).lower()}")


def test_what_reads_our_output_may_go_first(lived: Place) -> None:
    line = ["sh", "-c", '"$@" | head -n 1', "sh", *lived.line("reverser", "list")]
    done = subprocess.run(
        line, env=lived.environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("service")

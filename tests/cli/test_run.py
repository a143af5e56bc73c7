"""`run`: the gateway comes and goes with its sessions; the agent sees what it may."""

import os

import pytest

from goex_proxy.launch.plan import Level
from goex_proxy.launch.probe import probe
from tests.cli.place import HOST, Place

VALUE = "acme_0123456789abcdefghijABCDEFGHIJ"
PUT = f'curl -sS -o /dev/null -w "%{{http_code}} " -T "$1" https://{HOST}/list.txt'


def needs(level: Level) -> None:
    reason = probe(level)
    if reason is not None:
        assert not os.environ.get("CI"), f"CI must be able to make a {level} view: {reason}"
        pytest.skip(reason)


def test_run_starts_a_gateway_that_ends_with_it_and_tells_what_was_done(place: Place) -> None:
    needs(Level.HIDDEN)
    place.found()
    (place.files / "list.txt").write_text("milk")
    (place.user / "new").write_text("caviar")
    done = place.goex("run", "--session", "s1", "--", "sh", "-c", f"{PUT}; exit 7", "sh", "new")
    assert done.code == 7, done.err
    assert done.out == "204 "
    said = done.err.splitlines()
    assert said[0].startswith("goex: session s1, hidden, through 127.0.0.1:")
    assert "goex: session s1: 1 changed" in said
    assert said[-1] == "hint: take it back: goex undo --session s1"
    assert (place.files / "list.txt").read_text() == "caviar"
    place.wait("status", "--json", word='"running": false')
    assert place.goex("undo", "--session", "s1", "--yes").code == 0
    assert (place.files / "list.txt").read_text() == "milk"
    [session] = place.goex("session", "list", "--json").json
    assert (session["name"], session["agent"]) == ("s1", "sh")
    assert session["ended"]


def test_the_agent_sees_neither_the_home_nor_other_variables(place: Place) -> None:
    needs(Level.HIDDEN)
    place.found()
    where = ["--host", "h.example", "--in", "bearer", "--as", "ACME"]
    placeholder = place.goex("secret", "add", "acme", *where, given=VALUE).out.strip()
    script = 'env; ls "$1"; cat "$1/vault.key" || echo no key; ls "$1/client"'
    line = ["sh", "-c", script, "sh", str(place.home)]
    done = place.goex(
        "run", "--pass", "WANTED", "--", *line, WANTED="w", OTHER_SECRET="hidden-thing"
    )
    assert done.code == 0, done.err
    assert f"ACME={placeholder}" in done.out
    assert "WANTED=w" in done.out
    assert "hidden-thing" not in done.out
    assert "GOEX_HOME" not in done.out
    assert "no key" in done.out
    assert "bundle.pem" in done.out
    assert "vault.db" not in done.out


def test_a_running_gateway_is_used_and_stays(place: Place) -> None:
    place.found()
    with place.gateway() as proxy:
        line = ["run", "--cooperative", "--agent", "bob", "--", "sh", "-c", "echo $HTTPS_PROXY"]
        done = place.goex(*line)
        assert "cooperative" in done.err.splitlines()[0]
        assert done.out.strip().endswith(proxy.removeprefix("http://"))
        assert done.out.startswith("http://bob-")
        assert place.goex("status", "--json").json["running"] is True
        # The session is over: its password opens nothing.
        with pytest.raises(Exception, match="returned non-zero"):
            place.agent(done.out.strip(), "GET", "a.txt")


def test_held_calls_are_announced_with_the_command_that_approves(place: Place) -> None:
    place.found("  - {hold: webdav.put, reason: a person looks}\n")
    (place.user / "new").write_text("x")
    script = f"{PUT}; sleep 2"
    done = place.goex(
        "run", "--cooperative", "--session", "s2", "--", "sh", "-c", script, "sh", "new"
    )
    assert done.out == "403 "
    assert f"goex: held e1: webdav.put {HOST}/list.txt: a person looks" in done.err
    assert "goex approve e1" in done.err
    assert "goex: session s2: 0 changed, 1 held" in done.err


def test_sealed_has_no_route_but_the_gateway(place: Place) -> None:
    needs(Level.SEALED)
    place.found()
    (place.user / "new").write_text("x")
    direct = f"curl -sS --noproxy '*' -m 3 -o /dev/null http://127.0.0.1:{place.service.port}/ || echo no way"
    done = place.goex("run", "--sealed", "--", "sh", "-c", f"{PUT}; {direct}", "sh", "new")
    assert done.code == 0, done.err
    assert done.out == "201 no way\n"
    assert "sealed" in done.err.splitlines()[0]


def test_what_cannot_be_run_says_so(place: Place) -> None:
    place.found()
    assert place.goex("run", "--cooperative", "--", "no-such-command-here").code == 127
    assert place.goex("run", "--sealed", "--cooperative", "--", "true").code == 2
    assert place.goex("run", "--pass", "NOT_SET_ANYWHERE", "--", "true").code == 2
    assert place.goex("run", "--session", "a:b", "--", "true").code == 2
    assert place.goex("run").code == 2

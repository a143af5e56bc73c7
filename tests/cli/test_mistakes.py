"""What is typed wrong, or cannot be, is said so: unknown names, options, states."""

from goex_proxy.cli.clients import value_files
from goex_proxy.core.exchange import Headers, Origin, Request
from goex_proxy.engine import request_lines
from goex_proxy.home import Home
from tests.cli.place import Place


def test_unknown_sessions_agents_and_options_are_errors(lived: Place) -> None:
    told = lived.goex("log", "--session", "nosuch")
    assert (told.code, "there is no session nosuch" in told.err) == (1, True)
    told = lived.goex("env", "--agent", "nosuch")
    assert (told.code, told.out, "there is no agent nosuch" in told.err) == (1, "", True)
    told = lived.goex("run", "--bogus", "--", "true")
    assert (told.code, "--bogus" in told.err) == (2, True)


def test_env_warns_when_no_gateway_runs(lived: Place) -> None:
    told = lived.goex("env")
    assert told.code == 0
    assert "warning: no gateway runs" in told.err


def test_a_resume_of_what_was_not_paused_says_so(place: Place) -> None:
    place.found()
    assert "was not paused" in place.goex("resume").err
    place.goex("pause")
    assert "already" in place.goex("pause").err
    assert "taken again" in place.goex("resume").err


def test_an_undo_of_what_was_refused_says_that_nothing_was_changed(lived: Place) -> None:
    told = lived.goex("undo", "e4", "--dry-run")
    assert "skipped: it is refused: nothing was changed" in told.out


def test_a_fidelity_that_hangs_on_the_call_is_listed_as_both(lived: Place) -> None:
    assert "exact or none" in lived.goex("reverser", "list", "webdav").out


def test_files_that_a_command_of_the_vault_reads_are_hidden_from_agents(place: Place) -> None:
    place.found()
    token = place.user / "token"
    token.write_text("a-value-that-is-long-enough")
    line = ["secret", "add", "git", "--command", f"cat {token}"]
    told = place.goex(*line)
    assert (told.code, "git is not checked" in told.err) == (0, True)
    assert value_files(Home(place.home)) == (token.resolve(),)


def test_a_form_in_a_plan_is_shown_decoded() -> None:
    form = "application/x-www-form-urlencoded"
    request = Request(
        method="POST",
        origin=Origin(scheme="https", host="a.example", port=443),
        target="/x",
        headers=Headers((("Content-Type", form),)),
        body=b"channel=C1&text=a%20b",
    )
    shown = request_lines.body_in_words(request)
    assert "(21 bytes)" not in shown
    assert '"a b"' in shown

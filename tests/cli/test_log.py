"""`log`, `show`, `diff`: reading needs no gateway, and shows what strangers wrote as text."""

import signal
import subprocess

import pytest

from tests.cli.place import HOST, Place

KEYS = {
    *("id", "session", "agent", "time", "service", "operation", "method", "url", "status"),
    *("state", "fidelity", "residue", "effect", "rule", "credential", "auth"),
}


def test_log_json_is_an_object_a_line_with_the_keys_of_the_contract(lived: Place) -> None:
    lines = lived.goex("log", "--json").lines
    assert [line["id"] for line in lines] == ["e1", "e2", "e3", "e4"]
    assert all(line.keys() >= KEYS for line in lines)
    assert [line["state"] for line in lines] == ["applied", "applied", "held", "refused"]
    assert lines[0]["url"] == f"https://{HOST}/a.txt"


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (["--state", "held", "--state", "refused"], ["e3", "e4"]),
        (["--operation", "webdav.p*"], ["e1", "e2", "e3"]),
        (["--operation", "webdav.delete"], ["e4"]),
        (["--effect", "deny"], ["e4"]),
        (["--last", "1"], ["e4"]),
        (["--last", "1", "--operation", "webdav.p*"], ["e3"]),
        (["--by", "person"], []),
        (["--since", "1h"], ["e1", "e2", "e3", "e4"]),
        (["--since", "2999-01-01T00:00:00Z"], []),
        (["--host", "nowhere.example"], []),
    ],
)
def test_log_filters(lived: Place, options: list[str], ids: list[str]) -> None:
    assert [line["id"] for line in lived.goex("log", "--json", *options).lines] == ids


def test_a_pipe_gets_the_table_and_no_colours(lived: Place) -> None:
    out = lived.goex("log").out
    assert out.splitlines()[0].split()[:3] == ["id", "time", "session"]
    assert "\x1b" not in out


def test_what_a_rule_or_an_agent_wrote_cannot_move_the_cursor(lived: Place) -> None:
    for command in (["held"], ["show", "e3"]):
        out = lived.goex(*command).out
        assert "\x1b" not in out
        assert "\\x1b[31mthis" in out


def test_show_has_the_whole_entry(lived: Place) -> None:
    shown = lived.goex("show", "e2", "--json").json
    assert shown["request"]["body"] == {"encoding": "utf-8", "data": "two"}
    assert shown["events"][0]["type"] == "Opened"
    assert shown.keys() >= KEYS | {
        *("request", "response", "before", "after", "inverse", "decision", "events")
    }
    assert shown["request"].keys() == {"method", "url", "headers", "body"}
    assert shown["inverse"][0].keys() == {"method", "url", "headers", "body"}
    assert all(len(pair) == 2 for pair in shown["request"]["headers"])
    assert shown["inverse"][0]["method"] == "PUT"
    assert shown["decision"]["effect"] == "allow"
    text = lived.goex("show", "2").out
    assert f"request: PUT https://{HOST}/a.txt" in text
    assert "undo sends: PUT" in text
    assert "fidelity    exact: undo restores what it was" in text
    assert "- one" in text
    assert "+ two" in text


def test_a_held_call_is_shown_so_that_a_person_can_decide(lived: Place) -> None:
    done = lived.goex("show", "e3")
    said = done.out.splitlines()
    assert f"target      PUT https://{HOST}/held.txt" in said
    assert any(line.startswith("decision    hold by mine/") for line in said)
    assert said[said.index("would change") + 1 :][:2] == ["file  path held.txt", "  + x"]
    assert "fidelity    exact: undo restores what it was" in said
    assert done.err == "hint: goex approve e3, or goex reject e3\n"


def test_a_refused_call_has_changed_nothing(lived: Place) -> None:
    done = lived.goex("diff", "e4")
    assert done.out == ""
    assert "it is refused" in done.err
    assert lived.goex("diff", "e4", "--json").json == []


def test_show_of_an_entry_that_is_not_there_fails_with_a_hint(lived: Place) -> None:
    done = lived.goex("show", "e99")
    assert (done.code, done.out) == (1, "")
    assert done.err == "error: there is no entry e99\nhint: goex log\n"


def test_an_id_that_is_none_is_a_usage_error(lived: Place) -> None:
    done = lived.goex("show", "first")
    assert done.code == 2
    assert "'first' is not an entry; write it like e1042" in done.err


def test_diff_says_what_changed(lived: Place) -> None:
    out = lived.goex("diff", "e2").out
    assert "- one" in out
    assert "+ two" in out
    assert lived.goex("diff", "e2", "--json").json[0]["before"]["data"] == "one"


def test_without_a_home_commands_say_what_to_do(place: Place) -> None:
    done = place.goex("log")
    assert done.code == 1
    assert f"error: there is no home at {place.home}; make one: goex init; or name" in done.err


def test_nothing_is_read_from_the_working_directory(lived: Place) -> None:
    for name in ("goex.yaml", ".env"):
        (lived.user / name).write_text("GOEX_HOME: nowhere\n]]]")
    assert lived.goex("log", "--json", "--last", "1").lines[0]["id"] == "e4"


def test_follow_shows_an_entry_when_it_changes(place: Place) -> None:
    place.found("  - {hold: webdav.put, reason: look}\n")
    with place.gateway() as proxy:
        follower = subprocess.Popen(
            place.line("log", "--follow", "--json"),
            stdout=subprocess.PIPE,
            text=True,
            env=place.environment(PYTHONUNBUFFERED="1"),
        )
        try:
            place.agent(proxy, "PUT", "a.txt", "x")
            assert follower.stdout is not None
            assert '"held"' in follower.stdout.readline()
            assert place.goex("approve", "e1").code == 0
            assert '"applied"' in follower.stdout.readline()
        finally:
            follower.send_signal(signal.SIGINT)
            follower.communicate(timeout=30)
    assert follower.returncode == 130

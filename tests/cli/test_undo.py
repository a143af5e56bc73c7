"""`undo`, `redo`, `keep`: the plan first, nothing without a yes, and the truth at the end."""

import os
import pty
import signal
import subprocess
import sys
import time

from tests.cli.place import Place


def changed(place: Place) -> None:
    """list.txt said milk, and e1 made it caviar."""
    place.found()
    (place.files / "list.txt").write_text("milk")
    with place.gateway() as proxy:
        assert place.agent(proxy, "PUT", "list.txt", "caviar") == "204 e1"


def test_without_a_terminal_undo_prints_the_plan_and_does_nothing(place: Place) -> None:
    changed(place)
    done = place.goex("undo")
    assert done.code == 2
    assert "e1  webdav.put  exact, guarded" in done.out
    assert "PUT https://files.example.test/list.txt" in done.out
    assert "add --yes" in done.err
    assert (place.files / "list.txt").read_text() == "caviar"


def test_undo_without_a_gateway_restores_and_reads_back_and_redo_makes_it_again(
    place: Place,
) -> None:
    changed(place)
    assert place.goex("undo", "--dry-run").code == 0
    done = place.goex("undo", "e1", "--yes", "--json")
    assert done.code == 0
    [step] = done.json["steps"]
    assert (step["entry"], step["outcome"], step["read_back"]) == ("e1", "undone", True)
    assert (place.files / "list.txt").read_text() == "milk"
    assert (
        place.goex("undo", "e1", "--yes").out == "e1  webdav.put  already: it was undone before\n"
    )
    log = place.goex("log", "--json", "--by", "person").lines
    assert [line["undo_of"] for line in log] == ["e1"]
    assert place.goex("redo", "e1").code == 0
    assert (place.files / "list.txt").read_text() == "caviar"


def test_a_change_by_somebody_else_is_a_conflict_and_stays(place: Place) -> None:
    changed(place)
    (place.files / "list.txt").write_text("wine")
    for options, state in ((["--dry-run"], "applied"), (["--yes"], "conflict")):
        done = place.goex("undo", "e1", *options)
        assert done.code == 4
        assert "e1  webdav.put  conflict" in done.out
        assert place.goex("log", "--json").lines[0]["state"] == state
        assert "goex diff e1" in done.err
    assert (place.files / "list.txt").read_text() == "wine"
    plan = place.goex("undo", "e1", "--force", "--dry-run")
    assert "--force sends: PUT https://files.example.test/list.txt" in plan.out
    assert (place.files / "list.txt").read_text() == "wine"


def test_undo_of_what_is_not_there_fails(place: Place) -> None:
    place.found()
    assert place.goex("undo", "e7", "--yes").code == 1
    assert place.goex("undo").err == "there is nothing to undo\n"
    assert place.goex("undo", "e1", "--last", "1").code == 2


def test_a_plan_names_the_nearest_that_goes_first_and_counts_the_others(place: Place) -> None:
    place.found()
    with place.gateway() as proxy:
        for text in ("one", "two", "three", "four"):
            place.agent(proxy, "PUT", "a.txt", text)
    reasons = {s["entry"]: s["reason"] for s in place.goex("undo", "--json").json["steps"]}
    assert reasons["e3"] == "after e4; checked again then"
    assert reasons["e2"] == "after e3 and 1 more; checked again then"
    assert reasons["e1"] == "after e2 and 2 more; checked again then"


MANY = 40
WRITER = """\
import ssl, sys, urllib.request
context = ssl.create_default_context(cafile=sys.argv[1])
for n in range(int(sys.argv[2])):
    url = f"https://files.example.test/n{n}.txt"
    urllib.request.urlopen(urllib.request.Request(url, b"x", method="PUT"), context=context).read()
"""


def test_an_undo_whose_person_left_begins_no_further_entry(place: Place) -> None:
    place.found()
    bundle = str(place.home / "client" / "bundle.pem")
    with place.gateway() as proxy:
        subprocess.run(
            [sys.executable, "-I", "-c", WRITER, bundle, str(MANY)],
            env={"PATH": os.defpath, "HTTPS_PROXY": proxy},
            timeout=60,
            check=True,
        )

        def there() -> int:
            return len(list(place.files.iterdir()))

        assert there() == MANY
        undo = subprocess.Popen(
            place.line("undo", "--yes"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=place.environment(),
        )
        while there() > MANY - 2:
            assert undo.poll() is None
            time.sleep(0.001)
        undo.send_signal(signal.SIGINT)
        _, said = undo.communicate(timeout=30)
        time.sleep(0.3)
        left = there()
        time.sleep(1)
        assert there() == left > 0
        assert undo.returncode == 130
        assert "no further entry is undone" in said
        place.wait("log", "--state", "undone", "--json", word="undone")
        assert len(place.goex("log", "--state", "undone", "--json").lines) == MANY - left


def test_what_is_kept_is_not_undone(place: Place) -> None:
    changed(place)
    assert place.goex("keep").code == 2
    assert place.goex("keep", "e1").out.startswith("e1  kept  webdav.put")
    shown = place.goex("show", "e1", "--json").json
    assert [one["body"]["data"] for one in shown["before"].values()] == ["milk"]
    assert shown["inverse"][0]["method"] == "PUT", "what it had for its undo stays in the journal"
    assert "stays in it" in place.goex("keep", "--help").out
    assert place.goex("undo", "e1", "--yes").code == 3
    assert (place.files / "list.txt").read_text() == "caviar"


END_OF_INPUT = "\x04"


def at_a_terminal(place: Place, answer: str) -> tuple[int, str]:
    """`undo` with a person at the keyboard; its exit code and what it said."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        place.line("undo"), stdin=theirs, stdout=theirs, stderr=theirs,
        env=place.environment(NO_COLOR="1"), start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    said = b""
    try:
        while b"[y/N]" not in said and (chunk := os.read(ours, 4096)):
            said += chunk
        os.write(ours, answer.encode() + (b"" if answer == END_OF_INPUT else b"\n"))
        while True:
            try:
                said += os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
    finally:
        code = process.wait(60)
        os.close(ours)
    return code, said.decode()


def test_a_person_is_asked_and_the_answer_counts(place: Place) -> None:
    changed(place)
    code, said = at_a_terminal(place, "n")
    assert code == 1
    assert "undo 1 entry? [y/N]" in said
    assert "nothing was undone" in said
    assert "\x1b[" not in said  # NO_COLOR
    code, said = at_a_terminal(place, END_OF_INPUT)
    assert code == 130
    assert "[y/N]: \r\nnothing was undone\r\n" in said
    assert (place.files / "list.txt").read_text() == "caviar"
    code, said = at_a_terminal(place, "y")
    assert code == 0
    assert "e1  undone, read back" in said
    assert (place.files / "list.txt").read_text() == "milk"

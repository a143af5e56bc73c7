"""`policy` and `reverser`: rules and reversers are tried before they are in force."""

from tests.cli.place import Place


def test_a_new_policy_is_good_and_passes_its_test(place: Place) -> None:
    place.found()
    made = place.goex("policy", "new", "team")
    assert made.out.splitlines() == [
        str(place.home / "policies" / "team.yaml"),
        str(place.home / "policies" / "team_test.yaml"),
    ]
    assert "in force at once" in made.err
    assert place.goex("policy", "new", "team").code == 1
    assert place.goex("policy", "new", "../x").code == 2
    assert place.goex("policy", "check").err == "good: 2 rules in 2 files\n"
    done = place.goex("policy", "test", "--coverage", "--threshold", "100")
    assert done.code == 0, done.err
    assert done.out == "ok   a force push waits for a person\n"
    assert "100 % of 1 rule applied in a test" in done.err


def test_a_test_that_fails_is_exit_1_and_says_what_came_out(place: Place) -> None:
    place.found()
    place.goex("policy", "new", "team")
    tests = place.home / "policies" / "team_test.yaml"
    tests.write_text(tests.read_text().replace("effect: hold", "effect: deny"))
    done = place.goex("policy", "test", str(tests), "--explain", "fails")
    assert done.code == 1
    assert "bad  a force push waits for a person  (team_test.yaml:4)" in done.out
    assert "expected deny, got hold by team/force-push" in done.out
    assert "team/force-push: hold, applies" in done.out
    skipped = place.goex("policy", "test", "--run", "other*", "--threshold", "50")
    assert skipped.code == 1  # nothing failed, and no rule applied


def test_a_bad_policy_is_exit_2_with_its_place(place: Place) -> None:
    place.found()
    bad = place.user / "bad.yaml"
    bad.write_text("version: 1\nrules:\n  - deny: github.*\n    if: args.x ==\n")
    for command in ("check", "test"):
        done = place.goex("policy", command, str(bad))
        assert done.code == 2
        assert f"{bad}:" in done.err
    assert place.goex("policy", "check", str(place.user / "nowhere.yaml")).code == 2


def test_a_rule_about_no_operation_is_said(place: Place) -> None:
    place.found()
    slip = place.user / "slip.yaml"
    slip.write_text("version: 1\nrules:\n  - deny: github.issues/create-coment\n")
    done = place.goex("policy", "check", str(slip))
    assert done.code == 2
    assert f"{slip}:3" in done.err
    assert "no operation matches 'github.issues/create-coment'" in done.err
    assert "did you mean github.issues/create-comment?" in done.err
    for pattern in ("github.nothing*", "ours.pay"):
        slip.write_text(f"version: 1\nrules:\n  - deny: {pattern}\n")
        done = place.goex("policy", "check", str(slip))
        assert done.code == 0
        assert f"no operation matches {pattern!r}" in done.err
    for pattern in ("*", "github.read", "http.unregistered", "webdav.put", "git.push"):
        slip.write_text(f'version: 1\nrules:\n  - deny: "{pattern}"\n')
        assert place.goex("policy", "check", str(slip)).err == "good: 1 rule in 1 file\n"


def test_a_new_policy_holds_a_force_push_and_no_other(place: Place) -> None:
    place.found()
    place.goex("policy", "new", "team")
    url = "https://api.github.com/repos/a/b/git/refs/heads/main"
    for body, held in (('{"sha": "a"}', False), ('{"sha": "a", "force": true}', True)):
        done = place.goex("policy", "explain", "PATCH", url, "--json", body)
        assert ("hold by team/force-push" in done.out) is held


def test_explain_shows_each_rule_that_was_looked_at(place: Place) -> None:
    place.found()
    url = "https://api.github.com/repos/a/b"
    done = place.goex("policy", "explain", "DELETE", url)
    assert "operation  github.repos/delete" in done.out
    assert "decision   deny by mine/deny-github-repos-delete" in done.out
    allowed = place.goex("policy", "explain", "POST", f"{url}/issues", "--json", '{"title": "x"}')
    assert "operation  github.issues/create" in allowed.out
    twice = place.goex("policy", "explain", "POST", f"{url}/issues", "--json", '{"a": 1, "a": 2}')
    assert "decision   deny by goex" in twice.out  # as the gateway does, whatever the rules say
    assert place.goex("policy", "explain", "e1").code == 1
    assert place.goex("policy", "explain", "DELETE", "nowhere").code == 2


def test_an_entry_is_explained_by_the_rules_of_now(lived: Place) -> None:
    assert "decision   deny by mine/never" in lived.goex("policy", "explain", "e4").out


def test_reversers_are_listed_and_checked(place: Place) -> None:
    place.found()
    listed = {each["service"]: each for each in place.goex("reverser", "list", "--json").json}
    assert listed["github"]["operations"] > 20
    operations = place.goex("reverser", "list", "webdav", "--json").json
    assert "webdav.put" in [each["operation"] for each in operations]
    assert place.goex("reverser", "list", "nobody").code == 1
    assert place.goex("reverser", "check").code == 0
    bad = place.user / "bad.yaml"
    bad.write_text("version: 1\nservice: x\nhosts: [x.example]\noperations: {a: {mach: GET /}}\n")
    done = place.goex("reverser", "check", str(bad))
    assert done.code == 2
    assert f"{bad}:4:" in done.err


def test_a_reverser_is_tried_on_a_real_service(place: Place) -> None:
    place.found()
    file = place.user / "dav.yaml"
    file.write_text(
        "version: 1\nservice: dav\nhosts: [dav.example]\n"
        "resources: {file: {at: '/{path+}', absent: status == 404, kind: bytes}}\n"
        "operations: {put: {match: 'PUT {file}', fidelity: exact, undo: restore}}\n"
    )
    done = place.goex("reverser", "check", str(file))
    assert done.code == 0, done.err
    at = ["--at", f"http://127.0.0.1:{place.service.port}"]
    (place.files / "a.txt").write_text("before")
    done = place.goex("reverser", "test", str(file), "PUT", "/a.txt", *at, "--data", "after")
    assert done.code == 0, done.out + done.err
    assert [line.split()[0] for line in done.out.splitlines()] == ["do", "undo", "redo", "undo"]
    assert (place.files / "a.txt").read_text() == "before"
    gone = place.goex("reverser", "test", str(file), "PUT", "/no/such/folder.txt", *at)
    assert gone.code == 1

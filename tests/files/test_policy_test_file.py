"""Tests of policies: what a case says, and that nothing it says is silently passed over."""

from pathlib import Path

import pytest

from goex_proxy.core.decision import Auth, Effect, Posture
from goex_proxy.core.exchange import Headers
from goex_proxy.core.operation import Fidelity, Kind, Proof
from goex_proxy.files.issue import FileError
from goex_proxy.files.policy_test_file import Case, Given, TestFile, load, request_of

URL = "https://api.github.com/repos/a/b?x=1"


def write(folder: Path, tests: str, head: str = "policies: [team.yaml]\n") -> Path:
    path = folder / "team_test.yaml"
    path.write_text(f"version: 1\n{head}tests:\n{tests}")
    return path


def read(folder: Path, tests: str, head: str = "policies: [team.yaml]\n") -> TestFile:
    return load(write(folder, tests, head))


def case(folder: Path, test: str, head: str = "policies: [team.yaml]\n") -> Case:
    (found,) = read(folder, f"  - {{name: it, {test}}}\n", head).cases
    return found


def refused(folder: Path, test: str) -> str:
    with pytest.raises(FileError) as caught:
        case(folder, test)
    return str(caught.value)


ASK = f"request: {{method: get, url: '{URL}'}}"


def test_a_case_is_read_with_what_holds_of_it_by_default(tmp_path: Path) -> None:
    found = case(tmp_path, f"{ASK}, expect: deny")
    (step,) = found.steps
    assert (found.name, found.given, found.at.line) == ("it", Given(), 4)
    assert (step.request.method, step.request.target) == ("GET", "/repos/a/b?x=1")
    assert str(step.request.origin) == "https://api.github.com"
    assert (step.expect.effect, step.expect.rule, step.after) == (Effect.DENY, None, 0.0)


def test_what_is_given_to_all_holds_unless_a_case_gives_something_else(tmp_path: Path) -> None:
    head = "policies: [a.yaml, shipped:github]\ngiven: {agent: bot, posture: careful, undo: true}\n"
    file = read(tmp_path, f"  - {{name: one, {ASK}, expect: allow}}\n  - {{name: two, {ASK}, expect: allow, given: {{agent: me, now: 2025-11-20T14:00:00Z, auth: none}}}}\n", head)  # fmt: skip
    one, two = (each.given for each in file.cases)
    assert file.policies == ("a.yaml", "shipped:github")
    assert (one.agent, one.posture, one.undo, one.auth) == ("bot", Posture.CAREFUL, True, Auth.OURS)
    assert (two.agent, two.posture, two.undo, two.auth) == ("me", Posture.CAREFUL, True, Auth.NONE)
    assert two.now == "2025-11-20T14:00:00+00:00"


def test_facts_of_an_operation_may_be_given(tmp_path: Path) -> None:
    given = "operation: {name: x.y, kind: read, fidelity: exact, residue: [mail], recipients: [a@b.co], forced: 'yes'}"
    found = case(tmp_path, f"{ASK}, expect: deny, given: {{{given}}}").given.operation
    assert (found["name"], found["kind"], found["fidelity"]) == ("x.y", Kind.READ, Fidelity.EXACT)
    assert (found["residue"], found["recipients"], found["forced"]) == (("mail",), ["a@b.co"], "yes")  # fmt: skip
    assert (found["proved"], found["outside"]) == (Proof.NONE, False)


def test_an_expectation_names_effect_rule_and_reason(tmp_path: Path) -> None:
    found = case(tmp_path, f"{ASK}, expect: {{effect: hold, rule: t/r, reason: why}}").steps[0]
    assert (found.expect.effect, found.expect.rule, found.expect.reason) == (Effect.HOLD, "t/r", "why")  # fmt: skip


@pytest.mark.parametrize(
    ("body", "kind", "sent"),
    [
        ("json: {a: [1, null, true]}", "application/json", b'{"a": [1, null, true]}'),
        ("form: {a: b c, n: 1, t: true}", "application/x-www-form-urlencoded", b"a=b+c&n=1&t=true"),
        ("body: <a/>", None, b"<a/>"),
        ("file: data.bin", None, b"\0\xff"),
        ("json: {}, headers: {content-type: application/vnd.api+json}", "application/vnd.api+json", b"{}"),
    ],
)  # fmt: skip
def test_a_body_is_written_in_one_of_four_ways(
    tmp_path: Path, body: str, kind: str | None, sent: bytes
) -> None:
    (tmp_path / "data.bin").write_bytes(b"\0\xff")
    request = case(tmp_path, f"request: {{method: POST, url: '{URL}', {body}}}, expect: deny").steps[0].request  # fmt: skip
    assert request.body == sent
    assert request.headers.all("content-type") == ((kind,) if kind else ())


def test_steps_follow_one_another_in_time(tmp_path: Path) -> None:
    found = case(
        tmp_path, f"steps: [{{{ASK}, expect: allow}}, {{{ASK}, expect: deny, after: 61m}}]"
    )
    assert [(step.expect.effect, step.after) for step in found.steps] == [
        (Effect.ALLOW, 0.0),
        (Effect.DENY, 3660.0),
    ]


@pytest.mark.parametrize(
    ("test", "word"),
    [
        (f"{ASK}", "nothing is expected"),
        (f"{ASK}, expect: denied", "one of: allow, hold, deny"),
        (f"{ASK}, expect: {{rule: x}}", "expect: no effect"),
        (f"{ASK}, expect: {{effect: deny, rules: x}}", "unknown key 'rules'"),
        (f"{ASK}, expect: deny, given: {{used: {{x: 1}}}}", "'used' is not there yet"),
        (f"{ASK}, expect: deny, given: {{now: yesterday}}", "'yesterday' is no time"),
        (f"{ASK}, expect: deny, given: {{now: 2025-11-20T14:00:00}}", "is no time"),
        (f"{ASK}, expect: deny, given: {{operation: {{name: x}}}}", "operation: no name"),
        (f"{ASK}, expect: deny, given: {{operation: {{name: x.y, fidelity: perfect}}}}", "fidelity: 'perfect'"),
        (f"{ASK}, expect: deny, given: {{posture: lax}}", "posture: 'lax'"),
        (f"{ASK}, expect: deny, steps: []", "a request or steps"),
        (f"{ASK}, expect: deny, except: x", "did you mean 'expect'"),
        ("expect: deny", "no request"),
        ("request: {entry: e1}, expect: deny", "'entry' is not there yet"),
        ("request: {url: 'https://a.com'}, expect: deny", "a method and a url"),
        ("request: {method: GET, url: /user}, expect: deny", "is no URL"),
        ("request: {method: GET, url: 'https://a.com:x/'}, expect: deny", "url: "),
        (f"request: {{method: GET, url: '{URL}', json: {{}}, form: {{}}}}, expect: deny", "write the body once"),
        (f"request: {{method: GET, url: '{URL}', file: gone.bin}}, expect: deny", "there is no file"),
        (f"request: {{method: GET, url: '{URL}', form: [a]}}, expect: deny", "form: a list, and a map is wanted"),
        (f"steps: [{{{ASK}, expect: deny, after: soon}}]", "a time span is wanted"),
        (f"steps: [{{{ASK}, expect: deny, name: x}}]", "unknown key 'name'"),
    ],
)  # fmt: skip
def test_what_a_case_says_wrongly_is_refused_and_never_passed_over(
    tmp_path: Path, test: str, word: str
) -> None:
    assert word in refused(tmp_path, test)


def test_a_file_names_policies_and_has_tests_with_names(tmp_path: Path) -> None:
    path = tmp_path / "team_test.yaml"
    path.write_text(f"version: 1\ntests: [{{{ASK}, expect: deny}}]")
    with pytest.raises(FileError) as caught:
        load(path)
    assert {issue.what for issue in caught.value.issues} == {"no policy is named", "a test without a name"}  # fmt: skip
    path.write_text("version: 1\npolicies: [a.yaml]\ntests: []")
    with pytest.raises(FileError, match="there are no tests"):
        load(path)


def test_a_url_is_taken_as_a_person_writes_it() -> None:
    made = request_of("post", "http://Host.example:8080", Headers(()), b"x")
    assert (made.method, made.target, made.body) == ("POST", "/", b"x")
    assert (made.origin.scheme, made.origin.host, made.origin.port) == (
        "http",
        "host.example",
        8080,
    )
    for url in ("api.github.com/user", "ftp://a.com", "https://", "https://a.com:99999"):
        with pytest.raises(ValueError, match=r".+"):
            request_of("GET", url, Headers(()), b"")

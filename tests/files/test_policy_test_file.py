"""Tests of policies: what is read, and what is refused with its place."""

from pathlib import Path

import pytest

from goex_proxy.core.decision import Auth, Effect, Posture
from goex_proxy.core.exchange import Headers
from goex_proxy.core.operation import Fidelity, Kind
from goex_proxy.files import policy_test_file
from goex_proxy.files.issue import FileError
from goex_proxy.files.policy_test_file import Expect, TestFile

WHOLE = """\
version: 1
policies: [team.yaml, shipped:github]
given: {now: 2025-11-20T14:00:00Z, agent: bot, posture: careful}
tests:
  - name: a force push waits
    request: {method: patch, url: "https://api.github.com/x?y=1", json: {force: true}}
    expect: {effect: hold, rule: team/force-push, reason: so}
  - name: two steps
    given: {auth: foreign, operation: {name: x.y, fidelity: exact, kind: delete}}
    steps:
      - {request: {method: POST, url: "http://h.example:81", form: {a: b c, n: 3}}, expect: allow}
      - {after: 61m, request: {method: PUT, url: "https://h.example/", file: body.bin}, expect: deny}
"""


def load(tmp_path: Path, text: str) -> TestFile:
    path = tmp_path / "team_test.yaml"
    path.write_text(text)
    (tmp_path / "body.bin").write_bytes(b"\x00\x01")
    return policy_test_file.load(path)


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    file = load(tmp_path, WHOLE)
    assert file.policies == ("team.yaml", "shipped:github")
    one, two = file.cases
    [step] = one.steps
    assert (step.request.method, step.request.url) == ("PATCH", "https://api.github.com/x?y=1")
    assert step.request.body == b'{"force": true}'
    assert step.request.headers.get("content-type") == "application/json"
    assert step.expect == Expect(effect=Effect.HOLD, rule="team/force-push", reason="so")
    assert (one.given.agent, one.given.posture) == ("bot", Posture.CAREFUL)
    assert two.given.auth is Auth.FOREIGN
    assert two.given.agent == "bot"
    assert two.given.operation["fidelity"] is Fidelity.EXACT
    assert two.given.operation["kind"] is Kind.DELETE
    first, second = two.steps
    assert first.request.body == b"a=b+c&n=3"
    assert str(first.request.origin) == "http://h.example:81"
    assert (second.after, second.request.body) == (3660.0, b"\x00\x01")


@pytest.mark.parametrize(
    ("test", "what"),
    [
        ("{name: x, request: {method: GET, url: 'https://h/'}}", "nothing is expected"),
        ("{name: x, expect: allow}", "no request"),
        ("{request: {method: GET, url: 'https://h/'}, expect: deny}", "a test without a name"),
        ("{name: x, request: {method: GET, url: h}, expect: deny}", "'h' is no URL"),
        ("{name: x, request: {url: 'https://h/'}, expect: deny}", "a method and a url"),
        ("{name: x, request: {method: GET, url: 'https://h/'}, expect: perhaps}", "expect: 'perhaps'"),
        ("{name: x, request: {method: PUT, url: 'https://h/', json: {}, body: x}, expect: deny}", "json and body"),
        ("{name: x, request: {method: PUT, url: 'https://h/', file: gone}, expect: deny}", "there is no file"),
        ("{name: x, request: {method: PUT, url: 'https://h/', entry: e1}, expect: deny}", "later version"),
        ("{name: x, given: {used: {a: 1}}, request: {method: PUT, url: 'https://h/'}, expect: deny}", "later version"),
        ("{name: x, given: {now: today}, request: {method: PUT, url: 'https://h/'}, expect: deny}", "'today' is no time"),
        ("{name: x, steps: [], request: {method: PUT, url: 'https://h/'}, expect: deny}", "a request or steps"),
        ("{name: x, given: {operation: {fidelity: none}}, request: {method: PUT, url: 'https://h/'}, expect: deny}", "operation: no name"),
    ],
)  # fmt: skip
def test_what_would_not_be_tested_is_refused(tmp_path: Path, test: str, what: str) -> None:
    with pytest.raises(FileError, match=r"team_test\.yaml:") as caught:
        load(tmp_path, f"version: 1\npolicies: [team.yaml]\ntests:\n  - {test}\n")
    assert what in str(caught.value)


def test_a_file_without_policies_or_tests_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        load(tmp_path, "version: 1\n")
    assert "no policy is named" in str(caught.value)
    assert "there are no tests" in str(caught.value)


@pytest.mark.parametrize("url", ["", "mailto:x@y", "https://", "https://h:99999/"])
def test_a_typed_url_that_is_none_is_a_value_error(url: str) -> None:
    with pytest.raises(ValueError, match=r"(?i)url|port"):
        policy_test_file.request_of("GET", url, Headers(), b"")

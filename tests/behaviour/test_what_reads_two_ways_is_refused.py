"""P3: a request that two readers could take for two different ones is refused, and told why."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.behaviour.ground import Ground, Holding, Standing, Witness, stored
from tests.behaviour.tap import Loop
from tests.behaviour.wiretap import NOTHING

HOST = "api.github.com"
CAP = 64 * 1024
OWN = """service: shaky
hosts: [shaky.example]
operations:
  things/throw: {match: {method: POST, path: /throw, if: "args.missing == 'x'"}, fidelity: none}
  things/imaged: {match: "PUT {thing}", fidelity: exact, undo: restore}
resources:
  thing: {at: "/things/{n}"}
"""


@pytest.fixture(scope="module")
def _place(
    tmp_path_factory: pytest.TempPathFactory, tap_loop: Loop
) -> Iterator[tuple[Standing, Witness]]:
    service = Witness(tap_loop)
    world = Ground(
        tmp_path_factory.mktemp("place"), tap_loop, {HOST: service.url, "shaky.example": service.url, "bare.example": service.url},
        holdings=[
            Holding(name="github", source=stored("ghp_realrealrealrealrealrealrealreal0001"), host=HOST),
            Holding(name="shaky", source=stored("a-real-secret-of-shaky-0001"), host="shaky.example"),
        ],
        limits="hold_wait: 0.2s, body: 64KiB", policy="rules:\n  - {allow: 'github.*'}\n",
    ).open()  # fmt: skip
    (world.home.path / "reversers" / "own.yaml").write_text(f"version: 1\n{OWN}")
    world.start()
    yield world, service
    world.close()
    service.close()


@pytest.fixture
def world(_place: tuple[Standing, Witness]) -> Standing:
    _place[1].clear()
    return _place[0]


@pytest.fixture
def service(_place: tuple[Standing, Witness]) -> Witness:
    return _place[1]


def wire(world: Standing, line: str, *more: str, body: bytes = b"", length: bool = True) -> bytes:
    lines = [f"{line} HTTP/1.1", f"Host: {HOST}", *more]
    lines.append(f"Authorization: {world.bearer('github')['Authorization']}")
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


ISSUE = "POST /repos/a/b/issues"
JSON = "Content-Type: application/json"
PATHS = (
    "/repos/a/b/../c/issues", "/repos/a/b/%2e%2e/c/issues", "/repos/a/./b/issues", "/repos//a/b/issues",
    "/repos/a/b%252Fc/issues", "/repos/a/%252e%252e/issues", "/repos/a\\b/issues", "/repos/a%5Cb/issues",
    "/repos/a/b%00/issues", "/repos/a/b%2F..%2Fc/issues", "/repos/a/%zz/issues", "/repos/a/%ff/issues",
    "/repos/a/b/issues#x", "//evil.example/repos", "/repos/a/b/issues?x=a\tb",
)  # fmt: skip


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("path", PATHS)
def test_a_path_that_reads_two_ways_is_refused(
    world: Standing, service: Witness, path: str, method: str
) -> None:
    sent = wire(world, f"{method} {path}", JSON, body=b'{"title":"t"}' if method == "POST" else b"")
    answer = world.raw(sent, tunnel=f"{HOST}:443")
    assert answer.status in (400, 403), answer
    assert answer.goex["reason"]
    assert not service.raw


FRAMES = {
    "Content-Length and Transfer-Encoding": ("Transfer-Encoding: chunked",),
    "two lengths": ("Content-Length: 3",),
    "an unknown transfer coding": ("Transfer-Encoding: gzip, chunked",),
    "a folded field": ("X-A: b\r\n c",),
    "a space before the colon": ("Transfer-Encoding : chunked",),
    "a field without a colon": ("nonsense",),
    "a NUL in a field": ("X-A: a\0b",),
    "a bare line feed": ("X-A: a\nX-B: b\nTransfer-Encoding: chunked",),
    "a head above its cap": ("X-A: " + "a" * 70_000,),
    "another method in a header": ("X-HTTP-Method-Override: DELETE",),
    "yet another": ("X-Method-Override: PATCH",),
    "and another": ("X-HTTP-Method: PUT",),
}


@pytest.mark.parametrize("what", FRAMES)
def test_framing_and_fields_that_read_two_ways_are_refused(
    world: Standing, service: Witness, what: str
) -> None:
    sent = wire(world, ISSUE, JSON, *FRAMES[what], body=b'{"title":"t"}')
    answer = world.raw(sent, tunnel=f"{HOST}:443")
    if answer.status == 200:  # read in one way, which is the way it went out
        raw = bytes(service.raw)
        assert raw.count(b"\r\n\r\n") == 1
        assert raw.endswith(b'\r\n\r\n{"title":"t"}')
        assert b"\n c" not in raw
        assert b"chunked" not in raw
        assert what in ("a folded field", "a bare line feed"), what
        return
    assert answer is NOTHING or answer.status in (400, 403, 431), answer
    assert answer is NOTHING or answer.goex["reason"]
    assert not service.raw


BODIES = {
    "a key twice": b'{"title":"a","title":"b"}',
    "a key twice, escaped": b'{"title":"a","\\u0074itle":"b"}',
    "no JSON": b'{"title":',
    "more after the JSON": b'{"title":"a"} {"title":"b"}',
    "NaN": b'{"title":"a","n":NaN}',
    "not UTF-8": b'{"title":"\xff\xfe"}',
    "deep": b'{"a":' * 4000 + b"1" + b"}" * 4000,
}


@pytest.mark.parametrize("what", BODIES)
def test_a_body_that_reads_two_ways_is_refused(
    world: Standing, service: Witness, what: str
) -> None:
    answer = world.raw(wire(world, ISSUE, JSON, body=BODIES[what]), tunnel=f"{HOST}:443")
    assert answer.status == 403, answer
    assert "body cannot be read" in answer.goex["reason"]
    assert not service.raw


def test_a_body_under_an_unknown_coding_is_refused(world: Standing, service: Witness) -> None:
    sent = wire(world, ISSUE, JSON, "Content-Encoding: made-up", body=b'{"title":"a"}')
    answer = world.raw(sent, tunnel=f"{HOST}:443")
    assert answer.status == 403, answer
    assert "cod" in answer.goex["reason"]
    assert not service.raw


PARTS = b'--a\r\nContent-Disposition: form-data; name="to"\r\n\r\nme\r\n--a--\r\n'
TWICE = {
    "a key twice": (JSON, b'{"amount":1000000,"amount":1}'),
    "two types": (f"{JSON}\r\nContent-Type: text/plain", b"{}"),
    "two boundaries": ("Content-Type: multipart/form-data; boundary=a; boundary=b", PARTS),
    "an extended one": ("Content-Type: multipart/form-data; boundary=a; boundary*0=b", PARTS),
}


@pytest.mark.parametrize("what", TWICE)
def test_a_body_with_two_readings_is_refused_of_a_service_without_a_file(
    world: Standing, service: Witness, what: str
) -> None:
    fields, body = TWICE[what]
    line = f"POST /pay HTTP/1.1\r\nHost: bare.example\r\n{fields}\r\nContent-Length: {len(body)}"
    answer = world.raw(f"{line}\r\n\r\n".encode() + body, tunnel="bare.example:443")
    assert answer.status == 403, answer
    assert "body cannot be read" in answer.goex["reason"]
    assert not service.raw


GRAPHQL = {
    "a key twice": (b'{"query":"{a}","query":"mutation{x}"}', JSON),
    "above the cap": (b'{"query":"mutation{x}","pad":"' + b"a" * CAP * 17 + b'"}', JSON),
    "a list": (b'[{"query":"mutation{x}"}]', JSON),
    "UTF-16": ('{"query":"mutation{x}"}'.encode("utf-16"), JSON),
    "another type": (b"mutation{x}", "Content-Type: application/graphql"),
    "an unknown coding": (b'{"query":"mutation{x}"}', JSON + "\r\nContent-Encoding: made-up"),
}


@pytest.mark.parametrize("what", GRAPHQL)
def test_no_query_of_the_url_makes_a_read_of_a_graphql_body(
    world: Standing, service: Witness, what: str
) -> None:
    body, fields = GRAPHQL[what]
    line = "POST /graphql?query=%7Bviewer%7Blogin%7D%7D"
    answer = world.raw(wire(world, line, fields, body=body), tunnel=f"{HOST}:443")
    assert b"POST" not in service.raw or what == "a list"  # which the policy allows, on record
    assert world.show(answer.entry)["operation"] == "github.unregistered"


def test_a_method_in_a_form_field_is_refused(world: Standing, service: Witness) -> None:
    form = "Content-Type: application/x-www-form-urlencoded"
    sent = wire(world, "POST /anything", form, body=b"_method=DELETE&x=1")
    assert world.raw(sent, tunnel=f"{HOST}:443").status == 403
    assert not service.raw


def test_a_body_above_the_cap_that_the_rule_must_read_is_not_sent(
    world: Standing, service: Witness
) -> None:
    """Here the policy allows all of the service; the rule of the operation reads its body."""
    body = json.dumps({"a": 1, "pad": "x" * 2 * CAP}).encode()
    line = (
        f"POST /throw HTTP/1.1\r\nHost: shaky.example\r\nContent-Length: {len(body)}\r\n{JSON}\r\n"
    )
    auth = f"Authorization: {world.bearer('shaky')['Authorization']}\r\n\r\n"
    answer = world.raw(line.encode() + auth.encode() + body, tunnel="shaky.example:443")
    assert answer.status == 403, answer
    assert "too large" in answer.goex["reason"]
    assert not service.raw


def test_a_condition_of_a_match_that_throws_does_not_match(
    world: Standing, service: Witness
) -> None:
    """So the call is unregistered, and with our credential that is held."""
    answer = world.call("POST", "https://shaky.example/throw", json={"a": 1}, headers=world.bearer("shaky"))  # fmt: skip
    assert answer.goex["outcome"] == "held"
    assert world.show(answer.entry)["operation"] == "shaky.unregistered"
    assert not service.raw


def test_a_before_image_that_cannot_be_read_stops_the_change(
    world: Standing, service: Witness
) -> None:
    service.answer, kept = _no, service.answer
    try:
        answer = world.call("PUT", "https://shaky.example/things/1", json={"a": 1}, headers=world.bearer("shaky"))  # fmt: skip
    finally:
        service.answer = kept
    assert answer.status == 403, answer
    assert "could not be read beforehand" in answer.goex["reason"]
    assert b"GET /things/1" in service.raw
    assert b"PUT" not in service.raw


async def _no(head: bytes, body: bytes, writer: object) -> None:
    writer.write(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")  # type: ignore[attr-defined]

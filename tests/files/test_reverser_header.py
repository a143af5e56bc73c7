"""The head of a service: hosts, credential, dialect, named reads."""

import pytest

from goex_proxy.core.step import render
from goex_proxy.files.reverser_file import load
from tests.files.reverser_parts import service, wrong


@pytest.mark.parametrize("host", ["API.example.com", "https://x.y", "a b", "*", "x.*.y", "x/y"])
def test_a_host_that_is_none_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match="not a host"):
        load(f'version: 1\nservice: x\nhosts: ["{host}"]\n', "x")


def test_hosts_are_names_stars_and_ports() -> None:
    text = 'version: 1\nservice: x\nhosts: [a.b, "*.a.b", "localhost:81", "[::1]:82"]\n'
    assert load(text, "x")[0].hosts == ("a.b", "*.a.b", "localhost:81", "[::1]:82")


def test_a_credential_says_its_slots_variables_and_check() -> None:
    found = service(
        "credential: {slots: [bearer, basic], as: [GH_TOKEN], shape: ghp_, check: GET /user, principal: login}\n"
    ).credential
    assert found is not None
    assert found.slots == ("bearer", "basic")
    assert found.variables == ("GH_TOKEN",)
    assert found.check == ("GET", "/user")
    assert found.principal == "login"


def test_a_check_is_a_method_and_a_path() -> None:
    assert "like GET /user" in wrong("credential: {check: user}\n")


def test_a_dialect_says_why_and_what_came_of_it() -> None:
    found = service(
        'errors: {status: 403, json: {message: "${reason}", code: "goex_${outcome}"}}\n'
    )
    scope = found.language.scope({"reason": "no", "outcome": "held"})
    assert found.dialect.status == 403
    assert render(found.dialect.json, scope) == {"message": "no", "code": "goex_held"}
    assert "args has no value here" in wrong('errors: {json: {message: "${args.x}"}}\n')


def test_a_codec_that_nobody_has_is_refused() -> None:
    assert "one of: git-refusal" in wrong("errors: {codec: git-refsal}\n")


def test_named_reads_are_text_maps_or_lists() -> None:
    found = service(
        "reads:\n  a: POST /a\n  b: {match: POST /b, inference: true}\n"
        "  c: [POST /c, {match: {path: /d, if: args.x == 1}}]\n  e: {match: POST /e, if: method == 'POST'}\n"
    ).reads
    assert [(read.name, read.match.template.text, read.inference) for read in found] == [
        ("a", "/a", False),
        ("b", "/b", True),
        ("c", "/c", False),
        ("c", "/d", False),
        ("e", "/e", False),
    ]
    assert found[4].match.when is not None

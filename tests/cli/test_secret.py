"""`secret`: the value goes in and never comes out; the placeholder is all that is printed."""

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.cli.place import Place

VALUE = "acme_0123456789abcdefghijABCDEFGHIJ"
REVERSER = """\
version: 1
service: acme
hosts: [api.acme.example]
credential: {slots: [bearer], as: [ACME_TOKEN], shape: acme_, check: GET /me, principal: login}
"""


class Me(http.server.BaseHTTPRequestHandler):
    """Says who a good token is."""

    def do_GET(self) -> None:
        good = self.headers["Authorization"] == f"Bearer {VALUE}"
        body = json.dumps({"login": "octo"} if good else {"error": "bad"}).encode()
        self.send_response(200 if good else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the test's stderr."""


@contextmanager
def acme(place: Place) -> Iterator[None]:
    """A home that knows the service acme, which is up."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Me) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            place.found(upstreams={"api.acme.example": f"http://127.0.0.1:{server.server_port}"})
            (place.home / "reversers" / "acme.yaml").write_text(REVERSER)
            yield
        finally:
            server.shutdown()
            thread.join()


def nowhere(place: Place, value: str = VALUE) -> None:
    """No file of the home holds it in clear."""
    for path in place.home.rglob("*"):
        if path.is_file():
            assert value.encode() not in path.read_bytes(), path


def test_add_prints_the_placeholder_and_only_that(place: Place) -> None:
    with acme(place):
        done = place.goex("secret", "add", "acme", given=VALUE + "\n")
        assert done.code == 0, done.err
        assert done.out.startswith("acme_")
        assert len(done.out.splitlines()) == 1
        assert done.out.strip() != VALUE
        assert "it acts as octo" in done.err
        assert VALUE not in done.err
        [listed] = place.goex("secret", "list", "--json").json
        wanted = {"name", "placeholder", "service", "hosts", "slots", "as", "agents", "last_used"}
        assert wanted <= listed.keys()
        assert listed["placeholder"] == done.out.strip()
        assert listed["hosts"] == ["api.acme.example"]
        assert listed["as"] == ["ACME_TOKEN"]
        assert listed["principal"] == "octo"
        assert VALUE not in place.goex("secret", "list").out
        assert place.goex("env", "--format", "json").json["ACME_TOKEN"] == done.out.strip()
        nowhere(place)


def test_what_the_service_refuses_is_not_kept(place: Place) -> None:
    with acme(place):
        done = place.goex("secret", "add", "acme", given="acme_wrong_0123456789_wrong_012345")
        assert done.code == 1
        assert done.out == ""
        assert "it was not kept: GET /me answered 401" in done.err
        assert place.goex("secret", "list", "--json").json == []
        kept = place.goex("secret", "add", "acme", "--no-check", given="acme_wrong_0123456789")
        assert kept.code == 0
        first = kept.out
        worse = place.goex("secret", "rotate", "acme", given="acme_still_wrong_0123456789")
        assert worse.code == 1
        better = place.goex("secret", "rotate", "acme", given=VALUE)
        assert better.code == 0, better.err
        assert place.goex("secret", "list", "--json").json[0]["placeholder"] == first.strip()


def test_other_services_need_a_host_and_a_slot(place: Place) -> None:
    place.found()
    done = place.goex("secret", "add", "other", given=VALUE)
    assert done.code == 2
    assert "hint: goex secret add other --host" in done.err
    named = ["secret", "add", "other", "--host", "api.other.example", "--in", "header:X-Key"]
    assert place.goex(*named, "--as", "OTHER_KEY", "--agent", "bob", given=VALUE).code == 0
    assert place.goex(*named, given=VALUE).code == 1  # the name is taken
    assert (
        place.goex(
            "secret", "add", "o2", "--host", "h.example", "--in", "moon", given="x" * 30
        ).code
        == 2
    )
    assert "OTHER_KEY" not in place.goex("env", "--format", "json").json
    assert "OTHER_KEY" in place.goex("env", "--format", "json", "--agent", "bob").json


def test_an_empty_value_is_refused_before_anything_is_kept(place: Place) -> None:
    place.found()
    done = place.goex("secret", "add", "github", given="\n")
    assert done.code == 2
    assert place.goex("secret", "list", "--json").json == []


def test_a_value_may_come_from_a_command_or_the_environment(place: Place) -> None:
    place.found()
    where = ["--host", "h.example", "--in", "bearer"]
    made = place.goex("secret", "add", "one", *where, "--command", f"printf %s {VALUE}")
    assert made.code == 0, made.err
    assert (
        place.goex("secret", "add", "two", *where, "--from-env", "TWO", TWO=VALUE + "2").code == 0
    )
    assert place.goex("secret", "add", "three", *where, "--from-env", "NOT_SET").code == 1
    both = ["--from-env", "A", "--command", "b"]
    assert place.goex("secret", "add", "four", *where, *both).code == 2
    nowhere(place, VALUE + "2")


def test_revoke_keeps_it_known_and_remove_forgets_it(place: Place) -> None:
    place.found()
    where = ["--host", "h.example", "--in", "bearer", "--as", "X"]
    assert place.goex("secret", "add", "x", *where, given=VALUE).code == 0
    assert place.goex("secret", "revoke", "x").code == 0
    assert place.goex("secret", "list", "--json").json[0]["revoked"]
    assert "X" not in place.goex("env", "--format", "json").json
    assert place.goex("secret", "remove", "x").code == 0
    assert place.goex("secret", "list", "--json").json == []
    assert place.goex("secret", "remove", "x").code == 1

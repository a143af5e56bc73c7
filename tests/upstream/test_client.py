"""The client against real sockets and real TLS."""

import asyncio

import pytest

from goex_proxy.core.exchange import Origin
from goex_proxy.credentials.keyring import Keyring
from goex_proxy.credentials.peer import Upstreams
from goex_proxy.stores.credential import Credential
from goex_proxy.stores.vault import Vault
from goex_proxy.upstream.client import Client, Settings
from goex_proxy.upstream.errors import (
    LostError,
    NotSentError,
)
from tests.upstream.conftest import (
    OK,
    REAL,
    Authority,
    Bench,
    Server,
    a_request,
    run,
    serving,
)


def test_a_fetch_carries_the_secret_and_brings_none_back(bench: Bench, github: Credential) -> None:
    async def work() -> None:
        answer = (
            b"HTTP/1.1 200 Fine\r\nX-Echo: "
            + REAL
            + b"\r\nContent-Length: 42\r\n\r\n<"
            + REAL
            + b">"
        )
        server = Server(answer)
        async with bench(server) as client:
            response = await client.fetch(a_request(), github.id, limit=1000)
        assert b"\r\nAuthorization: Bearer " + REAL + b"\r\n" in server.seen
        assert b"\r\nHost: api.github.com\r\n" in server.seen
        assert response.body == f"<{github.placeholder}>".encode()
        assert response.headers.get("x-echo") == github.placeholder
        assert (response.status, response.reason) == (200, "Fine")

    run(work())


def test_what_is_asked_is_sent_byte_for_byte(bench: Bench, github: Credential) -> None:
    target = "/a%2Fb/%7Ec/%e2%82%ac/+;=@:!$&'()*,?q=%20+%2B&q=a/b?c&r=%zz"

    async def work() -> None:
        server = Server(OK)
        headers = (
            ("X-Case", "keep Me"),
            ("Accept", "x/y"),
            ("X-Latin", "\xc3\xa9"),
            ("Content-Type", "a/b"),
        )
        async with bench(server, prefix="/base") as client:
            await client.fetch(
                a_request("REPORT", target, b"body", headers=headers), None, limit=10
            )
        head, _, body = server.seen.partition(b"\r\n\r\n")
        assert head.decode().split("\r\n") == [
            f"REPORT /base{target} HTTP/1.1", "Host: api.github.com", "X-Case: keep Me",
            "Accept: x/y", "X-Latin: \xe9", "Content-Type: a/b", "Accept-Encoding: gzip, deflate",
            "Content-Length: 4",
        ]  # fmt: skip
        assert body == b"body"

    run(work())


def test_not_one_byte_leaves_before_send(bench: Bench, github: Credential) -> None:
    async def work() -> None:
        server = Server(OK)
        async with bench(server) as client:
            sender = client.sender(a_request("POST", body=b"x" * 100000), github.id, limit=10)
            await sender.dial()
            await asyncio.sleep(0.2)
            assert (server.connections, server.seen) == (1, b"")
            response = await sender.send()
            assert response.status == 200
            assert REAL in server.seen

    run(work())


def test_an_abandoned_call_sends_nothing(bench: Bench, github: Credential) -> None:
    async def work() -> None:
        server = Server(OK)
        async with bench(server) as client:
            sender = client.sender(a_request("POST", body=b"x"), github.id, limit=10)
            await sender.dial()
            await sender.abandon()
            await asyncio.sleep(0.05)
        assert (server.connections, server.seen) == (1, b"")

    run(work())


def test_a_connection_that_dies_before_send_was_not_sent_on(
    bench: Bench, github: Credential
) -> None:
    async def work() -> None:
        server = Server(OK)
        async with bench(server) as client:
            sender = client.sender(a_request("POST", body=b"x"), github.id, limit=10)
            await sender.dial()
            server.hang_up()
            await asyncio.sleep(0.1)
            with pytest.raises(NotSentError, match="closed"):
                await sender.send()
        assert server.seen == b""

    run(work())


def test_a_cancelled_wait_does_not_cut_the_call(bench: Bench, github: Credential) -> None:
    async def work() -> None:
        server = Server(OK)
        async with bench(server) as client:
            sender = client.sender(a_request("POST", body=b"x"), github.id, limit=10)
            await sender.dial()
            waiting = asyncio.ensure_future(sender.send())
            await asyncio.sleep(0)
            waiting.cancel()
            assert (await sender.send()).status == 200
        assert server.seen.count(b"POST /user") == 1

    run(work())


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_lost_answer_is_lost_and_nothing_is_sent_twice(
    bench: Bench, github: Credential, method: str
) -> None:
    async def work() -> None:
        server = Server(b"")
        async with bench(server) as client:
            sender = client.sender(a_request(method), github.id, limit=10)
            await sender.dial()
            with pytest.raises(LostError, match="without an answer"):
                await sender.send()
        assert server.seen.count(b"HTTP/1.1") == 1

    run(work())


def test_a_stale_connection_is_retried_for_reads_only(bench: Bench, github: Credential) -> None:
    async def work() -> None:
        server = Server(OK, b"", OK)
        async with bench(server) as client:
            await client.fetch(a_request(), github.id, limit=10)
            assert (await client.fetch(a_request(), github.id, limit=10)).body == b"ok"
            assert server.seen.count(b"GET /user") == 3
            server.answers = [OK, b"", OK]
            await client.fetch(a_request(), github.id, limit=10)
            with pytest.raises(LostError):
                await client.fetch(a_request("POST"), github.id, limit=10)
            assert server.seen.count(b"POST /user") == 1

    run(work())


def test_refused_dials_are_not_sent_and_say_why(bench: Bench, github: Credential) -> None:
    async def work() -> None:
        for arguments, why in (
            ({"ca": False}, "certificate of localhost was refused"),
            ({"names": ("other.example",)}, "certificate of localhost was refused"),
        ):
            server = Server(OK)
            async with bench(server, **arguments) as client:
                sender = client.sender(a_request("POST"), github.id, limit=10)
                with pytest.raises(NotSentError, match=why):
                    await sender.dial()
            assert server.seen == b""
        async with bench(gone := Server(OK)) as client:
            unbound = a_request(origin=Origin(scheme="https", host="no.such.invalid", port=443))
            with pytest.raises(NotSentError, match=r"the name no\.such\.invalid is not known"):
                await client.fetch(unbound, None, limit=10)
        assert gone.seen == b""

    run(work())


def test_a_closed_port_is_not_sent(vault: Vault, github: Credential, authority: Authority) -> None:
    async def work() -> None:
        upstreams = Upstreams({"api.github.com": "http://127.0.0.1:1"})
        keyring = Keyring(vault, upstreams)
        keyring.reload()
        async with Client(keyring, upstreams, Settings()) as client:
            with pytest.raises(NotSentError, match=r"no connection to 127\.0\.0\.1:1"):
                await client.fetch(a_request(), github.id, limit=10)

    run(work())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "::ffff:127.0.0.1"])
def test_private_addresses_are_refused_unless_allowed(
    vault: Vault, authority: Authority, host: str
) -> None:
    async def work() -> None:
        async with serving(Server(OK), None) as server:
            origin = Origin(scheme="http", host=host, port=server.port)
            keyring = Keyring(vault)
            async with Client(keyring, Upstreams(), Settings()) as client:
                with pytest.raises(NotSentError, match=r"this machine.*network\.allow"):
                    await client.fetch(a_request(origin=origin), None, limit=10)
            assert server.connections == 0
            allow = frozenset({f"127.0.0.1:{server.port}", f"localhost:{server.port}"})
            if "::" not in host:
                async with Client(keyring, Upstreams(), Settings(allow=allow)) as client:
                    await client.fetch(a_request(origin=origin), None, limit=10)

    run(work())


def test_a_plain_mirror_on_loopback_gets_the_secret(bench: Bench, github: Credential) -> None:
    async def work() -> None:
        server = Server(OK)
        async with bench(server, tls=False) as client:
            await client.fetch(a_request(), github.id, limit=10)
        assert REAL in server.seen

    run(work())


def test_only_the_credential_of_the_entry_is_sent(bench: Bench, github: Credential) -> None:
    async def work() -> None:
        server = Server(OK)
        ours = (("Authorization", f"Bearer {github.placeholder}"),)
        async with bench(server) as client:
            for credential in (None, "cr_other"):
                with pytest.raises(NotSentError, match=r"not the one|removed"):
                    await client.fetch(a_request(headers=ours), credential, limit=10)
        assert server.seen == b""

    run(work())


def test_redirects_are_not_followed_and_cookies_not_kept(bench: Bench, github: Credential) -> None:
    async def work() -> None:
        moved = (
            b"HTTP/1.1 302 Found\r\nLocation: /else\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"
        )
        server = Server(moved)
        async with bench(server) as client:
            for _ in range(2):
                assert (await client.fetch(a_request(), github.id, limit=10)).status == 302
        assert b"/else" not in server.seen
        assert b"ookie" not in server.seen

    run(work())

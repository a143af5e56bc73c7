"""No route out of a sealed view but the session's socket."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from goex_proxy.launch.plan import Level
from goex_proxy.launch.view import start
from tests.launch.world import PATH, World

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nhi\n"


@pytest.fixture
def sealed(world: World) -> World:
    world.listen(world.session, ANSWER)
    return world


def look(world: World, *command: str) -> tuple[str, str]:
    environment = {"PATH": PATH, "http_proxy": "http://127.0.0.1:8080"}
    relay = str(world.session)
    done = world.run(*command, level="sealed", relay=relay, environment=environment)
    return done.stdout, done.stderr


@pytest.fixture
def service() -> Iterator[int]:
    """Something on the host's own loopback."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_curl_goes_through_the_relay(sealed: World) -> None:
    assert look(sealed, "curl", "-sS", "http://example.com/") == ("hi\n", "")


def test_the_relay_carries_large_bodies_both_ways_and_half_closes(world: World) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(world.session))
    listener.listen()
    (world.session).chmod(0o666)

    def echo() -> None:
        connection, _ = listener.accept()
        with connection:
            while chunk := connection.recv(65536):
                connection.sendall(chunk)

    threading.Thread(target=echo, daemon=True).start()
    code = (
        "import socket, threading; s=socket.create_connection(('127.0.0.1',8080)); n=8<<20\n"
        "def send(): s.sendall(b'x'*n); s.shutdown(socket.SHUT_WR)\n"
        "threading.Thread(target=send).start(); got=0\n"
        "while c:=s.recv(65536): got+=len(c)\n"
        "print(got==n)"
    )
    assert look(world, "python3", "-c", code) == ("True\n", "")
    listener.close()


def test_a_relay_whose_gateway_is_gone_fails_at_once(sealed: World) -> None:
    sealed.sockets[-1].shutdown(socket.SHUT_RDWR)
    assert "curl: (" in look(sealed, "curl", "-sS", "-m", "5", "http://example.com/")[1]


def test_a_new_gateway_is_reached_by_the_same_name(world: World) -> None:
    """Its socket is another file: what a view shows is the folder."""
    world.listen(world.session, b"HTTP/1.0 200 OK\r\n\r\nold\n")
    again = world.work / "again"
    fetch = "curl -sS -m 5 http://example.com/"
    script = f"{fetch}; touch {again}; while test -e {again}; do sleep 0.1; done; {fetch}"

    def replace() -> None:
        while not again.exists():
            time.sleep(0.05)
        world.session.unlink()
        world.listen(world.session, b"HTTP/1.0 200 OK\r\n\r\nnew\n")
        again.unlink()

    other = threading.Thread(target=replace, daemon=True)
    other.start()
    assert look(world, "sh", "-c", script)[0] == "old\nnew\n"
    other.join(10)


def test_a_socket_that_is_not_alone_in_its_folder_is_not_shown(world: World) -> None:
    with pytest.raises(ValueError, match="not alone in its folder"):
        start(
            ["true"],
            level=Level.SEALED,
            environment={},
            relay=(world.goex / "control.sock", 8080),
        )


def test_the_hosts_loopback_is_another_one(sealed: World, service: int) -> None:
    socket.create_connection(("127.0.0.1", service)).close()
    code = f"import socket; socket.create_connection(('127.0.0.1', {service}), 3)"
    assert "ConnectionRefusedError" in look(sealed, "python3", "-c", code)[1]


@pytest.mark.parametrize("address", ["1.1.1.1", "169.254.169.254", "10.0.0.1"])
def test_tcp_has_no_route(sealed: World, address: str) -> None:
    code = f"import socket; socket.create_connection(('{address}', 80), 3)"
    assert "Network is unreachable" in look(sealed, "python3", "-c", code)[1]


def test_udp_and_so_dns_have_no_route(sealed: World) -> None:
    code = "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('8.8.8.8', 53))"
    assert "Network is unreachable" in look(sealed, "python3", "-c", code)[1]
    assert look(sealed, "getent", "hosts", "example.com")[0] == ""


def test_abstract_sockets_are_closed(sealed: World) -> None:
    name = f"\0goex-test-{sealed.base.name}"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(name)
        listener.listen()
        code = f"import socket; socket.socket(socket.AF_UNIX).connect({name!r})"
        done = sealed.run("python3", "-c", code.replace("\0", "\\0"))
        assert done.returncode == 0  # hidden shares the network of the host, and says so
        assert "ConnectionRefusedError" in look(sealed, "python3", "-c", code)[1]


def test_the_control_socket_is_no_way_out_either(sealed: World) -> None:
    assert look(sealed, "ls", "-A", str(sealed.goex))[0] == "bundle.pem\n"

"""goex.yaml: the example of the design, and every way to get it wrong."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.core.decision import Posture
from goex_proxy.core.exchange import Origin
from goex_proxy.files import config, yamltext
from goex_proxy.files.config import Address, Config
from goex_proxy.files.issue import FileError

EXAMPLE = """\
listen: 127.0.0.1:8080
console: 127.0.0.1:8081
journal: sqlite
posture: balanced
policies: [./policies]
reversers: [shipped, ./reversers]
upstreams: {api.github.com: http://127.0.0.1:4001}
services: {webdav: {hosts: [files.example.com]}}
upstream_ca: ./private-ca.pem
routes: {/github: https://api.github.com}
network: {private: deny, allow: [Build.Internal:8443]}
limits: {body: 1MiB, hold_wait: 3s, upstream_timeout: 600s, image_requests: 50}
upstream_proxy: null
"""


def read(text: str, base: Path = Path("/home/x")) -> Config:
    return config.read(yamltext.parse(text, "goex.yaml"), base)


def refusal(text: str) -> FileError:
    with pytest.raises(FileError) as caught:
        read(text)
    return caught.value


def test_the_example_of_the_design_is_read(tmp_path: Path) -> None:
    (tmp_path / "private-ca.pem").touch()
    (tmp_path / "goex.yaml").write_text(EXAMPLE)
    found = config.load(tmp_path / "goex.yaml")
    assert found.listen == Address("127.0.0.1", 8080)
    assert found.posture is Posture.BALANCED
    assert found.policies == ("./policies",)
    assert found.reversers == ("shipped", "./reversers")
    assert found.upstreams == {"api.github.com": Origin(scheme="http", host="127.0.0.1", port=4001)}
    assert found.services == {"webdav": ("files.example.com",)}
    assert found.upstream_ca == tmp_path / "private-ca.pem"
    assert found.routes == {"/github": Origin(scheme="https", host="api.github.com", port=443)}
    assert found.network.allow == (("build.internal", 8443),)
    assert (found.limits.body, found.limits.hold_wait, found.limits.upstream_timeout) == (
        1 << 20,
        3.0,
        600.0,
    )
    assert found.base == tmp_path


def test_what_is_not_written_has_its_default() -> None:
    found = read("posture: careful\n")
    assert (found.listen.port, found.reversers, found.limits.image_requests) == (
        8080,
        ("shipped",),
        50,
    )


@pytest.mark.parametrize(
    ("text", "place", "word"),
    [
        ("listen: 8080", (1, 9), 'quote it: "8080"'),
        ("listen: example.com:80", (1, 9), "IP address"),
        ("listen: 127.0.0.1", (1, 9), "host:port"),
        ("listen: 127.0.0.1:99999", (1, 9), "host:port"),
        ("listen: ::1:80", (1, 9), "brackets"),
        ("lissten: 127.0.0.1:80", (1, 1), "did you mean 'listen'"),
        ("a: 1\nposture: lax", (2, 10), "careful, balanced, open"),
        ("posture: open\nposture: open", (2, 1), "stands twice"),
        ("policies: {a: b}", (1, 11), "a text"),
        ("policies: [1]", (1, 11), "list of texts"),
        ("journal: postgres", (1, 10), "later"),
        ("upstream_proxy: http://p", (1, 17), "later"),
        ("upstreams: {a.example: http://10.0.0.1:80}", (1, 13), "loopback"),
        ("upstreams: {a.example: https://b.example/path}", (1, 13), "without path"),
        ("upstreams: {a.example: https://u:p@b.example}", (1, 13), "without path"),
        ("upstreams: {'a b': https://b.example}", (1, 13), "host name"),
        ("upstreams: [x]", (1, 12), "a map"),
        ("routes: {github: https://api.github.com}", (1, 10), "path segment"),
        ("routes: {/a/b: https://api.github.com}", (1, 10), "path segment"),
        ("routes: {/a: ftp://api.github.com}", (1, 10), "base URL"),
        ("routes: {/a: http://api.github.com}", (1, 10), "loopback"),
        ("services: {webdav: {host: a}}", (1, 21), "did you mean 'hosts'"),
        ("services: {webdav: {hosts: ['a b']}}", (1, 29), "host name"),
        ("network: {private: maybe}", (1, 20), "deny, allow"),
        ("network: {allow: [host]}", (1, 19), "host:port"),
        ("limits: {body: 1MB}", (1, 16), "1MiB"),
        ("limits: {body: 0MiB}", (1, 16), "1MiB"),
        ("limits: {body: 1000}", (1, 16), "1MiB"),
        ("limits: {body: 65MiB}", (1, 10), "64MiB"),
        ("limits: {hold_wait: 3}", (1, 21), "30m"),
        ("limits: {hold_wait: 0s}", (1, 21), "30m"),
        ("limits: {image_requests: -1}", (1, 26), "above 0"),
        ("limits: {image_requests: true}", (1, 26), "above 0"),
        ("upstream_ca: ./none.pem", (1, 14), "no file"),
        ("listen: 127.0.0.1:80\nconsole: 127.0.0.1:80", (2, 1), "another port"),
        ("version: 2\nposture: open", (1, 10), "version: 1"),
        ("- a", (1, 1), "a map"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_what_to_write(
    text: str, place: tuple[int, int], word: str
) -> None:
    error = refusal(text)
    assert place in [(issue.at.line, issue.at.col) for issue in error.issues]
    assert word in str(error)


def test_all_mistakes_are_named_at_once() -> None:
    assert len(refusal("listen: x\nposture: y\nlimits: {body: z}\nnope: 1\n").issues) == 4


@pytest.mark.parametrize(
    ("address", "loopback"),
    [
        ("127.0.0.1:1", True),
        ("[::1]:1", True),
        ("localhost:1", True),
        ("0.0.0.0:1", False),
        ("[::]:1", False),
        ("192.168.1.1:1", False),
    ],
)
def test_it_is_known_whether_an_address_is_loopback(address: str, loopback: bool) -> None:
    found = read(f'listen: "{address}"').listen
    assert found.loopback is loopback
    assert str(found) == address


def test_reading_it_imports_nothing_heavy() -> None:
    heavy = (
        "pydantic",
        "mitmproxy",
        "aiohttp",
        "cel_expr_python",
        "celpy",
        "re2",
        "rich",
        "sqlite_utils",
    )
    code = f"import sys, goex_proxy.files.config; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


words = st.sampled_from(
    [
        "listen",
        "limits",
        "routes",
        "upstreams",
        "services",
        "network",
        "policies",
        "body",
        "a",
        "1MiB",
        "3s",
        "127.0.0.1:1",
        "/x",
        "https://a.b",
        "hosts",
    ]
)


@given(
    st.recursive(
        words | st.integers() | st.booleans() | st.none(),
        lambda c: st.lists(c, max_size=3) | st.dictionaries(words, c, max_size=4),
        max_leaves=10,
    )
)
def test_any_yaml_is_a_config_or_a_file_error(value: object) -> None:
    import json

    try:
        assert isinstance(read(json.dumps(value)), Config)
    except FileError as error:
        assert error.issues[0].at.path == "goex.yaml"  # noqa: PT017

"""Places: a fresh one for each test, and one for all that only look."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from goex_proxy.cli.demo_service import DemoService
from tests.cli.place import Place


def _place(folder: Path) -> Iterator[Place]:
    files = folder / "files"
    files.mkdir()
    with DemoService(files.resolve()) as service:
        yield Place(folder, service, files)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    yield from _place(tmp_path)


@pytest.fixture(scope="package")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A home with a journal; no gateway runs. For tests that change nothing:

    e1 created a.txt, e2 overwrote it, e3 was held, e4 was denied.
    """
    for place in _place(tmp_path_factory.mktemp("lived")):
        place.found(
            '  - {hold: webdav.put, match: {path: "/held*"}, reason: "look at \\u001b[31mthis"}\n'
            "  - {deny: webdav.delete, id: never, reason: nothing is deleted}\n"
        )
        with place.gateway() as proxy:
            assert place.agent(proxy, "PUT", "a.txt", "one") == "201 e1"
            assert place.agent(proxy, "PUT", "a.txt", "two") == "204 e2"
            assert place.agent(proxy, "PUT", "held.txt", "x").startswith("403 e3 ")
            assert place.agent(proxy, "DELETE", "a.txt").startswith("403 e4 ")
        yield place

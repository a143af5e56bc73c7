"""reversers/webdav.yaml, against the bed: afterwards the tree is as it was, byte for byte."""

from __future__ import annotations

import shutil

import pytest

from goex_proxy.core.admission import arrive
from goex_proxy.core.call import Call
from goex_proxy.core.exchange import Headers, Request, Response
from goex_proxy.core.journal import State
from goex_proxy.core.operation import Fidelity, Kind
from tests.beds.bed import ask
from tests.beds.webdav import WebDav
from tests.files.reverser_world import World, book, classified, request, services

HOST = "https://files.example.com"
BOOK = book(*services("webdav", {"webdav": ("files.example.com",)}))
BYTES = b"one\x00\xff\r\n"


@pytest.mark.parametrize("method", ["PROPFIND", "REPORT", "SEARCH", "GET", "OPTIONS", "HEAD"])
def test_what_only_reads_is_a_read(method: str) -> None:
    assert classified(BOOK, request(method, HOST + "/a")).kind is Kind.READ


@pytest.mark.parametrize("method", ["PUT", "MKCOL", "DELETE", "MOVE", "COPY", "PROPPATCH"])
def test_a_method_is_its_operation(method: str) -> None:
    assert classified(BOOK, request(method, HOST + "/a/b")).name == f"webdav.{method.lower()}"


def test_a_part_of_a_file_and_a_lock_are_unregistered() -> None:
    part = request("PUT", HOST + "/a", headers={"Content-Range": "bytes 0-1/9"})
    assert classified(BOOK, part).kind is Kind.UNKNOWN
    assert classified(BOOK, request("LOCK", HOST + "/a")).kind is Kind.UNKNOWN


@pytest.mark.parametrize("where", ["https://evil.example/a", "/a/../b", "", "//evil.example/a"])
@pytest.mark.parametrize("method", ["MOVE", "COPY"])
def test_a_destination_elsewhere_is_refused(method: str, where: str) -> None:
    made = request(method, HOST + "/a", headers={"Destination": where} if where else {})
    assert arrive(Call(request=made), BOOK).problem


def test_both_ends_of_a_move_are_targets() -> None:
    made = request("MOVE", HOST + "/a", headers={"Destination": HOST + "/b%20c/d"})
    assert arrive(Call(request=made), BOOK).opened.targets == ("/a", "b c/d")


@pytest.fixture
def dav(webdav_bed: WebDav) -> WebDav:
    for made in webdav_bed.directory.iterdir():
        shutil.rmtree(made) if made.is_dir() else made.unlink()
    for name in ("x.txt", "z.txt"):
        webdav_bed.ask("PUT", f"/{name}", BYTES + name.encode())
    for name in ("/dir", "/empty"):
        webdav_bed.ask("MKCOL", name)
    webdav_bed.ask("PUT", "/dir/f", b"inside")
    return webdav_bed


@pytest.fixture
def world(dav: WebDav) -> World:
    def answer(made: Request) -> Response:
        # The bed compares Destination with its own address: a gateway's TLS front says that.
        fields = {k: v.replace(HOST, dav.url) for k, v in made.headers}
        said = ask(
            dav.server.port, made.method, made.target, headers=fields, body=made.body or None
        )
        return Response(
            status=said.status, headers=Headers(tuple(said.headers.items())), body=said.body
        )

    return World(BOOK, answer)


def to(where: str, overwrite: str = "T") -> dict[str, str]:
    return {"Destination": HOST + where, "Overwrite": overwrite}


@pytest.mark.bed
@pytest.mark.parametrize(
    "made",
    [
        request("PUT", HOST + "/new%20%C3%BC.txt", body=b"\x00new"),
        request("PUT", HOST + "/x.txt", body=b"two"),
        request("PUT", HOST + "/x.txt", body=b""),
        request("DELETE", HOST + "/x.txt"),
        request("DELETE", HOST + "/empty/"),
        request("MKCOL", HOST + "/made"),
        request("MKCOL", HOST + "/made/"),
        request("MOVE", HOST + "/x.txt", headers=to("/y%20%C3%BC.txt")),
        request("MOVE", HOST + "/x.txt", headers=to("/z.txt")),
        request("MOVE", HOST + "/dir/", headers=to("/dir2/")),
        request("MOVE", HOST + "/dir", headers=to("/dir2")),
        request("COPY", HOST + "/x.txt", headers=to("/c.txt")),
        request("COPY", HOST + "/x.txt", headers=to("/z.txt")),
    ],
    ids=lambda made: f"{made.method}-{made.path}-{made.headers.get('destination')}",
)
def test_the_tree_is_as_it_was(world: World, dav: WebDav, made: Request) -> None:
    before = dav.tree()
    entry = world.call(made)
    assert (entry.state, entry.fidelity) == (State.APPLIED, Fidelity.EXACT)
    assert dav.tree() != before
    undone = world.undo(entry)
    assert undone.state is State.UNDONE, undone.reason
    assert dav.tree() == before


@pytest.mark.bed
@pytest.mark.parametrize(
    "made",
    [
        request("DELETE", HOST + "/dir/"),
        request("MOVE", HOST + "/x.txt", headers=to("/dir")),
        request("COPY", HOST + "/dir/", headers=to("/dir3/")),
    ],
    ids=lambda made: made.method,
)
def test_what_a_collection_holds_is_not_promised(world: World, made: Request) -> None:
    entry = world.call(made)
    assert (entry.fidelity, entry.inverse) == (Fidelity.NONE, None)


@pytest.mark.bed
def test_a_collection_that_somebody_filled_is_not_deleted(world: World, dav: WebDav) -> None:
    entry = world.call(request("MKCOL", HOST + "/made"))
    dav.ask("PUT", "/made/theirs", b"x")
    assert world.undo(entry).state is State.CONFLICT
    assert dav.tree()["made/theirs"] == b"x"


@pytest.mark.bed
@pytest.mark.parametrize(
    ("made", "path"),
    [
        (request("PUT", HOST + "/x.txt", body=b"two"), "/x.txt"),
        (request("PUT", HOST + "/n.txt", body=b"two"), "/n.txt"),
        (request("MOVE", HOST + "/x.txt", headers=to("/m.txt")), "/m.txt"),
        (request("MOVE", HOST + "/x.txt", headers=to("/m.txt")), "/x.txt"),
        (request("COPY", HOST + "/x.txt", headers=to("/m.txt")), "/m.txt"),
        (request("DELETE", HOST + "/x.txt"), "/x.txt"),
    ],
)
def test_what_somebody_wrote_since_is_not_written_over(
    world: World, dav: WebDav, made: Request, path: str
) -> None:
    entry = world.call(made)
    dav.ask("PUT", path, b"theirs")
    assert world.undo(entry).state is State.CONFLICT
    assert dav.tree()[path[1:]] == b"theirs"


@pytest.mark.bed
def test_the_server_s_own_check_guards_what_ours_came_too_early_for(
    world: World, dav: WebDav
) -> None:
    entry = world.call(request("PUT", HOST + "/x.txt", body=b"two"))
    plain = world.answer

    def race(made: Request) -> Response:
        if made.method == "PUT":
            dav.ask("PUT", "/x.txt", b"theirs, a moment ago")
        return plain(made)

    world.answer = race
    assert world.undo(entry).state is State.CONFLICT
    assert dav.tree()["x.txt"] == b"theirs, a moment ago"


@pytest.mark.parametrize(("tag", "guarded"), [('"strong"', True), ('W/"weak"', False), ("", False)])
def test_an_undo_is_guarded_only_where_the_server_gives_a_strong_tag(
    tag: str, guarded: bool
) -> None:
    tags = {"ETag": tag} if tag else {}
    bodies = iter([b"one", b"two"])

    def answer(made: Request) -> Response:
        body = next(bodies) if made.method == "GET" else b""
        return Response(status=200, headers=Headers(tuple(tags.items())), body=body)

    entry = World(BOOK, answer).call(request("PUT", HOST + "/x", body=b"two"))
    assert entry.inverse is not None
    assert entry.inverse.guarded is guarded

"""Every operation of reversers/webdav.yaml that has an inverse, against WsgiDAV."""

from __future__ import annotations

from collections.abc import Callable

from tests.behaviour.agent import Answer
from tests.behaviour.case import Case, Doing, Scene
from tests.behaviour.world import DAV


def bed(s: Scene, method: str, path: str, body: bytes | None = None, **headers: str) -> None:
    """Straight to the bed, which must agree."""
    reply = s.bed.ask(method, f"/{s.name}{path}", body, **headers)
    assert reply.status < 300, (method, path, reply.status, reply.body)


def direct(method: str, path: str, body: bytes | None = None, **headers: str) -> Doing:
    return lambda s: bed(s, method, path, body, **headers)


def calls(
    method: str, path: str, body: bytes | None = None, *, to: str = ""
) -> Callable[[Scene], Answer]:
    """Through the gateway, as the agent."""

    def call(s: Scene) -> Answer:
        headers = {"Destination": f"{DAV}/{s.name}{to}"} if to else {}
        answer = s.world.call(method, f"{DAV}/{s.name}{path}", body=body, headers=headers)
        assert answer.status < 300, (answer.status, answer.body)
        return answer

    return call


def tree(s: Scene) -> dict[str, bytes]:
    """What is under the scene's own folder, on disk."""
    held: dict[str, bytes] = s.bed.tree()
    return {k: v for k, v in held.items() if k.startswith(f"{s.name}/")}


def folder(*files: str) -> Doing:
    """The scene's folder with these files in it; a name with a slash at its end is a folder."""

    def arrange(s: Scene) -> None:
        bed(s, "MKCOL", "")
        for name in files:
            if name.endswith("/"):
                bed(s, "MKCOL", name.removesuffix("/"))
            else:
                bed(s, "PUT", name, f"as it was {name}\0\xff".encode("latin-1"))

    return arrange


BESIDE = direct("PUT", "/p", b"a person's")


def survives(s: Scene) -> bool:
    return tree(s).get(f"{s.name}/p") == b"a person's"


CASES = [
    Case(
        operation="put",
        variant="new",
        arrange=folder(),
        call=calls("PUT", "/a", b"theirs"),
        read=tree,
        conflict=direct("PUT", "/a", b"a person's"),
        beside=BESIDE,
        survives=survives,
    ),
    Case(
        operation="put",
        variant="over",
        arrange=folder("/a"),
        call=calls("PUT", "/a", b"theirs"),
        read=tree,
        conflict=direct("PUT", "/a", b"a person's"),
        beside=BESIDE,
        survives=survives,
    ),
    Case(
        operation="mkcol",
        arrange=folder(),
        call=calls("MKCOL", "/d"),
        read=tree,
        conflict=direct("PUT", "/d/p", b"a person's"),
        beside=BESIDE,
        survives=survives,
    ),
    Case(
        operation="delete",
        variant="file",
        arrange=folder("/a", "/b"),
        call=calls("DELETE", "/a"),
        read=tree,
        conflict=direct("PUT", "/a", b"a person's"),
        beside=BESIDE,
        survives=survives,
    ),
    Case(
        operation="delete",
        variant="empty folder",
        arrange=folder("/d/"),
        call=calls("DELETE", "/d"),
        read=tree,
        beside=BESIDE,
        survives=survives,
    ),
    Case(
        operation="move",
        variant="file",
        arrange=folder("/a"),
        call=calls("MOVE", "/a", to="/b"),
        read=tree,
        conflict=direct("PUT", "/b", b"a person's"),
        beside=BESIDE,
        survives=survives,
    ),
    Case(
        operation="move",
        variant="over",
        arrange=folder("/a", "/b"),
        call=calls("MOVE", "/a", to="/b"),
        read=tree,
        conflict=direct("PUT", "/a", b"a person's"),
        beside=BESIDE,
        survives=survives,
    ),
    Case(
        operation="move",
        variant="folder",
        arrange=folder("/d/", "/d/a"),
        call=calls("MOVE", "/d", to="/e"),
        read=tree,
        conflict=direct("PUT", "/e/p", b"a person's"),
        beside=BESIDE,
        survives=survives,
    ),
    Case(
        operation="copy",
        variant="new",
        arrange=folder("/a"),
        call=calls("COPY", "/a", to="/b"),
        read=tree,
        conflict=direct("PUT", "/b", b"a person's"),
        beside=BESIDE,
        survives=survives,
    ),
    Case(
        operation="copy",
        variant="over",
        arrange=folder("/a", "/b"),
        call=calls("COPY", "/a", to="/b"),
        read=tree,
        conflict=direct("PUT", "/b", b"a person's"),
        beside=BESIDE,
        survives=survives,
    ),
]

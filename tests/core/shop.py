"""A small service in memory: notes with fields, tags, server-made ids; and its reverser rules."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from goex_proxy.core import exact
from goex_proxy.core.book import Book
from goex_proxy.core.exchange import Headers, Request, Response
from goex_proxy.core.operation import Fidelity, Undo
from goex_proxy.core.resource import Form
from tests.core.world import (
    Py,
    a_book,
    a_resource,
    a_service,
    a_step,
    a_use,
    an_answer,
    an_operation,
    text,
)

_LOST = {"id", "rev"}


@dataclass
class Note:
    fields: dict[str, object]
    tags: list[str] = field(default_factory=list)
    rev: int = 1


class Shop:
    """Answers requests; counts those that changed something. PUT replaces, PATCH merges."""

    def __init__(self, seed: Iterable[str] = ()) -> None:
        self.notes = {name: Note({"title": f"s-{name}", "text": "s"}, ["t"]) for name in seed}
        self.writes = 0
        self.last_id = 100

    def answer(self, request: Request) -> Response:
        parts = [p for p in request.path.split("/") if p]
        body = exact.loads(request.body) if request.body else {}
        assert isinstance(body, dict)
        if request.method == "GET":
            return self._read(parts)
        before = self.snapshot()
        response = self._write(request, parts, body)
        if self.snapshot() != before:
            self.writes += 1
        return response

    def _read(self, parts: list[str]) -> Response:
        note = self.notes.get(parts[1])
        if note is None:
            return Response(status=404)
        if parts[2:] == ["tags"]:
            return an_answer(list(note.tags))
        return self._shown(parts[1])

    def _shown(self, name: str, status: int = 200) -> Response:
        note = self.notes[name]
        shown = an_answer({"id": name, "rev": note.rev, **note.fields}, status)
        fields = (*shown.headers, ("ETag", f'"{note.rev}"'))
        return Response(status=status, headers=Headers(fields), body=shown.body)

    def _write(self, request: Request, parts: list[str], body: dict[str, object]) -> Response:
        if len(parts) == 1:
            return self._shown(
                self.create({k: v for k, v in body.items() if k != "tags"}, body.get("tags")), 201
            )
        note = self.notes.get(parts[1])
        if note is None:
            return Response(status=404)
        if parts[2:3] == ["tags"]:
            return self._tag(request.method, note, parts, body)
        match = request.headers.get("if-match")
        if match and match != f'"{note.rev}"':
            return Response(status=412)
        match request.method:
            case "DELETE":
                del self.notes[parts[1]]
                return Response(status=204)
            case "PUT":
                note.fields = {k: v for k, v in body.items() if v is not None}
            case _:
                note.fields = {k: v for k, v in {**note.fields, **body}.items() if v is not None}
        note.rev += 1
        return self._shown(parts[1])

    def _tag(self, method: str, note: Note, parts: list[str], body: dict[str, object]) -> Response:
        if method == "DELETE":
            if parts[3] not in note.tags:
                return Response(status=404)
            note.tags.remove(parts[3])
            return an_answer(note.tags)
        tags = body["tags"]
        assert isinstance(tags, list)
        note.tags += [str(t) for t in tags if t not in note.tags]
        return an_answer(note.tags)

    def create(self, fields: dict[str, object], tags: object = None) -> str:
        self.last_id += 1
        name = f"n{self.last_id}"
        self.notes[name] = Note(
            dict(fields), [str(t) for t in tags] if isinstance(tags, list) else []
        )
        return name

    def touched(self, name: str) -> None:
        self.notes[name].rev += 1

    def field(self, name: str, which: str) -> object:
        note = self.notes.get(name)
        return note.fields.get(which) if note is not None else None

    def tags(self, name: str) -> list[str]:
        note = self.notes.get(name)
        return list(note.tags) if note is not None else []

    def snapshot(self) -> dict[str, object]:
        return {name: (dict(n.fields), sorted(n.tags)) for name, n in self.notes.items()}

    def contents(self) -> list[str]:
        """All that there is, whatever its id."""
        return sorted(str(value) for value in self.snapshot().values())


NOTE = a_resource(volatile=frozenset({"rev", "id"}), guard=(("header", "If-Match", Py("etag")),))
TAGS = a_resource("tags", "/notes/{id}/tags", form=Form.SET)
BARE = "dict([(k, before['n'][k]) for k in before['n'] if k not in ('id', 'rev')])"


def shop_book() -> Book:
    """The rules by which the shop's calls are undone."""
    return a_book(
        a_service(
            an_operation(
                "notes/create",
                "POST /notes",
                creates=a_use(NOTE, params={"id": Py("res['id']")}),
                undo=Undo.DELETE,
            ),
            an_operation(
                "notes/update", "PATCH /notes/{id}", images=(a_use(NOTE),), undo=Undo.RESTORE
            ),
            an_operation(
                "notes/replace", "PUT /notes/{id}", images=(a_use(NOTE),), undo=Undo.RESTORE
            ),
            an_operation(
                "notes/delete",
                "DELETE /notes/{id}",
                images=(a_use(NOTE, "n"), a_use(TAGS, "t")),
                fidelity=Fidelity.EQUIVALENT,
                undo=(
                    a_step(
                        "POST",
                        "/notes",
                        json={
                            "title?": text("before['n'].get('title')"),
                            "text?": text("before['n'].get('text')"),
                            "other?": text("before['n'].get('other')"),
                            "tags": text("before['t']"),
                        },
                        remakes=("n", {"id": Py("res['id']")}),
                    ),
                ),
            ),
            an_operation(
                "tags/add",
                "POST /notes/{id}/tags",
                images=(a_use(TAGS),),
                adds=Py("args['tags']"),
                undo=(a_step("DELETE", "/notes/{id}/tags/{it}", each=Py("added")),),
            ),
            an_operation(
                "tags/remove",
                "DELETE /notes/{id}/tags/{tag}",
                images=(a_use(TAGS),),
                removes=Py("[tag]"),
                undo=(
                    a_step(
                        "POST", "/notes/{id}/tags", json={"tags": [text("it")]}, each=Py("removed")
                    ),
                ),
            ),
        )
    )

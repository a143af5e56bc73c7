"""Files, refs and pull requests: what of reversers/github.yaml has an inverse."""

from __future__ import annotations

import base64
from typing import Any

from tests.behaviour.case import Case, Scene
from tests.behaviour.cases_github import (
    REPO,
    bed,
    both,
    calls,
    direct,
    is_at,
    note_created,
    reads,
)


def put_file(s: Scene, text: str) -> None:
    held = s.bed.ask("GET", f"{REPO}/contents/{s.name}.txt")
    sha = {"sha": held.json["sha"]} if held.status == 200 else {}
    body = {"message": "by hand", "content": base64.b64encode(text.encode()).decode(), **sha}
    bed(s, "PUT", f"/contents/{s.name}.txt", body)
    s.note(f=f"{s.name}.txt", sha=bed(s, "GET", f"/contents/{s.name}.txt")["sha"])


def file(s: Scene) -> None:
    put_file(s, "as it was")


def no_file(s: Scene) -> None:
    s.note(f=f"{s.name}.txt")


def head(s: Scene) -> str:
    return str(bed(s, "GET", "/git/ref/heads/main")["object"]["sha"])


def branch(s: Scene) -> None:
    """A branch `b` at `old`, and a newer commit `new` on main."""
    file(s)
    old = head(s)
    put_file(s, "newer")
    bed(s, "POST", "/git/refs", {"ref": f"refs/heads/{s.name}", "sha": old})
    s.note(b=s.name, old=old, new=head(s))


def pull(s: Scene) -> None:
    branch(s)
    put = {"message": "m", "content": "eA==", "branch": s.name}
    bed(s, "PUT", f"/contents/only-{s.name}.txt", put)
    made = {"title": s.name, "head": s.name, "base": "main", "body": "as it was"}
    s.note(p=bed(s, "POST", "/pulls", made)["number"])


def pull_branch(s: Scene) -> None:
    branch(s)
    put = {"message": "m", "content": "eA==", "branch": s.name}
    bed(s, "PUT", f"/contents/only-{s.name}.txt", put)


def put(text: str, *, sha: bool) -> Any:  # noqa: ANN401 - a Callable
    content = base64.b64encode(text.encode()).decode()
    return lambda s: {"message": "m", "content": content, **({"sha": s["sha"]} if sha else {})}


THE_FILE = reads("/contents/{f}", "sha", "content", "path")
THE_REF = reads("/git/ref/heads/{b}")
CASES = [
    Case(
        operation="repos/put-contents",
        variant="new",
        arrange=no_file,
        call=calls("PUT", "/contents/{f}", put("theirs", sha=False)),
        read=THE_FILE,
        conflict=lambda s: put_file(s, "a person's"),
        beside=lambda s: bed(
            s, "PUT", f"/contents/p-{s.name}.txt", {"message": "m", "content": "eA=="}
        ),
        survives=lambda s: bed(s, "GET", f"/contents/p-{s.name}.txt")["content"].strip() == "eA==",
    ),
    Case(
        operation="repos/put-contents",
        variant="update",
        arrange=file,
        call=calls("PUT", "/contents/{f}", put("theirs", sha=True)),
        read=THE_FILE,
        conflict=lambda s: put_file(s, "a person's"),
    ),
    Case(
        operation="repos/delete-contents",
        arrange=file,
        call=calls("DELETE", "/contents/{f}", lambda s: {"message": "m", "sha": s["sha"]}),
        read=THE_FILE,
        conflict=lambda s: put_file(s, "a person's"),
    ),
    Case(
        operation="git/create-ref",
        arrange=both(branch, direct("DELETE", "/git/refs/heads/{b}")),
        call=lambda s: calls("POST", "/git/refs", {"ref": f"refs/heads/{s.name}", "sha": s["old"]})(
            s
        ),
        read=THE_REF,
        conflict=lambda s: bed(s, "PATCH", f"/git/refs/heads/{s.name}", {"sha": s["new"]}),
    ),
    Case(
        operation="git/update-ref",
        arrange=branch,
        call=calls("PATCH", "/git/refs/heads/{b}", lambda s: {"sha": s["new"]}),
        read=THE_REF,
        conflict=lambda s: bed(
            s, "PUT", f"/contents/h-{s.name}", {"message": "m", "content": "eA==", "branch": s.name}
        ),
    ),
    Case(
        operation="git/delete-ref",
        arrange=branch,
        call=calls("DELETE", "/git/refs/heads/{b}"),
        read=THE_REF,
        conflict=lambda s: bed(
            s, "POST", "/git/refs", {"ref": f"refs/heads/{s.name}", "sha": s["new"]}
        ),
    ),
    Case(
        operation="pulls/create",
        arrange=pull_branch,
        call=note_created(
            "p",
            "number",
            lambda s: calls("POST", "/pulls", {"title": s.name, "head": s.name, "base": "main"})(s),
        ),
        read=lambda s: [p["title"] for p in bed(s, "GET", "/pulls") if p["title"] == s.name],
        beside=direct("PATCH", "/pulls/{p}", {"body": "a person's"}),
        survives=is_at("/pulls/{p}", "body", "a person's"),
        outcome="compensated",
    ),
    Case(
        operation="pulls/update",
        arrange=pull,
        call=calls("PATCH", "/pulls/{p}", {"title": "theirs"}),
        read=reads("/pulls/{p}", "title", "body", "state"),
        conflict=direct("PATCH", "/pulls/{p}", {"title": "a person's"}),
        beside=direct("PATCH", "/pulls/{p}", {"body": "a person's"}),
        survives=is_at("/pulls/{p}", "body", "a person's"),
    ),
]

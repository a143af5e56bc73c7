"""Issues, comments, labels, people, milestones: what of reversers/github.yaml has an inverse."""

from __future__ import annotations

from typing import Any

from tests.behaviour.agent import Answer
from tests.behaviour.case import Case, Doing, Scene, still
from tests.behaviour.world import GITHUB

REPO = "/repos/octocat/priv"


def bed(s: Scene, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - a test reads into it
    """Straight to the bed, which must agree."""
    reply = s.bed.ask(method, f"{REPO}{path}", body)
    assert reply.status < 300, (method, path, reply.status, reply.body)
    return reply.json


def direct(method: str, path: str, body: object = None) -> Doing:
    """The same, later; `{n}` and the like are filled with the scene's notes."""
    return lambda s: bed(s, method, path.format(**s.notes), body)


def calls(method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - a Callable
    """Through the gateway, as the agent."""

    def call(s: Scene) -> Answer:
        url = f"{GITHUB}{REPO}{path.format(**s.notes)}"
        sent = body(s) if callable(body) else body
        answer = s.world.call(method, url, **({} if sent is None else {"json": sent}))
        assert answer.status < 300, (answer.status, answer.body)
        return answer

    return call


def reads(path: str, *fields: str) -> Doing:
    """What the bed holds there now; None where it holds nothing."""

    def read(s: Scene) -> object:
        reply = s.bed.ask("GET", f"{REPO}{path.format(**s.notes)}")
        if reply.status == 404:
            return None
        value = still(reply.json)
        return {f: value[f] for f in fields} if fields and isinstance(value, dict) else value

    return read


def listed(path: str, field: str) -> Doing:
    """One field of every item of a list."""
    return lambda s: sorted(item[field] for item in bed(s, "GET", path.format(**s.notes)))


def issue(**fields: object) -> Doing:
    """An issue of the scene's own: `n`."""

    def arrange(s: Scene) -> None:
        made = bed(s, "POST", "/issues", {"title": s.name, "body": "as it was", **fields})
        s.note(n=made["number"])

    return arrange


def both(*doings: Doing) -> Doing:
    def arrange(s: Scene) -> None:
        for doing in doings:
            doing(s)

    return arrange


def comment(s: Scene) -> None:
    issue()(s)
    s.note(c=bed(s, "POST", f"/issues/{s['n']}/comments", {"body": "as it was"})["id"])


def label(s: Scene) -> None:
    bed(s, "POST", "/labels", {"name": s.name, "color": "aabbcc", "description": "as it was"})
    s.note(l=s.name)


def milestone(s: Scene) -> None:
    made = bed(s, "POST", "/milestones", {"title": s.name, "description": "as it was"})
    s.note(m=made["number"])


def note_created(key: str, field: str, call: Any) -> Any:  # noqa: ANN401 - a Callable
    """The call, noting what the answer says was created."""

    def doing(s: Scene) -> Answer:
        answer: Answer = call(s)
        s.note(**{key: answer.json[field]})
        return answer

    return doing


def is_at(path: str, field: str, value: object) -> Any:  # noqa: ANN401 - a Callable
    """Whether the bed has this there."""
    return lambda s: bed(s, "GET", path.format(**s.notes))[field] == value


def labels_of(s: Scene) -> list[str]:
    return sorted(item["name"] for item in bed(s, "GET", f"/issues/{s['n']}/labels"))


EDIT_BODY = direct("PATCH", "/issues/{n}", {"body": "a person's"})
BODY_SURVIVES = is_at("/issues/{n}", "body", "a person's")
ISSUE_FIELDS = ("title", "body", "state", "labels", "assignees", "locked", "milestone")


def update(variant: str, body: object, conflict: object, **arranged: object) -> Case:
    """A row for PATCH issue."""
    return Case(
        operation="issues/update",
        variant=variant,
        arrange=issue(**arranged),
        call=calls("PATCH", "/issues/{n}", body),
        read=reads("/issues/{n}", *ISSUE_FIELDS),
        conflict=direct("PATCH", "/issues/{n}", conflict) if conflict else None,
        beside=EDIT_BODY,
        survives=BODY_SURVIVES,
    )


def created_issue_open(s: Scene) -> object:
    return [
        i["title"] for i in bed(s, "GET", "/issues?state=open") if i["title"] == f"new {s.name}"
    ]


ISSUES = [
    Case(
        operation="issues/create",
        arrange=lambda s: None,
        call=note_created(
            "n", "number", lambda s: calls("POST", "/issues", {"title": f"new {s.name}"})(s)
        ),
        read=created_issue_open,
        # No conflict: whoever closes it has done what the undo would (`leaves:`); it is `already`.
        beside=EDIT_BODY,
        survives=BODY_SURVIVES,
        outcome="compensated",
    ),
    update("title", {"title": "theirs"}, {"title": "a person's"}),
    update("labels", {"labels": ["x", "y"]}, {"labels": ["a person's"]}, labels=["was"]),
    update("assignees", {"assignees": ["hubot"]}, {"assignees": []}, assignees=["octocat"]),
    update("close", {"state": "closed"}, None),
    update("two", {"title": "t", "labels": []}, {"title": "a person's"}, labels=["was"]),
    Case(
        operation="issues/update",
        variant="reopen",
        arrange=both(
            issue(),
            direct("PATCH", "/issues/{n}", {"state": "closed", "state_reason": "not_planned"}),
        ),
        call=calls("PATCH", "/issues/{n}", {"state": "open"}),
        read=reads("/issues/{n}", *ISSUE_FIELDS, "state_reason"),
        conflict=direct("PATCH", "/issues/{n}", {"state": "closed", "state_reason": "completed"}),
        beside=EDIT_BODY,
        survives=BODY_SURVIVES,
    ),
    Case(
        operation="issues/update",
        variant="milestone",
        arrange=both(milestone, issue()),
        call=calls("PATCH", "/issues/{n}", lambda s: {"milestone": s["m"]}),
        read=reads("/issues/{n}", "milestone"),
        beside=EDIT_BODY,
        survives=BODY_SURVIVES,
    ),
    Case(
        operation="issues/lock",
        arrange=issue(),
        call=calls("PUT", "/issues/{n}/lock", {"lock_reason": "spam"}),
        read=reads("/issues/{n}", "locked", "active_lock_reason"),
        conflict=direct("PUT", "/issues/{n}/lock", {"lock_reason": "resolved"}),
        beside=EDIT_BODY,
        survives=BODY_SURVIVES,
    ),
    Case(
        operation="issues/lock",
        variant="again",
        arrange=both(issue(), direct("PUT", "/issues/{n}/lock", {"lock_reason": "resolved"})),
        call=calls("PUT", "/issues/{n}/lock", {"lock_reason": "spam"}),
        read=reads("/issues/{n}", "locked", "active_lock_reason"),
        conflict=direct("DELETE", "/issues/{n}/lock"),
    ),
    Case(
        operation="issues/unlock",
        arrange=both(issue(), direct("PUT", "/issues/{n}/lock", {"lock_reason": "resolved"})),
        call=calls("DELETE", "/issues/{n}/lock"),
        read=reads("/issues/{n}", "locked", "active_lock_reason"),
        conflict=direct("PUT", "/issues/{n}/lock", {"lock_reason": "spam"}),
        beside=EDIT_BODY,
        survives=BODY_SURVIVES,
    ),
]
COMMENTS_AND_LABELS = [
    Case(
        operation="issues/create-comment",
        arrange=issue(),
        call=note_created("c", "id", calls("POST", "/issues/{n}/comments", {"body": "theirs"})),
        read=listed("/issues/{n}/comments", "body"),
        conflict=direct("PATCH", "/issues/comments/{c}", {"body": "a person's"}),
        beside=direct("POST", "/issues/{n}/comments", {"body": "a person's"}),
        survives=lambda s: listed("/issues/{n}/comments", "body")(s) == ["a person's"],
        outcome="compensated",
    ),
    Case(
        operation="issues/update-comment",
        arrange=comment,
        call=calls("PATCH", "/issues/comments/{c}", {"body": "theirs"}),
        read=reads("/issues/comments/{c}"),
        conflict=direct("PATCH", "/issues/comments/{c}", {"body": "a person's"}),
    ),
    Case(
        operation="issues/delete-comment",
        arrange=comment,
        call=calls("DELETE", "/issues/comments/{c}"),
        read=listed("/issues/{n}/comments", "body"),
        redo=False,
    ),
    Case(
        operation="issues/create-label",
        arrange=lambda s: s.note(l=s.name),
        call=lambda s: calls("POST", "/labels", {"name": s.name, "color": "112233"})(s),
        read=reads("/labels/{l}", "name", "color", "description"),
        conflict=direct("PATCH", "/labels/{l}", {"color": "ffffff"}),
    ),
    Case(
        operation="issues/update-label",
        variant="rename",
        arrange=label,
        call=lambda s: calls("PATCH", "/labels/{l}", {"new_name": f"r-{s.name}"})(s),
        read=reads("/labels/{l}"),
        # Its path is another: what is changed there meanwhile stands in the way, whatever it is.
        conflict=lambda s: bed(s, "PATCH", f"/labels/r-{s.name}", {"description": "a person's"}),
    ),
    Case(
        operation="issues/update-label",
        variant="color",
        arrange=label,
        call=calls("PATCH", "/labels/{l}", {"color": "112233"}),
        read=reads("/labels/{l}"),
        conflict=direct("PATCH", "/labels/{l}", {"color": "ffffff"}),
        beside=direct("PATCH", "/labels/{l}", {"description": "a person's"}),
        survives=is_at("/labels/{l}", "description", "a person's"),
    ),
    Case(
        operation="issues/delete-label",
        arrange=both(label, lambda s: issue(labels=[s.name])(s)),
        call=calls("DELETE", "/labels/{l}"),
        read=lambda s: (reads("/labels/{l}", "name", "color", "description")(s), labels_of(s)),
        conflict=lambda s: bed(s, "POST", "/labels", {"name": s.name, "color": "ffffff"}),
    ),
    Case(
        operation="issues/add-labels",
        arrange=issue(labels=["was"]),
        call=calls("POST", "/issues/{n}/labels", {"labels": ["was", "mine"]}),
        read=labels_of,
        beside=direct("POST", "/issues/{n}/labels", {"labels": ["a person's"]}),
        survives=lambda s: labels_of(s) == ["a person's", "was"],
    ),
    Case(
        operation="issues/set-labels",
        arrange=issue(labels=["was", "stays"]),
        call=calls("PUT", "/issues/{n}/labels", {"labels": ["stays", "mine"]}),
        read=labels_of,
        beside=direct("POST", "/issues/{n}/labels", {"labels": ["a person's"]}),
        survives=lambda s: labels_of(s) == ["a person's", "stays", "was"],
    ),
    Case(
        operation="issues/remove-label",
        arrange=issue(labels=["was", "stays"]),
        call=calls("DELETE", "/issues/{n}/labels/was"),
        read=labels_of,
        beside=direct("DELETE", "/issues/{n}/labels/stays"),
        survives=lambda s: labels_of(s) == ["was"],
    ),
    Case(
        operation="issues/remove-all-labels",
        arrange=issue(labels=["was", "too"]),
        call=calls("DELETE", "/issues/{n}/labels"),
        read=labels_of,
        beside=direct("POST", "/issues/{n}/labels", {"labels": ["a person's"]}),
        survives=lambda s: labels_of(s) == ["a person's", "too", "was"],
    ),
]


def assignees_of(s: Scene) -> list[str]:
    return sorted(a["login"] for a in bed(s, "GET", f"/issues/{s['n']}")["assignees"])


PEOPLE_AND_MILESTONES = [
    Case(
        operation="issues/add-assignees",
        arrange=issue(assignees=["octocat"]),
        call=calls("POST", "/issues/{n}/assignees", {"assignees": ["hubot", "octocat"]}),
        read=assignees_of,
        beside=direct("POST", "/issues/{n}/assignees", {"assignees": ["first-user"]}),
        survives=lambda s: assignees_of(s) == ["first-user", "octocat"],
        outcome="compensated",
    ),
    Case(
        operation="issues/remove-assignees",
        arrange=issue(assignees=["octocat", "hubot"]),
        call=calls("DELETE", "/issues/{n}/assignees", {"assignees": ["hubot"]}),
        read=assignees_of,
        beside=direct("POST", "/issues/{n}/assignees", {"assignees": ["first-user"]}),
        survives=lambda s: assignees_of(s) == ["first-user", "hubot", "octocat"],
    ),
    Case(
        operation="issues/create-milestone",
        arrange=lambda s: None,
        call=note_created(
            "m", "number", lambda s: calls("POST", "/milestones", {"title": s.name})(s)
        ),
        read=lambda s: [
            {f: m[f] for f in ("title", "description", "state", "due_on")}
            for m in bed(s, "GET", "/milestones?state=all")
            if m["title"] == s.name
        ],
        conflict=direct("PATCH", "/milestones/{m}", {"description": "a person's"}),
    ),
    Case(
        operation="issues/update-milestone",
        arrange=milestone,
        call=calls("PATCH", "/milestones/{m}", {"state": "closed"}),
        read=reads("/milestones/{m}", "title", "description", "state", "due_on"),
        beside=direct("PATCH", "/milestones/{m}", {"description": "a person's"}),
        survives=is_at("/milestones/{m}", "description", "a person's"),
    ),
    Case(
        operation="issues/update-milestone",
        variant="title",
        arrange=milestone,
        call=lambda s: calls("PATCH", "/milestones/{m}", {"title": f"r-{s.name}"})(s),
        read=reads("/milestones/{m}", "title", "description", "state", "due_on"),
        conflict=lambda s: bed(s, "PATCH", f"/milestones/{s['m']}", {"title": f"p-{s.name}"}),
    ),
    Case(
        operation="issues/delete-milestone",
        arrange=milestone,
        call=calls("DELETE", "/milestones/{m}"),
        read=lambda s: [
            {f: m[f] for f in ("title", "description", "state", "due_on")}
            for m in bed(s, "GET", "/milestones?state=all")
            if m["title"] == s.name
        ],
        redo=False,
    ),
]


CASES = [*ISSUES, *COMMENTS_AND_LABELS, *PEOPLE_AND_MILESTONES]

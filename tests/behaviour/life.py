"""What agents and a person do while the gateway may die: each deed has a name of its own,

so that what the bed holds, what came to it, and what the journal says can be held together.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from goex_proxy.console.client import NoGateway, Refused
from tests.beds.emulate import Emulate
from tests.beds.webdav import WebDav
from tests.behaviour.agent import Answer
from tests.behaviour.tap import Asked
from tests.behaviour.world import DAV, GITHUB, World

REPO = "/repos/octocat/hello"
POLICY = "rules: [{hold: github.issues/create-milestone, id: ask, reason: a person decides}]\n"
ENDED = (OSError, http.client.HTTPException, ssl.SSLError, NoGateway, Refused, json.JSONDecodeError)
"""What a client of a gateway that dies under it can meet."""


@dataclass(slots=True)
class Deed:
    """One call, made once."""

    name: str
    kind: str
    answer: Answer | None = None
    undo: bool = False
    """An undo of it was begun."""
    approve: bool = False
    """Somebody approved it, and was told that it went out."""
    number: int = 0
    """Of the issue that it is about."""


@dataclass(slots=True)
class Life:
    """Three agents, each with a person behind, for as long as the gateway lives."""

    world: World
    github: Emulate
    webdav: WebDav
    seed: int
    deeds: list[Deed] = field(default_factory=list)
    _names: Iterator[int] = field(default_factory=lambda: iter(range(10**9)))
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def live(self, agents: int = 3) -> list[threading.Thread]:
        """Begin; each ends when the gateway does."""
        threads = [threading.Thread(target=self._agent, args=(n,)) for n in range(agents)]
        for thread in threads:
            thread.start()
        return threads

    def _agent(self, number: int) -> None:
        dice = random.Random(f"{self.seed} {number}")
        for _ in range(200):
            kind = dice.choice(sorted(KINDS))
            deed = self._deed(kind)
            try:
                if kind in ARRANGE:
                    ARRANGE[kind](self, deed)
                deed.answer = KINDS[kind](self, deed)
                self._afterwards(deed, dice)
            except ENDED:
                return

    def _deed(self, kind: str) -> Deed:
        with self._guard:
            deed = Deed(f"{kind}-{self.seed}-{next(self._names):05}", kind)
            self.deeds.append(deed)
        return deed

    def _afterwards(self, deed: Deed, dice: random.Random) -> None:
        assert deed.answer is not None
        entry = deed.answer.entry
        if deed.kind == "milestone":
            self.world.act("approve", id=entry)
            deed.approve = True
        if dice.random() < 0.4:
            deed.undo = True
            self.world.undo(entry)

    def call(self, method: str, url: str, **what: Any) -> Answer:  # noqa: ANN401 - see World.call
        return self.world.call(method, url, timeout=10, **what)

    def undo(self, entry: int) -> threading.Thread:
        """An undo, begun in a thread of its own."""

        def run() -> None:
            with contextlib.suppress(*ENDED):
                self.world.undo(entry)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    # -- the truth

    def sent(self, deed: Deed) -> list[Asked]:
        """The writes for this deed that came to its service, its undo's not among them."""
        asked = [a for tap in self.world.taps.values() for a in tap.writes()]
        return [a for a in asked if FORWARD[deed.kind](a, deed)]

    def happened(self, deed: Deed) -> bool:
        """Whether the bed is as the deed leaves it."""
        return LEFT[deed.kind](self, deed)

    def issue(self, deed: Deed) -> Any:  # noqa: ANN401 - a test reads into it
        return self.github.get(f"{REPO}/issues/{deed.number}")

    def titles(self, path: str) -> list[str]:
        """Of all pages: a long life leaves more than one."""
        found: list[str] = []
        for page in range(1, 1000):
            items = self.github.get(f"{REPO}/{path}&per_page=100&page={page}")
            found += [item["title"] for item in items]
            if len(items) < 100:
                return found
        raise AssertionError(f"{path} has no end")


def _file(life: Life, deed: Deed) -> None:
    life.webdav.ask("PUT", f"/{deed.name}", b"as it was")


def _issue(life: Life, deed: Deed) -> None:
    made = life.github.ask("POST", f"{REPO}/issues", {"title": f"was {deed.name}", "labels": ["l"]})
    deed.number = made.json["number"]


ARRANGE: dict[str, Callable[[Life, Deed], None]] = {
    "over": _file,
    "delete": _file,
    "move": _file,
    "edit": _issue,
    "labels": _issue,
}
KINDS: dict[str, Callable[[Life, Deed], Answer]] = {
    "put": lambda life, d: life.call("PUT", f"{DAV}/{d.name}", body=b"theirs"),
    "over": lambda life, d: life.call("PUT", f"{DAV}/{d.name}", body=b"theirs"),
    "delete": lambda life, d: life.call("DELETE", f"{DAV}/{d.name}"),
    "move": lambda life, d: life.call(
        "MOVE", f"{DAV}/{d.name}", headers={"Destination": f"{DAV}/to-{d.name}"}
    ),
    "edit": lambda life, d: life.call(
        "PATCH", f"{GITHUB}{REPO}/issues/{d.number}", json={"title": d.name}
    ),
    "labels": lambda life, d: life.call(
        "PUT", f"{GITHUB}{REPO}/issues/{d.number}/labels", json={"labels": [d.name, "a", "b"]}
    ),
    "create": lambda life, d: life.call("POST", f"{GITHUB}{REPO}/issues", json={"title": d.name}),
    "milestone": lambda life, d: life.call(
        "POST", f"{GITHUB}{REPO}/milestones", json={"title": d.name}
    ),
}
FORWARD: dict[str, Callable[[Asked, Deed], bool]] = {
    "put": lambda a, d: (a.method, a.target) == ("PUT", f"/{d.name}"),
    "over": lambda a, d: (a.target, a.body) == (f"/{d.name}", b"theirs"),
    "delete": lambda a, d: (a.method, a.target) == ("DELETE", f"/{d.name}"),
    "move": lambda a, d: (a.method, a.target) == ("MOVE", f"/{d.name}"),
    "edit": lambda a, d: a.body == json.dumps({"title": d.name}).encode(),
    "labels": lambda a, d: a.method == "PUT" and f'"{d.name}"'.encode() in a.body,
    "create": lambda a, d: a.body == json.dumps({"title": d.name}).encode(),
    "milestone": lambda a, d: a.body == json.dumps({"title": d.name}).encode(),
}
"""Which writes at a service are the deed itself, and no step of its undo."""
LEFT: dict[str, Callable[[Life, Deed], bool]] = {
    "put": lambda life, d: life.webdav.tree().get(d.name) == b"theirs",
    "over": lambda life, d: life.webdav.tree().get(d.name) == b"theirs",
    "delete": lambda life, d: d.name not in life.webdav.tree(),
    "move": lambda life, d: f"to-{d.name}" in life.webdav.tree(),
    "edit": lambda life, d: life.issue(d)["title"] == d.name,
    "labels": lambda life, d: d.name in [one["name"] for one in life.issue(d)["labels"]],
    "create": lambda life, d: d.name in life.titles("issues?state=open"),
    "milestone": lambda life, d: d.name in life.titles("milestones?state=open"),
}
TOLD_BY_EVIDENCE = frozenset({"put", "over", "delete", "edit", "labels"})
"""What of it is there can be read back, so it is not in doubt for long."""

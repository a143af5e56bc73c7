"""Every operation of reversers/slack.yaml that has an inverse, against the Slack bed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.behaviour.agent import Answer
from tests.behaviour.case import Case, Doing, Scene
from tests.behaviour.world import SLACK


def bed(s: Scene, name: str, /, **fields: str) -> Any:  # noqa: ANN401 - a test reads into it
    """Straight to the bed, which must agree."""
    said = s.bed.form(f"/api/{name}", **fields).json
    assert said["ok"], (name, fields, said)
    return said


def filled(s: Scene, fields: dict[str, str]) -> dict[str, str]:
    return {key: value.format(name=s.name, **s.notes) for key, value in fields.items()}


def direct(name: str, /, **fields: str) -> Doing:
    """The same, later; `{c}` and the like are filled with the scene's notes."""
    return lambda s: bed(s, name, **filled(s, fields))


def calls(
    name: str, note: dict[str, Callable[[Any], object]] | None = None, /, **fields: str
) -> Callable[[Scene], Answer]:
    """Through the gateway, as the agent; `note` keeps what the answer says."""

    def call(s: Scene) -> Answer:
        answer = s.world.call("POST", f"{SLACK}/{name}", form=filled(s, fields))
        assert answer.json["ok"], answer.json
        s.note(**{key: get(answer.json) for key, get in (note or {}).items()})
        return answer

    return call


def channel(s: Scene) -> None:
    """A channel of the scene's own: `c`."""
    s.note(c=bed(s, "conversations.create", name=s.name)["channel"]["id"])


def message(s: Scene) -> None:
    """And in it a message: `ts`."""
    channel(s)
    s.note(ts=bed(s, "chat.postMessage", channel=s["c"], text="as it was")["ts"])


def also(*doings: Doing) -> Doing:
    def arrange(s: Scene) -> None:
        for doing in doings:
            doing(s)

    return arrange


def colleague(s: Scene) -> None:
    users = bed(s, "users.list")["members"]
    s.note(u=next(u["id"] for u in users if u["name"] == "colleague"))


def texts(s: Scene) -> list[str]:
    return sorted(m["text"] for m in bed(s, "conversations.history", channel=s["c"])["messages"])


def reactions(s: Scene) -> list[str]:
    read = bed(s, "reactions.get", channel=s["c"], timestamp=s["ts"])
    return sorted(r["name"] for r in read["message"].get("reactions", []))


def pins(s: Scene) -> list[str]:
    return [item["message"]["ts"] for item in bed(s, "pins.list", channel=s["c"])["items"]]


def about(s: Scene) -> object:
    info = bed(s, "conversations.info", channel=s["c"])["channel"]
    return info["name"], info["topic"]["value"], info["purpose"]["value"], info["is_archived"]


def members(s: Scene) -> list[str]:
    return sorted(bed(s, "conversations.members", channel=s["c"])["members"])


def open_of_name(s: Scene) -> list[str]:
    found = bed(s, "conversations.list", exclude_archived="true", limit="1000")["channels"]
    return [c["name"] for c in found if c["name"] == f"new-{s.name}"]


SAY = direct("chat.postMessage", channel="{c}", text="a person's")
TOPIC = direct("conversations.setTopic", channel="{c}", topic="a person's")


def topic_survives(s: Scene) -> bool:
    return bool(
        bed(s, "conversations.info", channel=s["c"])["channel"]["topic"]["value"] == "a person's"
    )


MESSAGES = [
    Case(
        operation="chat.postMessage",
        arrange=channel,
        call=calls("chat.postMessage", {"ts": lambda j: j["ts"]}, channel="{c}", text="theirs"),
        read=texts,
        conflict=direct("chat.update", channel="{c}", ts="{ts}", text="a person's"),
        beside=SAY,
        survives=lambda s: texts(s) == ["a person's"],
        outcome="compensated",
    ),
    Case(
        operation="chat.meMessage",
        arrange=channel,
        call=calls("chat.meMessage", {"ts": lambda j: j["ts"]}, channel="{c}", text="theirs"),
        read=texts,
        beside=SAY,
        survives=lambda s: texts(s) == ["a person's"],
        outcome="compensated",
    ),
    Case(
        operation="chat.update",
        arrange=message,
        call=calls("chat.update", channel="{c}", ts="{ts}", text="theirs"),
        read=texts,
        conflict=direct("chat.update", channel="{c}", ts="{ts}", text="a person's"),
        beside=direct("reactions.add", channel="{c}", timestamp="{ts}", name="eyes"),
        survives=lambda s: reactions(s) == ["eyes"],
    ),
    Case(
        operation="chat.delete",
        arrange=message,
        call=calls("chat.delete", channel="{c}", ts="{ts}"),
        read=texts,
        outcome="compensated",
        redo=False,
    ),
    Case(
        operation="reactions.add",
        arrange=message,
        call=calls("reactions.add", channel="{c}", timestamp="{ts}", name="rocket"),
        read=reactions,
        beside=direct("reactions.add", channel="{c}", timestamp="{ts}", name="eyes"),
        survives=lambda s: reactions(s) == ["eyes"],
    ),
    Case(
        operation="reactions.remove",
        arrange=also(
            message, direct("reactions.add", channel="{c}", timestamp="{ts}", name="eyes")
        ),
        call=calls("reactions.remove", channel="{c}", timestamp="{ts}", name="eyes"),
        read=reactions,
        beside=direct("reactions.add", channel="{c}", timestamp="{ts}", name="rocket"),
        survives=lambda s: reactions(s) == ["eyes", "rocket"],
    ),
    Case(
        operation="pins.add",
        arrange=message,
        call=calls("pins.add", channel="{c}", timestamp="{ts}"),
        read=pins,
    ),
    Case(
        operation="pins.remove",
        arrange=also(message, direct("pins.add", channel="{c}", timestamp="{ts}")),
        call=calls("pins.remove", channel="{c}", timestamp="{ts}"),
        read=pins,
    ),
]
CHANNELS = [
    Case(
        operation="conversations.create",
        arrange=lambda s: None,
        call=calls("conversations.create", {"c": lambda j: j["channel"]["id"]}, name="new-{name}"),
        read=open_of_name,
        beside=TOPIC,
        survives=topic_survives,
        outcome="compensated",
        redo=False,
    ),
    Case(
        operation="conversations.rename",
        arrange=channel,
        call=calls("conversations.rename", channel="{c}", name="r-{name}"),
        read=about,
        conflict=direct("conversations.rename", channel="{c}", name="p-{name}"),
        beside=TOPIC,
        survives=topic_survives,
    ),
    Case(
        operation="conversations.setTopic",
        arrange=also(channel, direct("conversations.setTopic", channel="{c}", topic="as it was")),
        call=calls("conversations.setTopic", channel="{c}", topic="theirs"),
        read=about,
        conflict=TOPIC,
        beside=direct("conversations.setPurpose", channel="{c}", purpose="a person's"),
        survives=lambda s: "a person's" in about(s),  # type: ignore[operator]
    ),
    Case(
        operation="conversations.setPurpose",
        arrange=channel,
        call=calls("conversations.setPurpose", channel="{c}", purpose="theirs"),
        read=about,
        conflict=direct("conversations.setPurpose", channel="{c}", purpose="a person's"),
        beside=TOPIC,
        survives=topic_survives,
    ),
    Case(
        operation="conversations.archive",
        arrange=channel,
        call=calls("conversations.archive", channel="{c}"),
        read=about,
        outcome="compensated",
    ),
    Case(
        operation="conversations.unarchive",
        arrange=also(channel, direct("conversations.archive", channel="{c}")),
        call=calls("conversations.unarchive", channel="{c}"),
        read=about,
        beside=TOPIC,
        survives=topic_survives,
    ),
    Case(
        operation="conversations.invite",
        arrange=also(channel, colleague),
        call=calls("conversations.invite", channel="{c}", users="{u}"),
        read=members,
        beside=SAY,
        survives=lambda s: "a person's" in texts(s),
        outcome="compensated",
    ),
    Case(
        operation="conversations.kick",
        arrange=also(
            channel, colleague, direct("conversations.invite", channel="{c}", users="{u}")
        ),
        call=calls("conversations.kick", channel="{c}", user="{u}"),
        read=members,
        outcome="compensated",
    ),
    Case(
        operation="conversations.leave",
        arrange=also(
            channel, colleague, direct("conversations.invite", channel="{c}", users="{u}")
        ),
        call=calls("conversations.leave", channel="{c}"),
        read=members,
        outcome="compensated",
    ),
    Case(
        operation="conversations.join",
        arrange=also(
            channel,
            colleague,
            direct("conversations.invite", channel="{c}", users="{u}"),
            direct("conversations.leave", channel="{c}"),
        ),
        call=calls("conversations.join", channel="{c}"),
        read=members,
    ),
]
CASES = [*MESSAGES, *CHANNELS]

"""P3 and P6 for what waits for a person: sent once, whoever has gone or come back meanwhile."""

from __future__ import annotations

import threading
import time

import pytest

from goex_proxy.console.client import Refused
from goex_proxy.engine.actions import ActionError
from tests.beds.emulate import Emulate
from tests.behaviour.agent import Answer
from tests.behaviour.conftest import Make
from tests.behaviour.tap import Asked
from tests.behaviour.world import GITHUB, World, in_this_process

pytestmark = pytest.mark.bed
REPO = "/repos/octocat/priv"
HOLD = "rules: [{hold: github.issues/*, id: ask, reason: a person decides}]\n"


def comment(world: World, issue: str, body: str = "held", **how: float) -> Answer:
    return world.call("POST", f"{GITHUB}{issue}/comments", json={"body": body}, **how)


def sent(world: World) -> list[Asked]:
    return world.taps["api.github.com"].writes()


@pytest.fixture
def issue(github_bed: Emulate) -> str:
    made = github_bed.ask("POST", f"{REPO}/issues", {"title": "as it was"})
    return f"{REPO}/issues/{made.json['number']}"


def held(world: World, answer: Answer) -> int:
    assert (answer.goex["outcome"], world.state(answer.entry)) == ("held", "held")
    assert answer.goex["rule"].endswith("ask")
    assert f"goex approve e{answer.entry}" in answer.goex["hint"]
    return answer.entry


def test_an_approved_call_goes_out_once_and_its_agent_gets_the_kept_answer_once(
    make: Make, issue: str
) -> None:
    world = make(policy=HOLD)
    entry = held(world, comment(world, issue))
    assert sent(world) == []
    assert world.act("approve", id=entry)["state"] == "applied"
    assert len(sent(world)) == 1
    retry = comment(world, issue)
    assert (retry.status, retry.json["body"], retry.entry) == (201, "held", entry)
    assert len(sent(world)) == 1
    another = comment(world, issue)
    assert held(world, another) != entry
    assert len(sent(world)) == 1


def test_a_retry_of_a_held_call_joins_it(make: Make, issue: str) -> None:
    world = make(policy=HOLD)
    entries = {held(world, comment(world, issue)) for _ in range(3)}
    assert len(entries) == 1
    assert held(world, comment(world, issue, "another")) not in entries


def test_an_approval_while_the_agent_still_waits_is_answered_by_the_service(
    make: Make, issue: str
) -> None:
    world = make(policy=HOLD, limits="hold_wait: 10s")
    got: list[Answer] = []
    waiting = threading.Thread(target=lambda: got.append(comment(world, issue)))
    waiting.start()
    while not world.log():
        waiting.join(0.05)
    assert world.act("approve", id=1)["state"] == "applied"
    waiting.join(5)
    assert [(a.status, a.entry) for a in got] == [(201, 1)]
    assert len(sent(world)) == 1


def test_a_held_call_outlives_its_gateway_and_is_approved_in_the_next(
    make: Make, issue: str
) -> None:
    world = make(policy=HOLD)
    entry = held(world, comment(world, issue))
    world.kill()
    world.restart()
    assert held(world, comment(world, issue)) == entry
    assert world.act("approve", id=entry)["state"] == "applied"
    retry = comment(world, issue)
    assert (retry.status, retry.entry, len(sent(world))) == (201, entry, 1)


def test_a_held_call_is_approved_while_no_gateway_runs(make: Make, issue: str) -> None:
    world = make(policy=HOLD)
    entry = held(world, comment(world, issue))
    world.stop()
    assert in_this_process(world, "approve", id=entry)["state"] == "applied"
    assert len(sent(world)) == 1
    world.restart()
    retry = comment(world, issue)
    assert (retry.status, retry.entry, len(sent(world))) == (201, entry, 1)


def test_a_hold_whose_time_ran_out_while_no_gateway_ran_is_refused(make: Make, issue: str) -> None:
    world = make(policy=HOLD.replace("reason:", "timeout: 3s, reason:"))
    entry = held(world, comment(world, issue))
    world.stop()
    assert world.state(entry) == "held"
    time.sleep(3)
    with pytest.raises(ActionError, match="held too long"):
        in_this_process(world, "approve", id=entry)
    assert (world.state(entry), sent(world)) == ("refused", [])


def test_two_approvals_send_once(make: Make, issue: str) -> None:
    world = make(policy=HOLD)
    entry = held(world, comment(world, issue))
    world.taps["api.github.com"].fail(before=0.3)
    said: list[object] = []

    def approve() -> None:
        try:
            said.append(world.act("approve", id=entry)["state"])
        except Refused as refused:
            said.append(str(refused))

    both = [threading.Thread(target=approve) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(10)
    assert sorted(map(str, said))[0] == "applied", said
    assert len(sent(world)) == 1


def test_a_rejected_call_is_never_sent_and_its_agent_is_told(make: Make, issue: str) -> None:
    world = make(policy=HOLD)
    entry = held(world, comment(world, issue))
    assert world.act("reject", id=entry, reason="not like this")["state"] == "refused"
    retry = comment(world, issue)
    assert (retry.goex["outcome"], "not like this" in retry.goex["reason"]) == ("refused", True)
    assert held(world, comment(world, issue)) != entry
    assert sent(world) == []


def test_what_changed_between_hold_and_approval_is_held_again(
    make: Make, issue: str, github_bed: Emulate
) -> None:
    world = make(policy=HOLD)
    entry = held(world, world.call("PATCH", f"{GITHUB}{issue}", json={"title": "theirs"}))
    assert '"title":"as it was"' in str(world.show(entry)["before"])
    github_bed.ask("PATCH", issue, {"title": "a person's"})
    again = world.act("approve", id=entry)
    assert (again["state"], sent(world)) == ("held", [])
    assert world.act("approve", id=entry)["state"] == "applied"
    (step,) = world.undo(entry)
    assert (step["outcome"], github_bed.get(issue)["title"]) == ("undone", "a person's")


def test_a_hold_that_nobody_answers_in_its_time_is_refused(make: Make, issue: str) -> None:
    world = make(policy=HOLD.replace("reason:", "timeout: 1s, reason:"))
    entry = held(world, comment(world, issue))
    assert world.wait_state(entry, "refused") == "refused"
    with pytest.raises(Refused, match="is not held"):
        world.act("approve", id=entry)
    assert sent(world) == []


def test_a_call_of_a_foreign_credential_passes_itself_once_it_is_approved(
    make: Make, issue: str
) -> None:
    world = make(policy=HOLD, secrets={})
    foreign = {"Authorization": "Bearer ghp_ForeignForeignForeignForeignForeign1"}
    call = {"json": {"body": "held"}, "headers": foreign}
    entry = held(world, world.call("POST", f"{GITHUB}{issue}/comments", **call))
    assert world.act("approve", id=entry)["state"] == "pending"
    assert sent(world) == []
    retry = world.call("POST", f"{GITHUB}{issue}/comments", **call)
    assert (retry.entry, [a.headers["authorization"] for a in sent(world)]) == (
        entry,
        [foreign["Authorization"]],
    )
    assert b"ForeignForeign" not in (world.home.path / "journal.db").read_bytes()


def test_a_call_that_the_journal_holds_only_in_part_is_sent_by_its_agent_alone(
    make: Make, issue: str
) -> None:
    world = make(policy=HOLD)
    url = f"{GITHUB}{issue}/comments"
    call = {"json": {"body": "held"}, "headers": {"Cookie": "sid=SomebodysSession"}}
    entry = held(world, world.call("POST", url, **call))
    assert world.act("approve", id=entry)["state"] == "pending"
    assert sent(world) == []
    assert world.call("POST", url, **call).entry == entry
    assert [asked.headers["cookie"] for asked in sent(world)] == ["sid=SomebodysSession"]


@pytest.mark.parametrize("name", ["Authorization", "Cookie"])
def test_an_approval_of_one_foreign_credential_is_no_pass_for_another(
    make: Make, issue: str, name: str
) -> None:
    world, url = make(policy=HOLD, secrets={}), f"{GITHUB}{issue}/comments"
    one, other = ({name: f"token of{who}of{who}"} for who in ("Alice", "Admin"))
    entry = held(world, world.call("POST", url, json={"body": "held"}, headers=one))
    world.act("approve", id=entry)
    assert held(world, world.call("POST", url, json={"body": "held"}, headers=other)) != entry
    assert sent(world) == []
    assert world.call("POST", url, json={"body": "held"}, headers=one).entry == entry
    assert [asked.headers[name.lower()] for asked in sent(world)] == [one[name]]


def test_a_call_of_a_foreign_credential_that_is_approved_while_it_waits_goes_at_once(
    make: Make, issue: str
) -> None:
    world = make(policy=HOLD, secrets={}, limits="hold_wait: 10s")
    foreign = {"Authorization": "Bearer ghp_ForeignForeignForeignForeignForeign1"}
    got: list[Answer] = []

    def ask() -> None:
        call = {"json": {"body": "held"}, "headers": foreign}
        got.append(world.call("POST", f"{GITHUB}{issue}/comments", **call))

    waiting = threading.Thread(target=ask)
    waiting.start()
    while not world.log():
        waiting.join(0.05)
    world.act("approve", id=1)
    waiting.join(5)
    assert [(a.entry, a.goex) for a in got] == [(1, {})]
    assert len(sent(world)) == 1


# -- an undo that a rule holds


HOLD_UNDO = "rules: [{hold: github.issues/update, id: ask, undo: true, if: is_undo, reason: r}]\n"


def held_undo(world: World, issue: str) -> tuple[int, int]:
    """A change, and the step of its undo that a rule holds."""
    entry = world.call("PATCH", f"{GITHUB}{issue}", json={"title": "theirs"}).entry
    (step,) = world.undo(entry)
    assert (step["outcome"], world.state(entry)) == ("in_doubt", "undoing"), step
    row = world.log()[-1]
    assert (row["undo_of"], row["state"]) == (f"e{entry}", "held")
    return entry, int(row["id"][1:])


def test_an_undo_whose_step_is_held_goes_on_when_it_is_approved(
    make: Make, issue: str, github_bed: Emulate
) -> None:
    world = make(policy=HOLD_UNDO)
    entry, step = held_undo(world, issue)
    world.act("approve", id=step)
    assert (world.state(entry), github_bed.get(issue)["title"]) == ("undone", "as it was")


def test_an_undo_whose_step_is_rejected_is_over_and_can_be_begun_again(
    make: Make, issue: str, github_bed: Emulate
) -> None:
    world = make(policy=HOLD_UNDO)
    entry, step = held_undo(world, issue)
    world.act("reject", id=step)
    assert (world.state(entry), github_bed.get(issue)["title"]) == ("applied", "theirs")
    (again,) = world.undo(entry)
    assert again["outcome"] == "in_doubt"


def test_an_approved_step_of_an_undo_is_not_sent_over_what_changed_meanwhile(
    make: Make, issue: str, github_bed: Emulate
) -> None:
    world = make(policy=HOLD_UNDO)
    entry, step = held_undo(world, issue)
    github_bed.ask("PATCH", issue, {"title": "a person's"})
    before = len(sent(world))
    world.act("approve", id=step)
    assert len(sent(world)) == before
    assert github_bed.get(issue)["title"] == "a person's"
    assert world.state(entry) in {"applied", "conflict"}

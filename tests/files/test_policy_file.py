"""Policy files: what they mean, and what is refused with its place."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.core.decision import Decision, Effect
from goex_proxy.core.expression import ExpressionError
from goex_proxy.core.policy import Mode, Rule, Ruleset
from goex_proxy.files import policy_file, yamltext
from goex_proxy.files.issue import FileError
from goex_proxy.files.policy_file import PolicySource
from goex_proxy.files.policy_groups import combine

TEAM = """\
version: 1
lists: {channels: [C0GENERAL, C0AGENTS], us: [example.com], most: 3}
let: {repo: "segments[1] + '/' + segments[2]", who: "let.repo + '!'"}
rules:
  - deny: slack.chat.postMessage
    unless: args.channel in lists.channels
    reason: post only to general or agents
  - deny: [gmail.messages.send, gmail.drafts.send]
    unless: recipients.all(r, domain(r) in lists.us)
    reason: mail stays inside
  - hold: github.git/update-ref
    id: force-push
    if: args.force == true
    reason: "force-push to ${let.repo} (${args.nope}) $${x}"
    timeout: 30m
  - hold: "*"
    if: [fidelity == 'none', kind != 'read']
    reason: cannot be undone
  - deny: "github.*"
    match: {method: delete, path: /repos/*/*}
    undo: true
  - allow: github.issues/*
"""
FACTS: dict[str, object] = {
    "operation": "github.issues/create", "is_undo": False, "method": "POST", "path": "/repos/a/b/issues", "host": "api.github.com", "agent.id": "bot",
    "credential.name": "gh", "fidelity": "exact", "kind": "write", "segments": ["repos", "a", "b", "issues"], "args": {}, "recipients": [],
}  # fmt: skip
DEFAULT = Decision(effect=Effect.ALLOW, rule="posture:balanced", reason="a default")


def rules(text: str, **lists: object) -> tuple[Rule, ...]:
    return policy_file.read(yamltext.parse(text, "team.yaml"), "team", lists)  # type: ignore[arg-type]


def decide(text: str, facts: Mapping[str, object] = {}, **lists: object) -> Decision:
    """By each rule, and by groups of them: the same decision."""
    found, all_facts = rules(text, **lists), {**FACTS, **facts}
    alone = Ruleset(language=policy_file.load([]).language, rules=found)
    decided = alone.decide(all_facts, DEFAULT)
    grouped = replace(alone, combine=combine).decide(all_facts, DEFAULT)
    assert replace(grouped, hits=()) == replace(decided, hits=())
    return decided


def refusal(text: str) -> FileError:
    with pytest.raises(FileError) as caught:
        rules(text)
    return caught.value


@pytest.mark.parametrize(
    ("facts", "effect", "rule"),
    [
        ({}, Effect.ALLOW, "team/allow-github-issues-any"),
        ({"operation": "slack.chat.postMessage", "args": {"channel": "C0GENERAL"}}, Effect.ALLOW, "posture:balanced"),
        ({"operation": "slack.chat.postMessage", "args": {"channel": "C1"}}, Effect.DENY, "team/deny-slack-chat-postmessage"),
        ({"operation": "slack.chat.postMessage"}, Effect.DENY, "team/deny-slack-chat-postmessage"),
        ({"operation": "gmail.messages.send", "recipients": ["a@example.com"]}, Effect.ALLOW, "posture:balanced"),
        ({"operation": "gmail.drafts.send", "recipients": ["a@example.com", "b@evil.com"]}, Effect.DENY, "team/deny-gmail-messages-send"),
        ({"operation": "github.git/update-ref", "args": {"force": True}}, Effect.HOLD, "team/force-push"),
        ({"operation": "github.git/update-ref", "args": {"force": False}}, Effect.ALLOW, "posture:balanced"),
        ({"operation": "github.git/update-ref"}, Effect.HOLD, "team/force-push"),
        ({"operation": "x.y", "fidelity": "none"}, Effect.HOLD, "team/hold-any"),
        ({"operation": "x.y", "fidelity": "none", "kind": "read"}, Effect.ALLOW, "posture:balanced"),
        ({"operation": "github.repos/delete", "method": "DELETE", "path": "/repos/a/b", "fidelity": "none"}, Effect.DENY, "team/deny-github-any"),
        ({"operation": "github.repos/delete", "method": "DELETE", "path": "/repos/a/b", "is_undo": True}, Effect.DENY, "team/deny-github-any"),
        ({"operation": "github.x", "method": "DELETE", "path": "/repos/a/b/c"}, Effect.ALLOW, "posture:balanced"),
    ],
)  # fmt: skip
def test_the_example_of_the_format_decides_as_it_reads(
    facts: dict[str, object], effect: Effect, rule: str
) -> None:
    decision = decide(TEAM, facts)
    assert (decision.effect, decision.rule) == (effect, rule)


def test_a_reason_is_rendered_and_a_failing_part_decides_nothing() -> None:
    decision = decide(TEAM, {"operation": "github.git/update-ref", "args": {"force": True}})
    assert decision.reason == "force-push to a/b ((?)) ${x}"
    assert decision.timeout == 1800.0


def test_a_list_is_and_and_its_order_does_not_matter() -> None:
    for conditions in ("[b1, args.x]", "[args.x, b1]"):
        text = (
            "version: 1\nrules: [{allow: '*', if: "
            + conditions.replace("b1", "kind == 'read'").replace("args.x", "args.x == 1")
            + "}]"
        )
        assert decide(text, {"kind": "write"}).rule == "posture:balanced"


@pytest.mark.parametrize(
    ("effect", "rule"),
    [("deny", "team/deny-any"), ("hold", "team/hold-any"), ("allow", "posture:balanced")],
)
@pytest.mark.parametrize(
    "condition",
    [
        "if: args.missing == 1",
        "unless: args.missing == 1",
        "if: [args.missing == 1, kind == 'write']",
        "if: args.text",
        "if: let.bad == 1",
    ],
)
def test_an_error_fails_closed_by_the_effect(effect: str, rule: str, condition: str) -> None:
    text = f"version: 1\nlet: {{bad: args.missing}}\nrules: [{{{effect}: '*', {condition}}}]"
    assert decide(text, {"args": {"text": "true"}}).rule == rule


def test_lists_may_be_given_from_outside_with_the_same_type() -> None:
    facts = {"operation": "slack.chat.postMessage", "args": {"channel": "C9"}}
    assert decide(TEAM, facts, channels=["C9"]).effect is Effect.ALLOW
    with pytest.raises(FileError, match="list<string>"):
        rules(TEAM, channels=[1])


def test_every_mistake_of_a_file_is_named_in_its_place() -> None:
    error = refusal(
        """\
version: 1
let: {a: "let.b", b: "let.a", c: nope}
budgets: []
colour: blue
rules:
  - deny: x
    approvers: [me]
    iff: kind == 'read'
  - deny: x
    allow: y
  - {}
  - deny: x
    if: args.force = true
    unless: method
    reason: "x ${nope}"
  - allow: []
    timeout: 30
  - hold: x
    id: Bad Id
    match: {verb: GET, path: repos}
    mode: maybe
  - deny: x
    if: []
  - just text
"""
    )
    places = [(issue.at.line, issue.at.col) for issue in error.issues]
    text = str(error)
    for place in [
        (2, 10),
        (2, 34),
        (3, 1),
        (4, 1),
        (7, 5),
        (8, 5),
        (9, 5),
        (11, 5),
        (13, 20),
        (14, 13),
        (15, 18),
        (16, 12),
        (17, 5),
        (17, 14),
        (19, 9),
        (20, 13),
        (20, 30),
        (21, 11),
        (23, 9),
        (24, 5),
    ]:
        assert place in places, f"{place} is not in\n{text}"
    assert "did you mean 'if'" in text
    assert "not there yet" in text
    assert "team.yaml:3:1" in text


@pytest.mark.parametrize(
    "text",
    [
        "version: 2\nrules: []",
        "rules: []",
        "version: true\nrules: []",
        "[1]",
        "version: 1",
        "version: 1\nrules: {}",
        "version: 1\nrules: [{deny: 403}]",
        "version: 1\nrules: [{deny: x, if: {a: b}}]",
        "version: 1\nrules: [{deny: x, undo: yes}]",
        "version: 1\nrules: [{deny: x, id: a}, {deny: x, id: a}]",
        "version: 1\nlists: {a: }\nrules: []",
        "version: 1\nrules: [{deny: x, reason: 'a ${b'}]",
    ],
)
def test_what_is_not_a_policy_is_refused(text: str) -> None:
    assert str(refusal(text)).startswith("team.yaml")


def test_rules_of_a_file_in_shadow_are_in_shadow() -> None:
    text = "version: 1\nmode: shadow\nrules: [{deny: x}, {deny: x, mode: off}]"
    assert [rule.mode for rule in rules(text)] == [Mode.SHADOW, Mode.OFF]
    assert decide(text, {"operation": "x"}).shadow == ("team/deny-x would deny",)


def test_rules_without_an_id_are_numbered_where_they_would_be_named_alike() -> None:
    assert [rule.id for rule in rules("version: 1\nrules: [{deny: x}, {deny: x}]")] == [
        "team/deny-x",
        "team/deny-x-2",
    ]


def test_a_let_is_evaluated_only_where_a_rule_that_applies_reads_it() -> None:
    asked = []

    class Facts(Mapping[str, object]):
        def __getitem__(self, name: str) -> object:
            asked.append(name)
            if name == "recipients":
                raise ExpressionError("recipients", "cannot be told")
            return FACTS[name]

        def __iter__(self) -> Iterator[str]:
            return iter(FACTS)

        def __len__(self) -> int:
            return len(FACTS)

    text = "version: 1\nlet: {n: size(recipients)}\nrules: [{deny: other, if: let.n > 1}, {allow: '*', if: kind == 'write'}]"
    decided = Ruleset(language=policy_file.load([]).language, rules=rules(text)).decide(
        Facts(), DEFAULT
    )
    assert decided.rule == "team/allow-any"
    assert "recipients" not in asked
    text = "version: 1\nlet: {n: size(recipients)}\nrules: [{deny: '*', if: let.n > 1}]"
    decided = Ruleset(language=policy_file.load([]).language, rules=rules(text)).decide(
        Facts(), DEFAULT
    )
    assert decided.effect is Effect.DENY
    assert "cannot be told" in decided.hits[0].failed


def test_files_are_found_and_two_of_one_name_are_refused(tmp_path: Path) -> None:
    for place in ("own", "shipped"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "team.yaml").write_text(TEAM)
    (tmp_path / "own" / "team_test.yaml").write_text("not a policy")
    found = policy_file.find(["./own", "shipped:team"], tmp_path, tmp_path / "shipped")
    assert [source.name for source in found] == ["team", "team"]
    with pytest.raises(FileError, match="two policies are named 'team'"):
        policy_file.load(found)
    assert len(policy_file.load(found[:1]).rules) == 6
    with pytest.raises(FileError, match="no such policy"):
        policy_file.find(["shipped:none"], tmp_path, tmp_path / "shipped")


def test_mistakes_of_several_files_are_named_together(tmp_path: Path) -> None:
    sources = []
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text("version: 1\nrules: [{deny: x, if: nope}]")
        sources.append(PolicySource(tmp_path / f"{name}.yaml", name))
    with pytest.raises(FileError) as caught:
        policy_file.load(sources)
    assert len(caught.value.issues) == 2


@given(
    st.recursive(
        st.sampled_from(["x", "a == 1", 1, True, None, "${", "*"]),
        lambda c: (
            st.lists(c, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "deny",
                        "hold",
                        "if",
                        "unless",
                        "match",
                        "path",
                        "reason",
                        "timeout",
                        "id",
                        "undo",
                        "mode",
                    ]
                ),
                c,
                max_size=4,
            )
        ),
        max_leaves=10,
    )
)
def test_any_yaml_is_rules_or_a_file_error(value: object) -> None:
    import json

    try:
        rules(f"version: 1\nrules: {json.dumps([value])}")
    except FileError as error:
        assert error.issues[0].at.path == "team.yaml"  # noqa: PT017


GROUPED = """\
version: 1
let: {first: "segments[0]"}
rules:
  - {deny: "*", id: a, if: ["args.n > 1", "args.m > 1"]}
  - {hold: "*", id: b, if: "args.n > 1", unless: "args.m > 1"}
  - {deny: "*", id: c, if: "args.word.startsWith('x') // a comment"}
  - {hold: "*", id: d, unless: "args.?ok.orValue(true)"}
  - {hold: "*", id: e, if: "let.first == 'x'"}
  - {hold: "*", id: f, if: "args.?n.orValue(0) == 7", mode: shadow}
  - {deny: "*", id: g, if: "args.m == 0", undo: true}
"""
VALUES = st.one_of(st.integers(0, 7), st.booleans(), st.sampled_from(["", "x", "yx"]), st.none())


@given(
    st.dictionaries(st.sampled_from(["n", "m", "word", "ok"]), VALUES),
    st.booleans(),
    st.sampled_from([["x"], ["y"], []]),
)
def test_rules_in_groups_decide_as_each_by_itself(
    args: dict[str, object], undo: bool, segments: list[str]
) -> None:
    decide(GROUPED, {"args": args, "is_undo": undo, "segments": segments})


def test_what_one_evaluation_excludes_is_not_looked_at_again() -> None:
    found = rules(GROUPED)
    grouped = Ruleset(language=policy_file.load([]).language, rules=found, combine=combine)
    args = {"n": 1, "m": 2, "word": "y"}
    assert [hit.rule for hit in grouped.decide({**FACTS, "args": args}, DEFAULT).hits] == []

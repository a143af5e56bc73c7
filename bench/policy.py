"""What one policy decision costs: 12 realistic rules, bodies of 1 and 100 KiB.

CPU time, the tenth percentile: what others do on the machine is not what is measured.

Run: python -m bench.policy
"""

import json
import statistics
import time
from collections.abc import Mapping

from goex_proxy.core.decision import Decision, Effect
from goex_proxy.core.exact import loads
from goex_proxy.core.policy import Ruleset
from goex_proxy.files import policy_file, yamltext
from goex_proxy.files.policy_groups import combine

POLICY = """\
version: 1
lists: {channels: [C0GENERAL, C0AGENTS], us: [example.com]}
let: {repo: "segments[1] + '/' + segments[2]"}
rules:
  - {deny: "github.*", if: "kind != 'read' && !(args.channel in lists.channels)", id: r1}
  - {deny: "github.*", if: "size(args.?text.orValue('')) > 4000", id: r2}
  - {deny: "*", unless: "recipients.all(r, domain(r) in lists.us)", id: r3}
  - {hold: "github.*", if: "args.?force.orValue(false) == true", id: r4}
  - {allow: "github.*", if: ["fidelity == 'none'", "kind != 'read'"], id: r5}
  - {hold: "github.*", if: "body_state in ['too_large', 'invalid']", match: {path: /x}, id: r6}
  - {deny: "*", if: "blast > 100 || session.writes > 500", id: r7}
  - {deny: "*", if: "rx(path, '^/repos/[^/]+/[^/]+/git/')", id: r8}
  - {deny: "*", if: "let.repo == 'acme/widgets' && agent.id == 'deployer'", id: r9}
  - {deny: "github.*", if: "args.?labels.orValue([]).exists(l, l == 'protected')", id: r10}
  - {deny: "*", if: "auth == 'foreign' && service == 'github'", id: r11}
  - {deny: "*", if: "credential.name.startsWith('prod-') && method == 'DELETE'", id: r12}
"""
WHOLE = """\
  - {deny: "*", if: "args.exists(k, k == 'nope')", id: whole}
"""
ALLOWED = Decision(effect=Effect.ALLOW, rule="posture", reason="")


def facts(size: int) -> Mapping[str, object]:
    filler = {
        f"field{n}": {"text": "x" * 80, "n": n, "tags": ["a", "b"]} for n in range(size // 130)
    }
    body = {"channel": "C0GENERAL", "text": "hello", "labels": ["bug", "ui"], **filler}
    return {
        "args": loads(json.dumps(body)),
        "method": "POST",
        "host": "api.github.com",
        "path": "/repos/acme/widgets/issues",
        "segments": ["repos", "acme", "widgets", "issues"],
        "operation": "github.issues/create",
        "service": "github",
        "kind": "write",
        "fidelity": "compensating",
        "body_state": "parsed",
        "auth": "ours",
        "recipients": ["a@example.com"],
        "blast": 1,
        "agent.id": "bot",
        "credential.name": "github",
        "is_undo": False,
        "session.writes": 3,
    }


def main() -> None:
    few, all_of_it = _rules(POLICY), _rules(POLICY + WHOLE)
    print(f"this machine now: {_spin():.0f} us for 1000 additions (30 when it is idle)")
    for size in (1024, 102_400):
        values = facts(size)
        print(
            f"{size // 1024:4} KiB: 12 rules {_timed(few, values):.1f} us;"
            f" with one that reads the whole body {_timed(all_of_it, values):.1f} us"
        )


def _rules(text: str) -> Ruleset:
    rules = policy_file.read(yamltext.parse(text, "bench.yaml"), "bench", {})
    return Ruleset(language=policy_file.load([]).language, rules=rules, combine=combine)


def _spin() -> float:
    began = time.thread_time_ns()
    for _ in range(1000):
        total = 0
        for number in range(1000):
            total += number
    return (time.thread_time_ns() - began) / 1e6


def _timed(rules: Ruleset, values: Mapping[str, object]) -> float:
    times: list[int] = []
    for _ in range(400):
        began = time.thread_time_ns()
        decided = rules.decide(values, ALLOWED)
        times.append(time.thread_time_ns() - began)
        if decided.effect is not Effect.ALLOW:
            raise RuntimeError(f"{decided.rule}: {decided.reason}")
    return statistics.quantiles(times, n=10)[0] / 1000


if __name__ == "__main__":
    main()

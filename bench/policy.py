"""What one policy decision costs: 12 realistic rules, bodies of 1 and 100 KiB.

CPU time, the tenth percentile: what others do on the machine is not what is measured.

Run: python -m bench.policy
"""

import json
import statistics
import time
from collections.abc import Mapping

from goex_proxy.core.exact import loads
from goex_proxy.files.cel import Cel, CelType
from goex_proxy.files.cel_functions import POLICY_FUNCTIONS

NAMES = {
    "args": CelType.MAP,
    "method": CelType.STRING,
    "host": CelType.STRING,
    "path": CelType.STRING,
    "segments": CelType.STRINGS,
    "operation": CelType.STRING,
    "service": CelType.STRING,
    "kind": CelType.STRING,
    "fidelity": CelType.STRING,
    "body_state": CelType.STRING,
    "auth": CelType.STRING,
    "recipients": CelType.STRINGS,
    "blast": CelType.INT,
    "agent.id": CelType.STRING,
    "credential.name": CelType.STRING,
    "session.writes": CelType.INT,
    "lists.channels": CelType.STRINGS,
    "lists.us": CelType.STRINGS,
}
CONSTANTS = {"lists.channels": ["C0GENERAL", "C0AGENTS"], "lists.us": ["example.com"]}
RULES = (
    "args.channel in lists.channels",
    "size(args.?text.orValue('')) <= 4000",
    "recipients.all(r, domain(r) in lists.us)",
    "args.?force.orValue(false) == true",
    "fidelity == 'none' && kind != 'read'",
    "kind != 'read' && body_state in ['too_large', 'invalid', 'unsupported']",
    "blast > 100 || session.writes > 500",
    "rx(path, '^/repos/[^/]+/[^/]+/git/')",
    "let.repo == 'acme/widgets' && agent.id != 'deployer'",
    "args.?labels.orValue([]).exists(l, l == 'protected')",
    "auth == 'foreign' && service == 'github'",
    "credential.name.startsWith('prod-') && method == 'DELETE'",
)


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
        "session.writes": 3,
    }


def main() -> None:
    cel = Cel(
        NAMES, POLICY_FUNCTIONS, constants=CONSTANTS, at_hand=frozenset(NAMES) - {"recipients"}
    )
    cel = cel.with_let("let.repo", cel.compile("segments[1] + '/' + segments[2]"))
    rules = [cel.compile(rule, "bool") for rule in RULES]
    whole = cel.compile("args.exists(k, k == 'nope')", "bool")
    print(f"this machine now: {_spin():.0f} us for 1000 additions (30 when it is idle)")
    for size in (1024, 102_400):
        values = facts(size)
        few, all_of_it = _timed(cel, rules, values), _timed(cel, [*rules, whole], values)
        print(
            f"{size // 1024:4} KiB: 12 rules {few:.1f} us; with the whole body {all_of_it:.1f} us"
        )


def _spin() -> float:
    began = time.thread_time_ns()
    for _ in range(1000):
        total = 0
        for number in range(1000):
            total += number
    return (time.thread_time_ns() - began) / 1e6


def _timed(cel: Cel, rules: list, values: Mapping[str, object]) -> float:  # type: ignore[type-arg]
    times: list[int] = []
    for _ in range(400):
        began = time.thread_time_ns()
        scope = cel.scope(values)
        for rule in rules:
            rule.evaluate(scope)
        times.append(time.thread_time_ns() - began)
    return statistics.quantiles(times, n=10)[0] / 1000


if __name__ == "__main__":
    main()

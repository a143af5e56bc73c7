"""Rules about operations that no reverser file names: most likely a slip of the pen.

Said by `goex policy check`, and no reason for a gateway not to start: a rule may stand before the
reverser file that it waits for, and a rule about nothing takes no other rule's force.
"""

from collections.abc import Iterable
from difflib import get_close_matches

from goex_proxy.core import glob
from goex_proxy.core.catalog import Catalog
from goex_proxy.core.policy import Rule
from goex_proxy.files.issue import At, Issue

_PLAIN = ("read", "unregistered")
"""What a call is named that no rule of its service's file speaks of."""


def operation_names(catalog: Catalog) -> list[str]:
    """Every name that a call can have."""
    names = [f"http.{each}" for each in _PLAIN]
    for service in catalog.services:
        known = [one.name for one in service.operations] + [one.name for one in service.reads]
        names += [f"{service.name}.{each}" for each in (*known, *_PLAIN)]
    return list(dict.fromkeys(names))


def idle(rules: Iterable[Rule], catalog: Catalog) -> tuple[list[Issue], list[Issue]]:
    """What matches no operation: surely wrong (the full name of one of a known service), and
    perhaps meant for later (a glob, or a service without a file)."""
    names = operation_names(catalog)
    services = {"http", *(service.name for service in catalog.services)}
    wrong: list[Issue] = []
    later: list[Issue] = []
    for rule in rules:
        for pattern in rule.operations:
            if any(glob.matches(pattern, name) for name in names):
                continue
            known = any(pattern.startswith(f"{service}.") for service in services)
            exact = not any(sign in pattern for sign in "*?")
            (wrong if known and exact else later).append(_issue(rule, pattern, names))
    return wrong, later


def _issue(rule: Rule, pattern: str, names: list[str]) -> Issue:
    path, _, line = rule.location.rpartition(":")
    near = get_close_matches(pattern, names, 1, 0.7)
    hint = f"did you mean {near[0]}?" if near else "goex reverser list names what is known"
    return Issue(At(path, int(line), 1), f"no operation matches {pattern!r}", hint)

"""Rules of one policy file, put together so that one evaluation says which of them apply.

An evaluation has a price of its own, whatever it evaluates. `&&` of CEL takes an error for
unknown, as a rule by itself does: a condition that is false decides, whatever became of the
others. An error that decides is one of the whole expression; the rules are then looked at one by
one.
"""

from collections.abc import Mapping, Sequence
from itertools import batched

from goex_proxy.core.policy import Group, Rule
from goex_proxy.files.cel import Cel, CelExpression
from goex_proxy.files.cel_written import Let, each_written_out, written_out
from goex_proxy.files.issue import FileError

_MOST = 16
"""Rules in one expression: the engine's parser bounds how deep it nests."""


def combine(rules: Sequence[Rule]) -> tuple[Group, ...]:
    """Groups of these rules; those that cannot be grouped are in none."""
    alike: dict[int, list[tuple[Rule, list[CelExpression]]]] = {}
    for rule in rules:
        checks = _checks(rule)
        if checks:
            alike.setdefault(id(checks[0].cel), []).append((rule, checks))
    return tuple(
        group
        for together in alike.values()
        for few in batched(together, _MOST)
        if (group := _group(few)) is not None
    )


def _checks(rule: Rule) -> list[CelExpression]:
    """Its conditions, `unless` last; [] if it cannot be in a group."""
    every = (*rule.conditions, *([rule.unless] if rule.unless is not None else []))
    checks = [each for each in every if isinstance(each, CelExpression)]
    return checks if len(checks) == len(every) else []


def _group(few: Sequence[tuple[Rule, list[CelExpression]]]) -> Group | None:
    cel: Cel = few[0][1][0].cel
    lets = each_written_out(
        {
            name: Let(let.source, frozenset(read.partition(".")[0] for read in let.names))
            for name, let in cel.lets.items()
        }
    )
    source = " + ".join(
        f"({_applies(rule, checks, lets)} ? {1 << n} : 0)" for n, (rule, checks) in enumerate(few)
    )
    try:
        mask = cel.compile(source, "any")
    except FileError:
        return None  # too long or too deep together, though each alone is not
    return Group(rules=tuple(rule for rule, _ in few), mask=mask)


def _applies(rule: Rule, checks: list[CelExpression], lets: Mapping[str, Let]) -> str:
    """When the rule applies. On lines of their own: a comment ends with its line."""
    last = len(checks) - 1
    parts = [
        f"!(\n{written_out(check.source, lets)}\n)"
        if n == last and rule.unless is not None
        else f"(\n{written_out(check.source, lets)}\n)"
        for n, check in enumerate(checks)
    ]
    return f"({' && '.join(parts)})"

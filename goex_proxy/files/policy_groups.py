"""Rules of one policy file, put together so that one evaluation says that none of them applies.

An evaluation has a price of its own, whatever it evaluates, and most rules do not apply to most
calls. `||` and `&&` of CEL take an error for unknown: the whole is false only if every rule has a
condition that is false, which is when each by itself would not have applied.
"""

from collections.abc import Iterable, Sequence
from itertools import batched

from goex_proxy.core.decision import Effect
from goex_proxy.core.policy import Group, Mode, Rule, Where
from goex_proxy.files.cel import Cel, CelExpression
from goex_proxy.files.issue import FileError

_MOST = 16
"""Rules in one expression: the engine's parser bounds how deep it nests."""
_ANYWHERE = Where()


def groups(rules: Iterable[Rule]) -> tuple[Group, ...]:
    """The groups of these rules; those that cannot be grouped are in none."""
    alike: dict[tuple[int, tuple[str, ...]], list[tuple[Rule, list[CelExpression]]]] = {}
    for rule in rules:
        checks = _checks(rule)
        if checks:
            alike.setdefault((id(checks[0].cel), rule.operations), []).append((rule, checks))
    return tuple(
        group
        for together in alike.values()
        for few in batched(together, _MOST)
        if (group := _group(few)) is not None
    )


def _checks(rule: Rule) -> list[CelExpression]:
    """Its conditions, `unless` last; [] if it cannot be in a group."""
    if rule.effect is Effect.ALLOW or rule.mode is not Mode.ENFORCE or rule.where != _ANYWHERE:
        return []
    every = (*rule.conditions, *([rule.unless] if rule.unless is not None else []))
    checks = [each for each in every if isinstance(each, CelExpression)]
    return checks if len(checks) == len(every) else []


def _group(few: Sequence[tuple[Rule, list[CelExpression]]]) -> Group | None:
    cel: Cel = few[0][1][0].cel
    source = " || ".join(_applies(rule, checks) for rule, checks in few)
    try:
        disjunction = cel.compile(source, "bool")
    except FileError:
        return None  # too long or too deep together, though each alone is not
    return Group(
        rules=frozenset(rule.id for rule, _ in few),
        operations=few[0][0].operations,
        any=disjunction,
    )


def _applies(rule: Rule, checks: list[CelExpression]) -> str:
    """When the rule applies. On lines of their own: a comment ends with its line."""
    last = len(checks) - 1
    parts = [
        f"!(\n{check.source}\n)"
        if n == last and rule.unless is not None
        else f"(\n{check.source}\n)"
        for n, check in enumerate(checks)
    ]
    return f"({' && '.join(parts)})"

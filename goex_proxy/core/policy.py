"""Policies: rules that hold, deny or allow, and how they combine.

Every rule is evaluated and order never matters: deny over hold over allow over posture. A
condition that cannot be evaluated fails closed by its effect: a deny denies, a hold holds,
an allow does not allow.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from goex_proxy.core import glob
from goex_proxy.core.decision import Decision, Effect, Hit
from goex_proxy.core.expression import Expression, ExpressionError, Language, Scope
from goex_proxy.core.step import shown


class Mode(StrEnum):
    ENFORCE = "enforce"
    SHADOW = "shadow"
    """Recorded as what would have been."""
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """What is matched before any expression runs; globs, one of each list suffices."""

    methods: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    credentials: tuple[str, ...] = ()

    def covers(self, facts: Mapping[str, object], effect: Effect) -> bool:
        """Whether these are the facts that a rule of this effect is about.

        A service may take `%2F` for a slash or not: what forbids matches either spelling of the
        path, what allows only the one that is sent.
        """
        if not (self.methods or self.paths or self.hosts or self.agents or self.credentials):
            return True
        if self.paths:
            path = str(facts["path"])
            spellings = {path} if effect is Effect.ALLOW else {path, path.replace("%2F", "/")}
            if not any(glob.path_matches(p, each) for p in self.paths for each in spellings):
                return False
        named = (
            (self.methods, "method"),
            (self.hosts, "host"),
            (self.agents, "agent.id"),
            (self.credentials, "credential.name"),
        )
        return all(
            not patterns or any(glob.matches(p, str(facts[name])) for p in patterns)
            for patterns, name in named
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of a policy file."""

    id: str
    """With its file: `team/force-push`."""
    effect: Effect
    operations: tuple[str, ...]
    where: Where = field(default_factory=Where)
    conditions: tuple[Expression, ...] = ()
    """All must hold."""
    unless: Expression | None = None
    reason: tuple[str | Expression, ...] = ()
    """Text with expressions in it; a part that fails reads (?) and decides nothing."""
    timeout: float | None = None
    undo: bool = False
    """Whether it also binds undo."""
    mode: Mode = Mode.ENFORCE
    location: str = ""
    """`team.yaml:12`."""

    def looks_at(self, operation: str) -> bool:
        return any(glob.matches(pattern, operation) for pattern in self.operations)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rules that are asked in one evaluation which of them apply.

    `mask` comes to an integer: bit n is set if rule n applies. An error in any of them is an error
    of the whole and proves nothing: then each is looked at by itself.
    """

    rules: tuple[Rule, ...]
    mask: Expression

    def applying(self, scope: Scope) -> list[Rule] | None:
        """The rules that apply; None if that cannot be said of all together."""
        try:
            mask = self.mask.evaluate(scope)
        except ExpressionError:
            return None
        if not isinstance(mask, int) or isinstance(mask, bool):
            return None
        return [rule for n, rule in enumerate(self.rules) if mask >> n & 1] if mask else []


type Combine = Callable[[Sequence[Rule]], tuple[Group, ...]]
"""Puts rules into groups, each in one at most."""

_REMEMBERED = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruleset:
    """All rules in force, and the engine that evaluates them."""

    language: Language
    rules: tuple[Rule, ...] = ()
    combine: Combine | None = None
    """For speed: the decision is the same without it, and then names every rule looked at."""
    _rules_of: dict[tuple[str, bool], list[Rule]] = field(
        default_factory=dict, repr=False, compare=False
    )
    _groups: dict[tuple[str, ...], tuple[Group, ...]] = field(
        default_factory=dict, repr=False, compare=False
    )
    """By operation, and by the rules asked together: found out once. Both are few."""

    def decide(self, facts: Mapping[str, object], default: Decision) -> Decision:
        """The severest decision of the rules that apply; `default` if none does.

        Of an undo (`is_undo`) only rules marked `undo: true` are looked at.
        """
        operation = str(facts["operation"])
        undo = facts["is_undo"] is True
        scope = self.language.scope(facts)
        asked = [r for r in self._about(operation, undo) if r.where.covers(facts, r.effect)]
        looked: list[tuple[Rule, Hit]] = []
        settled: set[str] = set()
        for group in self._together(asked):
            applying = group.applying(scope)
            if applying is not None:
                settled.update(rule.id for rule in group.rules)
                looked += [(rule, _hit(rule, matched=True)) for rule in applying]
        looked += [(rule, _look(rule, scope)) for rule in asked if rule.id not in settled]
        return _severest(looked, default, scope)

    def _about(self, operation: str, undo: bool) -> list[Rule]:
        known = self._rules_of.get((operation, undo))
        if known is None:
            if len(self._rules_of) >= _REMEMBERED:
                self._rules_of.clear()
            known = [r for r in self.rules if r.mode is not Mode.OFF and r.looks_at(operation)]
            known = [r for r in known if r.undo or not undo]
            self._rules_of[operation, undo] = known
        return known

    def _together(self, rules: Sequence[Rule]) -> tuple[Group, ...]:
        if self.combine is None:
            return ()
        key = tuple([rule.id for rule in rules])
        groups = self._groups.get(key)
        if groups is None:
            if len(self._groups) >= _REMEMBERED:
                self._groups.clear()
            groups = self._groups[key] = self.combine(rules)
        return groups


def _severest(looked: list[tuple[Rule, Hit]], default: Decision, scope: Scope) -> Decision:
    if not looked:
        return default
    hits = tuple(hit for _, hit in looked)
    matched = [(rule, hit) for rule, hit in looked if hit.matched]
    shadow = (
        *default.shadow,
        *sorted(f"{hit.rule} would {hit.effect}" for _, hit in matched if hit.shadow),
    )
    enforced = [(rule, hit) for rule, hit in matched if not hit.shadow]
    if not enforced:
        return replace(default, shadow=shadow, hits=hits)
    # Of several that are as severe: one that could be evaluated, then by name. Order says nothing.
    rule, hit = min(enforced, key=lambda pair: (-pair[1].effect, pair[1].failed != "", pair[0].id))
    reason = f"rule {rule.id} could not be evaluated" if hit.failed else _reason(rule, scope)
    return Decision(
        effect=hit.effect,
        rule=rule.id,
        reason=reason,
        timeout=rule.timeout,
        shadow=shadow,
        hits=hits,
    )


def _look(rule: Rule, scope: Scope) -> Hit:
    matched, failed, part = _applies(rule, scope)
    if failed:
        matched = rule.effect is not Effect.ALLOW
    return _hit(rule, matched=matched, failed=failed, part=part)


def _hit(rule: Rule, *, matched: bool, failed: str = "", part: int | None = None) -> Hit:
    return Hit(
        rule=rule.id,
        effect=rule.effect,
        matched=matched,
        failed=failed,
        part=part,
        where=rule.location,
        shadow=rule.mode is Mode.SHADOW,
    )


def _applies(rule: Rule, scope: Scope) -> tuple[bool, str, int | None]:
    """Whether it does, why that cannot be said, and which condition was false."""
    checks = [(n, c, True) for n, c in enumerate(rule.conditions)]
    if rule.unless is not None:
        checks.append((len(checks), rule.unless, False))
    failed = ""
    for number, condition, wanted in checks:
        try:
            value = condition.evaluate(scope)
        except ExpressionError as error:
            failed = failed or f"{error.source}: {error.why}"
            continue
        if not isinstance(value, bool):
            failed = failed or f"{condition.source}: neither true nor false"
        elif value is not wanted:
            return False, "", number
    return not failed, failed, None


def _reason(rule: Rule, scope: Scope) -> str:
    return "".join(_part(part, scope) for part in rule.reason) or f"rule {rule.id}"


def _part(part: str | Expression, scope: Scope) -> str:
    try:
        return part if isinstance(part, str) else shown(part.evaluate(scope))
    except ExpressionError:
        return "(?)"

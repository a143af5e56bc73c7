"""Deciding the cases of policy tests, as the gateway would decide them; and by both engines."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from goex_proxy.core.admission import Arrival, arrive
from goex_proxy.core.book import Book
from goex_proxy.core.call import Call, Caller, Initiator, Link, facts
from goex_proxy.core.catalog import Classified
from goex_proxy.core.deciding import decide
from goex_proxy.core.decision import Auth, Decision, Effect
from goex_proxy.core.expression import Expression, ExpressionError, Scope
from goex_proxy.core.operation import Fidelity, Kind, Match, Operation, Proof
from goex_proxy.core.policy import Rule
from goex_proxy.core.service import Service
from goex_proxy.core.template import parse_template
from goex_proxy.files.cel import CelExpression
from goex_proxy.files.cel_functions import POLICY_FUNCTIONS
from goex_proxy.files.celpy import Celpy, NotCore
from goex_proxy.files.policy_test_file import NOTHING, Case, Expect, Given


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a call was found to be, and what was decided on it."""

    operation: str
    decision: Decision
    disagreements: tuple[str, ...] = ()
    """Where the two engines do not say the same."""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of one case."""

    case: Case
    failures: tuple[str, ...] = ()
    judged: tuple[Judged, ...] = field(default=(), repr=False)

    @property
    def passed(self) -> bool:
        return not self.failures


def run_case(case: Case, book: Book) -> Verdict:
    """Decide each step of a case."""
    failures: list[str] = []
    judged: list[Judged] = []
    moment = datetime.fromisoformat(case.given.now)
    for step in case.steps:
        moment += timedelta(seconds=step.after)
        call = _call(case.given, moment)
        one = judge(replace(call, request=step.request), book, case.given)
        judged.append(one)
        failures += _differences(step.expect, one.decision)
        failures += one.disagreements
    return Verdict(case=case, failures=tuple(failures), judged=tuple(judged))


def judge(call: Call, book: Book, given: Given | None = None) -> Judged:
    """Classify and decide one call. With `given`, its posture and operation hold."""
    if given is not None:
        book = replace(book, posture=given.posture)
    arrival = arrive(call, book)
    seen = arrival.seen
    overridden = given.operation if given is not None else None
    if seen is None or (arrival.problem and not overridden):
        return Judged(operation=arrival.opened.operation, decision=_unreadable(arrival))
    if overridden:
        seen = _overridden(seen, overridden)
    began = time.perf_counter()
    decision = decide(call, seen, book, fidelity=seen.promise)
    seconds = time.perf_counter() - began
    return Judged(
        operation=seen.name,
        decision=decision,
        disagreements=tuple(_disagreements(call, seen, book)),
        seconds=seconds,
    )


def _call(given: Given, moment: datetime) -> Call:
    named = given.credential if given.auth is Auth.OURS else ""
    return Call(
        request=NOTHING,
        caller=Caller(agent=given.agent, session=given.session, started=given.now),
        auth=given.auth,
        credential=named,
        credential_name=named,
        initiator=Initiator.PERSON if given.undo else Initiator.AGENT,
        link=Link(undo_of=1) if given.undo else Link(),
        at=moment.isoformat(),
    )


def _unreadable(arrival: Arrival) -> Decision:
    return Decision(effect=Effect.DENY, rule="goex", reason=arrival.problem)


def _differences(expect: Expect, found: Decision) -> Iterator[str]:
    if found.effect is not expect.effect:
        yield f"expected {expect.effect}, got {found.effect} by {found.rule}: {found.reason}"
        return
    if expect.rule is not None and found.rule != expect.rule:
        yield f"expected the rule {expect.rule}, got {found.rule}"
    if expect.reason is not None and found.reason != expect.reason:
        yield f"expected the reason {expect.reason!r}, got {found.reason!r}"


@dataclass(frozen=True, slots=True)
class _Said:
    """An expression that is one value: what a test says of an operation."""

    value: object
    source: str = "given"
    names: frozenset[str] = frozenset()

    def evaluate(self, scope: Scope) -> object:
        return self.value


class _NoLanguage:
    """Of a service that only a test speaks of: nothing in it is evaluated."""

    def scope(self, values: Mapping[str, object]) -> Scope:
        return self


def _overridden(seen: Classified, said: Mapping[str, object]) -> Classified:
    """The same request as the operation that the test says it is."""
    service, _, name = str(said["name"]).partition(".")
    fidelity, kind, proved = said["fidelity"], said["kind"], said["proved"]
    residue = said["residue"]
    if not (isinstance(fidelity, Fidelity) and isinstance(kind, Kind)):
        raise TypeError("the test file was not read by its loader")
    operation = Operation(
        name=name,
        match=Match(template=parse_template("/{path+}")),
        kind=kind,
        fidelity=fidelity,
        promise=fidelity,
        residue=residue if isinstance(residue, tuple) else (),
        outside=_Said(said["outside"]),
        proved=proved if isinstance(proved, Proof) else Proof.NONE,
        recipients=_Said(said["recipients"]),
        forced=_Said(said["forced"]),
    )
    made = Service(name=service, hosts=(), language=_NoLanguage(), operations=(operation,))
    return replace(seen, service=made, operation=operation, read=None, kind=kind)


def _disagreements(call: Call, seen: Classified, book: Book) -> Iterator[str]:
    """Every condition that is looked at, evaluated by both engines, as far as both know it."""
    second = Celpy(POLICY_FUNCTIONS)
    known = facts(call, seen, seen.promise, outside=_outside(seen))
    try:
        operation, undo = str(known["operation"]), known["is_undo"] is True
        for rule in book.rules.rules:
            if (
                (rule.undo or not undo)
                and rule.looks_at(operation)
                and rule.where.covers(known, rule.effect)
            ):
                yield from _compared(rule, second, known, book)
    except ExpressionError:
        return  # a fact that cannot be told: the decision is a denial already


def _outside(seen: Classified) -> bool:
    said = seen.operation.outside if seen.operation else None
    return isinstance(said, _Said) and said.value is True


def _compared(rule: Rule, second: Celpy, known: Mapping[str, object], book: Book) -> Iterator[str]:
    conditions = [*rule.conditions, *([rule.unless] if rule.unless is not None else [])]
    for condition in conditions:
        if not isinstance(condition, CelExpression):
            continue
        try:
            other = second.take(condition)
        except NotCore:
            continue
        one = _value(condition, book.rules.language.scope(known))
        two = _value(other, second.scope(known))
        if one != two:
            yield f"the two engines disagree on {condition.source!r} ({rule.id}): {one} and {two}"


def _value(expression: Expression, scope: Scope) -> object:
    """Its value; of an error only that it is one: the engines word them differently."""
    try:
        return expression.evaluate(scope)
    except ExpressionError:
        return "an error"

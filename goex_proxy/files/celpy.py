"""The second engine: cel-python, independent of the first, for `policy test` and for tests.

It has no type checker, so it takes only what the first engine has checked, and of that only the
core profile: no optionals, no extension functions, no comprehensions with two variables. Slow;
never on the path of a request. Each thread has an interpreter of its own: compiled programs of
cel-python 0.5.0 shared by threads gave wrong answers.
"""

import datetime
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass

import celpy as engine
from celpy import celtypes
from celpy.celparser import CELParseError
from celpy.evaluation import CELEvalError, CELFunction

from goex_proxy.core.expression import ExpressionError, Scope
from goex_proxy.files import cel_text
from goex_proxy.files.cel import CelExpression
from goex_proxy.files.cel_functions import Function
from goex_proxy.files.cel_uses import uses
from goex_proxy.files.cel_values import Unfit, plain

_CORE = frozenset(
    (
        *("_&&_", "_||_", "!_", "_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "@in", "_?_:_"),
        *("_+_", "_-_", "_*_", "_/_", "_%_", "-_", "_[_]", "@not_strictly_false"),
        *("size", "contains", "startsWith", "endsWith", "matches", "int", "double", "string"),
        *("bool", "dyn", "duration", "timestamp", "getHours", "getDayOfWeek", "getMinutes"),
        *("getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfYear", "getSeconds"),
    )
)


class NotCore(ValueError):
    """An expression outside of the core profile: which function it needs."""


@dataclass(frozen=True, slots=True)
class CelpyScope:
    """Names bound to values for the second engine: nested by their dots, converted at once."""

    values: Mapping[str, object]


class Celpy:
    """The second engine for what was compiled with the first."""

    def __init__(self, functions: tuple[Function, ...]) -> None:
        self._functions = {f.name: f for f in functions if not f.placed}
        self._local = threading.local()

    def scope(self, values: Mapping[str, object]) -> CelpyScope:
        return CelpyScope(values)

    def take(self, expression: CelExpression) -> "CelpyExpression":
        """The same expression for this engine. Raises `NotCore`."""
        used = uses(expression.program.serialize(), frozenset())
        other = used.functions - _CORE - {cel_text.hidden_name(n) for n in self._functions}
        if "cel.bind" in expression.source or used.two_variables or expression.optional:
            other.add("a macro of an extension")
        if other:
            raise NotCore(f"not in the core profile: {', '.join(sorted(other))}")
        return CelpyExpression(self, expression)

    def program(self, source: str) -> engine.Runner:
        """The program of this thread. An environment for each: the parser is stateful."""
        programs: dict[str, engine.Runner] | None = getattr(self._local, "programs", None)
        if programs is None:
            programs = self._local.programs = {}
        if source not in programs:
            limit = sys.getrecursionlimit()
            environment = engine.Environment(runner_class=engine.InterpretedRunner)
            # It raises the limit of the whole process; what needs more is an error here.
            sys.setrecursionlimit(limit)
            functions = {cel_text.hidden_name(n): _called(f) for n, f in self._functions.items()}
            programs[source] = environment.program(
                environment.compile(cel_text.hidden(source)), functions=functions
            )
        return programs[source]


@dataclass(frozen=True, slots=True)
class CelpyExpression:
    """One expression in the second engine."""

    engine: Celpy
    first: CelExpression

    @property
    def source(self) -> str:
        return self.first.source

    @property
    def names(self) -> frozenset[str]:
        return self.first.names

    def evaluate(self, scope: Scope) -> object:
        """Its value, of the same Python types as the first engine's. Raises `ExpressionError`."""
        if not isinstance(scope, CelpyScope):
            raise ExpressionError(self.source, "a scope of another language")
        try:
            context = self._context(scope.values)
            value = _taken(self.engine.program(self.source).evaluate(context))
        except (CELEvalError, CELParseError) as error:
            raise ExpressionError(self.source, _why(str(error.args[0]))) from None
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
            raise ExpressionError(self.source, f"{type(error).__name__}: {error}") from None
        if self.first.want == "bool" and not isinstance(value, bool):
            raise ExpressionError(self.source, "true or false is wanted")
        return value

    def _context(self, values: Mapping[str, object]) -> dict[str, celtypes.Value]:
        nested: dict[str, object] = {}
        for name in self.names:
            head, dot, tail = cel_text.hidden_name(name).partition(".")
            value = self._value(name, values)
            if dot:
                inner = nested.setdefault(head, {})
                if isinstance(inner, dict):
                    inner[tail] = value
            else:
                nested[head] = value
        return {name: _given(value) for name, value in nested.items()}

    def _value(self, name: str, values: Mapping[str, object]) -> object:
        cel = self.first.cel
        if name in cel.lets:
            return self.engine.take(cel.lets[name]).evaluate(CelpyScope(values))
        return plain(cel.constants[name] if name in cel.constants else values[name])


def _why(error: str) -> str:
    """The engine's message in our names, without the values of the scope that it lists."""
    return cel_text.shown(error.partition(" (in activation")[0])


def _given(value: object) -> celtypes.Value:
    match value:
        case dict():
            return celtypes.MapType({celtypes.StringType(k): _given(v) for k, v in value.items()})
        case list():
            return celtypes.ListType([_given(item) for item in value])
        case None:
            return None
        case _:
            return _leaf(value)


def _leaf(value: object) -> celtypes.Value:
    match value:
        case datetime.datetime():
            return celtypes.TimestampType(value)
        case datetime.timedelta():
            return celtypes.DurationType(value)
        case bool():
            return celtypes.BoolType(value)
        case int():
            kind = celtypes.UintType if value > 2**63 - 1 else celtypes.IntType
            return kind(value)
        case float():
            return celtypes.DoubleType(value)
        case str():
            return celtypes.StringType(value)
        case _:
            raise Unfit(f"cel-python has no {type(value).__name__}")


def _taken(value: object) -> object:
    """A result as a plain Python value; cel-python's own types are subclasses of them."""
    match value:
        case bool() | celtypes.BoolType():
            return bool(value)
        case celtypes.TimestampType() | celtypes.DurationType() | None:
            return value
        case int():
            return int(value)
        case float():
            return float(value)
        case str():
            return str(value)
        case dict():
            return {str(key): _taken(item) for key, item in value.items()}
        case list():
            return [_taken(item) for item in value]
        case _:
            raise Unfit(f"a {type(value).__name__} is no value")


def _called(function: Function) -> CELFunction:
    def call(*args: object) -> celtypes.Value:
        return _given(function.impl(*map(_taken, args)))

    return call

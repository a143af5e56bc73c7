"""CEL, evaluated by cel-expr-python 0.1.3 (cel-cpp): checked when a file is loaded, bounded
when it runs.

The engine has traps, each found by running it: errors are values
whose text is true, text ends at NUL, deep nesting and optionals inside lists end the process,
`has(credential.name)` has the type of the variable. This adapter is where they end: what is
loaded has the type that was wanted, what is evaluated is a value or an `ExpressionError`.
"""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Literal

from cel_expr_python import cel as engine  # type: ignore[import-untyped]  # ships none

from goex_proxy.core.expression import ExpressionError, Scope
from goex_proxy.files import cel_text
from goex_proxy.files.cel_functions import Function, pattern_of
from goex_proxy.files.cel_scope import CelScope
from goex_proxy.files.cel_uses import Uses, uses
from goex_proxy.files.cel_values import plain
from goex_proxy.files.issue import FileError, Issue, Spot, Typed

type Want = Literal["bool", "string", "list", "any"]

MAX_SOURCE = 16 * 1024
"""Characters of one expression."""

_EXTENSIONS = (
    "strings",
    "optional",
    "lists",
    "sets",
    "math",
    "encoders",
    "bindings",
    "two-var-comprehensions",
)
_CONFIG = engine.NewEnvConfigFromYaml(
    "extensions:\n" + "".join(f"- name: {name}\n" for name in _EXTENSIONS)
)


class CelType(StrEnum):
    """Types of declared names, in the engine's spelling."""

    BOOL = "bool"
    INT = "int"
    DOUBLE = "double"
    STRING = "string"
    TIME = "timestamp"
    DYN = "dyn"
    LIST = "list<dyn>"
    STRINGS = "list<string>"
    MAP = "map<string, dyn>"
    TEXTS = "map<string, string>"


_SMALL = frozenset(("bool", "int", "double", "string", "timestamp", "list<string>"))


class Cel:
    """A language: declared names and functions, what is compiled over them, its scopes.

    `exact` seals the values of its scopes (`cel_values.Sealed`): for reversers. `lets` are
    expressions under a name of their own, evaluated at most once in a scope, and only if an
    expression reads them; `constants` are bound in every scope; names `at_hand` cost nothing to
    look up and are bound together, if any expression of the language reads them. A scope may be
    used by the expressions of several languages: it is one decision, they may be several files.
    """

    def __init__(
        self,
        declarations: Mapping[str, str],
        functions: Iterable[Function] = (),
        *,
        constants: Mapping[str, object] | None = None,
        lets: Mapping[str, "CelExpression"] | None = None,
        at_hand: frozenset[str] = frozenset(),
        exact: bool = False,
    ) -> None:
        self.declarations = dict(declarations)
        self.functions = tuple(functions)
        self.constants = dict(constants or {})
        self.lets = dict(lets or {})
        self.at_hand = at_hand | self.constants.keys()
        self.exact = exact
        self.running = _Running()
        self.cheap: dict[str, frozenset[str] | None] = {}
        """What the expressions compiled so far read, is at hand, and costs little to convert."""
        self.ready = {} if exact else {n: plain(v) for n, v in self.constants.items()}
        """The constants as the engine takes them."""
        types = {name: engine.Type(kind) for name, kind in self.declarations.items()}
        types |= {name: let.type for name, let in self.lets.items()}
        self.hidden = {name: cel_text.hidden_name(name) for name in types}
        self._declared = frozenset(self.hidden.values())
        self.env = engine.NewEnv(
            config=_CONFIG,
            variables={self.hidden[name]: kind for name, kind in types.items()},
            functions=[self._declare(function) for function in self.functions],
        )

    def with_let(self, name: str, let: "CelExpression") -> "Cel":
        """This language with one more name."""
        return Cel(
            self.declarations,
            self.functions,
            constants=self.constants,
            lets={**self.lets, name: let},
            at_hand=self.at_hand,
            exact=self.exact,
        )

    def scope(self, values: Mapping[str, object]) -> CelScope:
        return CelScope(values, exact=self.exact)

    def compile(self, source: str, want: Want = "any", spot: Spot | None = None) -> "CelExpression":
        """Check an expression. Raises `FileError` with every mistake in its place."""
        spot = spot or Typed()
        if len(source) > MAX_SOURCE:
            raise FileError(Issue(spot.inside(0), f"longer than {MAX_SOURCE} characters"))
        program = self._program(source, source, spot)
        kind = program.return_type()
        read = uses(program.serialize(), self._declared)
        _refuse_traps(read, spot)
        _refuse_type(kind, want, spot)
        if _is_optional(kind):
            # The engine cannot hand out an optional: it becomes a list of none or one.
            program = self._program(f"[?(\n{source}\n)]", source, spot)
        expression = CelExpression(self, source, program, kind, want, _shown_fields(read))
        self._note(expression)
        return expression

    def _note(self, expression: "CelExpression") -> None:
        for name, fields in expression.fields.items():
            if name not in self.at_hand:
                continue
            if self.declarations.get(name) in _SMALL or name in self.constants:
                self.cheap[name] = None
            elif fields is not None:
                self.cheap[name] = (self.cheap.get(name) or frozenset()) | fields

    def _program(self, text: str, source: str, spot: Spot) -> engine.Expression:
        if not source.strip():
            raise FileError(Issue(spot.inside(0), "an empty expression", "write true or false"))
        try:
            return self.env.compile(cel_text.hidden(text))
        except (RuntimeError, ValueError) as error:
            raise FileError(*cel_text.issues(str(error), source, spot)) from None

    def _declare(self, function: Function) -> engine.FunctionDecl:
        def call(*args: object) -> object:
            return self.running.scope.call(function, args)

        overloads = [
            engine.Overload(
                f"goex_{function.name}_{number}",
                engine.Type(function.returns),
                [engine.Type(kind) for kind in kinds],
                False,
                call,
            )
            for number, kinds in enumerate(product(*function.params))
        ]
        return engine.FunctionDecl(cel_text.hidden_name(function.name), overloads)


class _Running(threading.local):
    """The scope that is evaluated on this thread: functions are called without one."""

    scope: CelScope


@dataclass(frozen=True, slots=True, eq=False)
class CelExpression:
    """A checked expression. `fields` says of each name which fields it reads; None: all."""

    cel: Cel
    source: str
    program: engine.Expression
    type: engine.Type
    want: Want
    fields: Mapping[str, frozenset[str] | None]

    def __repr__(self) -> str:
        return f"CelExpression({self.source!r})"

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self.fields)

    @property
    def optional(self) -> bool:
        """Whether it may come to nothing: `args.?branch`; its value is None then."""
        return _is_optional(self.type)

    def evaluate(self, scope: Scope) -> object:
        """Its value: bool, int, float, str, bytes, None, a time, lists and maps of these.

        Raises `ExpressionError`, also for a value that is not of the wanted type.
        """
        if not isinstance(scope, CelScope):
            raise ExpressionError(self.source, "a scope of another language")
        activation, missing = scope.bind(self)
        running = self.cel.running
        outer = getattr(running, "scope", None)
        running.scope = scope
        try:
            result = self.program.eval(activation)
            value = result.value() if self.want == "bool" else scope.take(result)
        except (RuntimeError, TypeError, ValueError) as error:
            raise ExpressionError(self.source, _why(str(error), missing)) from None
        finally:
            if outer is not None:
                running.scope = outer
        if value is True or value is False:
            return value
        if self.want == "bool":
            raise ExpressionError(self.source, self._not_bool(result, missing))
        return self._checked(value)

    def _not_bool(self, result: engine.Value, missing: Mapping[str, str]) -> str:
        if result.type() == engine.Type.ERROR:
            return _why(str(result.value()), missing)
        return f"{result.type().name()}, and true or false is wanted"

    def _checked(self, value: object) -> object:
        if self.optional and isinstance(value, list):
            value = value[0] if value else None
        if self.want == "string" and not isinstance(value, str):
            raise ExpressionError(self.source, f"{type(value).__name__}, and a text is wanted")
        if self.want == "list" and not isinstance(value, list):
            raise ExpressionError(self.source, f"{type(value).__name__}, and a list is wanted")
        return value


def _is_optional(kind: engine.Type) -> bool:
    return bool(kind.name().startswith("optional_type"))


def _shown_fields(read: Uses) -> dict[str, frozenset[str] | None]:
    return {cel_text.shown(name): fields for name, fields in read.fields.items()}


_WANTED = {"bool": "BOOL", "string": "STRING", "list": "LIST"}
_SAID = {"bool": "true or false", "string": "a text", "list": "a list"}


def _refuse_type(kind: engine.Type, want: Want, spot: Spot) -> None:
    name = str(kind.name())
    if want == "any" or name == "DYN" or name.split("<", maxsplit=1)[0] == _WANTED[want]:
        return
    hint = {
        "bool": "compare it: ... == ..., or ask has(...) of a field of args",
        "string": "convert it: string(...)",
        "list": "put it in brackets: [...]",
    }[want]
    if _is_optional(kind):
        hint = "an optional (.?) becomes a value by .orValue(...)"
    raise FileError(
        Issue(spot.inside(0), f"this is {name.lower()}, and {_SAID[want]} is wanted", hint)
    )


def _refuse_traps(read: Uses, spot: Spot) -> None:
    if read.optional_inside is not None:
        what = "a list or map with an optional in it"
        hint = "write [?x] or {?'key': x}, which leave it out when it is absent; or .orValue(...)"
        raise FileError(Issue(spot.inside(read.optional_inside), what, hint))
    for pattern, offset in read.patterns:
        try:
            pattern_of(pattern)
        except ValueError as error:
            what = f"not a regular expression of RE2: {error}"
            raise FileError(Issue(spot.inside(offset), what, "RE2 has no lookaround")) from None


def _why(error: str, missing: Mapping[str, str]) -> str:
    """The engine's message in our names, and why a name had no value."""
    text = cel_text.shown(error.partition(": ")[2] or error)
    reasons = [f"{name}: {why}" for name, why in missing.items() if f'"{name}"' in text]
    return "; ".join((text, *reasons))

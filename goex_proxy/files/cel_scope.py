"""Names bound to values for one decision or one rendering.

A value is looked up and converted when the first expression that reads it is evaluated; of a
map that expressions read by field, only these fields. One engine activation for each language
in it, made anew only when an expression reads more than those before it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from cel_expr_python import cel as engine  # type: ignore[import-untyped]  # ships none

from goex_proxy.core.expression import Expression, ExpressionError
from goex_proxy.files.cel_functions import Function
from goex_proxy.files.cel_values import Sealed, Unfit, plain

type Fields = frozenset[str] | None


class Vocabulary(Protocol):
    """What a scope needs to know of the language of an expression."""

    @property
    def env(self) -> engine.Env: ...
    @property
    def hidden(self) -> Mapping[str, str]:
        """The engine's name of each name."""

    @property
    def cheap(self) -> Mapping[str, Fields]:
        """What is bound together, before any expression asks for it."""

    @property
    def ready(self) -> Mapping[str, object]:
        """Constants as the engine takes them."""

    @property
    def constants(self) -> Mapping[str, object]: ...
    @property
    def lets(self) -> Mapping[str, Expression]: ...


class Reading(Protocol):
    """An expression, by what it reads."""

    @property
    def cel(self) -> Vocabulary: ...
    @property
    def fields(self) -> Mapping[str, Fields]: ...


@dataclass(slots=True, eq=False)
class _Bound:
    """What one language has bound so far."""

    have: dict[str, Fields] = field(default_factory=dict)
    values: dict[str, object] = field(default_factory=dict)
    """By the engine's names."""
    missing: dict[str, str] = field(default_factory=dict)
    """Names without a value, and why."""
    activation: engine.Activation | None = None


class CelScope:
    """Opaque to everybody but `CelExpression`. Never kept beyond its decision: an activation
    that is evaluated again and again does not give its memory back."""

    __slots__ = ("_bound", "_sealed", "_values")

    def __init__(self, values: Mapping[str, object], *, exact: bool = False) -> None:
        self._values = values
        self._sealed = Sealed() if exact else None
        self._bound: dict[Vocabulary, _Bound] = {}

    def bind(self, expression: Reading) -> tuple[engine.Activation, Mapping[str, str]]:
        """An activation with everything that the expression reads, and what is missing."""
        bound = self._bound.get(expression.cel)
        if bound is None:
            bound = self._bound[expression.cel] = self._begin(expression.cel)
        have = bound.have
        grown = False
        for name, fields in expression.fields.items():
            if name not in have or not _covers(have[name], fields):
                self._add(expression.cel, bound, name, fields)
                grown = True
        if grown or bound.activation is None:
            bound.activation = expression.cel.env.Activation(bound.values)
        return bound.activation, bound.missing

    def _begin(self, cel: Vocabulary) -> _Bound:
        """Bind together what is at hand and other expressions will read too: an activation for
        each expression costs more than the values."""
        bound = _Bound()
        ready, hidden, values = cel.ready, cel.hidden, self._values
        for name, fields in cel.cheap.items():
            if name in ready:
                bound.have[name], bound.values[hidden[name]] = None, ready[name]
                continue
            try:
                value = values[name] if fields is None and self._sealed is None else None
            except (KeyError, ExpressionError):
                value = None  # `_add` notes why
            if type(value) is str and value.isascii() and "\0" not in value:
                bound.have[name], bound.values[hidden[name]] = None, value
            else:
                self._add(cel, bound, name, fields)
        return bound

    def _add(self, cel: Vocabulary, bound: _Bound, name: str, fields: Fields) -> None:
        hidden, have = cel.hidden[name], bound.have
        if name in have:
            known = have[name]
            fields = None if fields is None or known is None else fields | known
            # A part that was bound before must not pass for the whole when the whole is unfit.
            bound.values.pop(hidden, None)
        have[name] = fields
        try:
            bound.values[hidden] = self._value(cel, name, fields)
        except KeyError:
            bound.missing[name] = "it has no value here"
        except (Unfit, ExpressionError) as error:
            bound.missing[name] = str(error)

    def _value(self, cel: Vocabulary, name: str, fields: Fields) -> object:
        if name in cel.ready:
            return cel.ready[name]
        if name in cel.lets:
            value = cel.lets[name].evaluate(self)
        else:
            value = cel.constants[name] if name in cel.constants else self._values[name]
        if fields is not None and isinstance(value, Mapping):
            value = {key: value[key] for key in fields if key in value}
        return self._given(value)

    def _given(self, value: object) -> object:
        return plain(value) if self._sealed is None else self._sealed.seal(value)

    def call(self, function: Function, args: tuple[object, ...]) -> object:
        """Run a function on the values that the arguments stand for."""
        if self._sealed is not None:
            args = tuple(map(self._sealed.unseal, args))
        placed = (self._values,) if function.placed else ()
        return self._given(function.impl(*placed, *args))

    def take(self, result: engine.Value) -> object:
        """A result as a Python value. Raises ValueError on an error, TypeError on an optional."""
        value = _taken(result)
        return value if self._sealed is None else self._sealed.unseal(value)


def _covers(have: Fields, wanted: Fields) -> bool:
    return have is None or (wanted is not None and wanted <= have)


def _taken(result: engine.Value) -> object:
    """Item by item: the engine's own conversion ends the process at an optional in a list."""
    try:
        value = result.value()
    except TypeError:
        raise ValueError("an optional inside a value: write .orValue(...)") from None
    if isinstance(value, str) and result.type() == engine.Type.ERROR:
        raise ValueError(value)
    if isinstance(value, dict):
        return {_key(key): _taken(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_taken(item) for item in value]
    if isinstance(value, bytearray):
        return bytes(value)
    if isinstance(value, engine.Type):
        raise TypeError("a type is no value")
    return value


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a key is a text, not {type(key).__name__}")
    return key

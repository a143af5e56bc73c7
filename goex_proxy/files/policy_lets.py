"""The names that a policy file makes itself: `lists:` (constants) and `let:` (expressions)."""

import re
from collections.abc import Mapping

from goex_proxy.files.cel import Cel, CelType
from goex_proxy.files.cel_functions import POLICY_FUNCTIONS
from goex_proxy.files.form import Form
from goex_proxy.files.issue import FileError, Issue
from goex_proxy.files.node import Plain, Scalar
from goex_proxy.files.policy_names import AT_HAND, FACTS

_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_LET = re.compile(r"\blet\.([A-Za-z_][A-Za-z0-9_]*)")


def language(form: Form, lists: Mapping[str, Plain]) -> Cel:
    """CEL with the facts, the file's lists (or those given instead) and its lets."""
    constants = _constants(form, lists)
    types = {name: _type(value) for name, value in constants.items()}
    texts = _texts(form)
    cel = _base({**FACTS, **types}, constants)
    for name in _ordered(form, texts):
        try:
            let = cel.compile(texts[name].text, "any", texts[name])
            if let.optional:
                what, hint = f"let.{name} may come to nothing", "end it with .orValue(...)"
                raise FileError(Issue(texts[name].at, what, hint))
            cel = cel.with_let(f"let.{name}", let)
        except FileError as error:
            form.issues.extend(error.issues)
            # Declared all the same: one mistake is one message.
            cel = _base({**cel.declarations, f"let.{name}": CelType.DYN}, constants, cel)
    return cel


def _base(types: Mapping[str, str], constants: Mapping[str, object], old: Cel | None = None) -> Cel:
    lets = old.lets if old else None
    return Cel(types, POLICY_FUNCTIONS, constants=constants, lets=lets, at_hand=AT_HAND)


def _constants(form: Form, lists: Mapping[str, Plain]) -> dict[str, Plain]:
    found: dict[str, Plain] = {}
    own = form.form("lists")
    for name, node in own.fields.items() if own else ():
        if not _NAME.fullmatch(name):
            hint = "small letters, digits and _"
            form.issues.add(own.place(name) if own else form.at, f"a list named {name!r}", hint)
            continue
        value = node.plain()
        if value is None:
            form.issues.add(node.at, f"the list {name!r} has no value", "write [] if it is empty")
            continue
        found[f"lists.{name}"] = _replaced(form, name, value, lists)
    return found


def _replaced(form: Form, name: str, value: Plain, lists: Mapping[str, Plain]) -> Plain:
    """The value that goex.yaml gives instead, if it is of the same type."""
    given = lists.get(name, value)
    if _type(given) != _type(value) and given != [] and value != []:
        what = f"goex.yaml gives the list {name!r} as {_type(given)}, and here it is {_type(value)}"
        form.issues.add(form.place("lists"), what)
    return given


def _type(value: Plain) -> str:
    match value:
        case bool():
            return "bool"
        case int():
            return "int"
        case float():
            return "double"
        case str():
            return "string"
        case list():
            kinds = {_type(item) for item in value}
            only = kinds.pop() if len(kinds) == 1 else "dyn"
            return f"list<{only if only in ('string', 'int', 'double', 'bool') else 'dyn'}>"
        case dict():
            return "map<string, dyn>"
        case None:
            return "dyn"


def _texts(form: Form) -> dict[str, Scalar]:
    found: dict[str, Scalar] = {}
    lets = form.form("let")
    for name, node in lets.fields.items() if lets else ():
        if not _NAME.fullmatch(name):
            form.issues.add(node.at, f"let: the name {name!r}", "small letters, digits and _")
        elif isinstance(node, Scalar) and node.value is not None:
            found[name] = node
        else:
            form.issues.add(node.at, f"let.{name}: an expression is wanted")
    return found


def _ordered(form: Form, texts: Mapping[str, Scalar]) -> list[str]:
    """Those that others read first; a circle is noted and left out."""
    done: list[str] = []
    broken: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in done or name in broken:
            return
        if name in path:
            circle = " -> ".join((*path[path.index(name) :], name))
            form.issues.add(texts[name].at, f"let: a circle: {circle}", "name a part of it anew")
            broken.update(path[path.index(name) :])
            return
        for other in _LET.findall(texts[name].text):
            if other in texts:
                visit(other, (*path, name))
        if name not in broken:
            done.append(name)

    for name in texts:
        visit(name, ())
    return done

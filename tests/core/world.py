# ruff: noqa: ANN401 - what a factory is given goes to the type that it makes
"""A small world for the tests of the core: an engine of expressions, decoders, factories.

The expressions are Python, read by a second implementation of the core's protocols; every
factory has full defaults, so that a test names only what it is about.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from types import CodeType
from typing import Any
from urllib.parse import parse_qsl, urlencode

from goex_proxy.core import exact
from goex_proxy.core.admission import arrive
from goex_proxy.core.book import Book, Limits
from goex_proxy.core.call import Call, Caller
from goex_proxy.core.catalog import Catalog, Classified, Once
from goex_proxy.core.decision import Auth, Decision, Effect, Posture
from goex_proxy.core.decoded import BodyState, Decoded
from goex_proxy.core.entry import Entry, fold
from goex_proxy.core.event import Admitted, Answered, Event, Opened, RuleText, Sent
from goex_proxy.core.exchange import Headers, Origin, Request, Response
from goex_proxy.core.expression import ExpressionError, Scope
from goex_proxy.core.image import Image
from goex_proxy.core.operation import Fidelity, Match, Operation
from goex_proxy.core.path import parse
from goex_proxy.core.policy import Rule, Ruleset
from goex_proxy.core.resource import Form, Instance, Resource, Use
from goex_proxy.core.service import Service
from goex_proxy.core.step import StepTemplate, Text
from goex_proxy.core.subject import Subject
from goex_proxy.core.subjects import subject_now
from goex_proxy.core.template import parse_template
from goex_proxy.core.value import Json

_HELP: dict[str, object] = {
    "__builtins__": {},
    "len": len,
    "str": str,
    "isinstance": isinstance,
    "dict": dict,
    "list": list,
}


class Bound:
    """Names of one evaluation; a value is looked up only if it is read."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self.values = values

    def __getitem__(self, name: str) -> object:
        return self.values[name]


@cache
def compiled(source: str) -> CodeType:
    return compile(source, "rule", "eval")


@dataclass(frozen=True)
class Py:
    """An expression in Python: `args["title"]`. Evaluates to a value or raises."""

    source: str

    @property
    def names(self) -> frozenset[str]:
        return frozenset(compiled(self.source).co_names)

    def evaluate(self, scope: Scope) -> object:
        assert isinstance(scope, Bound)
        try:
            return eval(compiled(self.source), dict(_HELP), scope)  # type: ignore[arg-type]
        except Exception as error:
            raise ExpressionError(self.source, f"{type(error).__name__}: {error}") from None


class Python:
    """The language of `Py`."""

    def scope(self, values: Mapping[str, object]) -> Scope:
        return Bound(values)


PYTHON = Python()


def text(source: str) -> Text:
    """A template that is one expression: `${source}`."""
    return Text((Py(source),))


def decode(request: Request, codec: str | None = None) -> Decoded:
    """JSON and forms, and the query's fields under the body's."""
    query = dict(parse_qsl(request.query))
    body = decode_body(request.body, request.headers.get("content-type"))
    return replace(body, args={**query, **body.args}, query=query)


def as_decoded(decoded: Decoded) -> Once:
    """What `Classified` holds, of a body that was decoded to this."""
    return Once(a_request(), lambda request, codec: decoded)


def decode_answer(response: Response, codec: str | None = None) -> Decoded:
    return decode_body(response.body, response.headers.get("content-type") or "application/json")


def decode_body(body: bytes | None, kind: str) -> Decoded:
    if body is None:
        return Decoded(state=BodyState.TOO_LARGE, why="it is streamed past")
    if not body:
        return Decoded()
    if kind == "application/x-www-form-urlencoded":
        form = dict(parse_qsl(body.decode()))
        return Decoded(state=BodyState.PARSED, value=form, args=form)
    if kind != "application/json":
        return Decoded(state=BodyState.UNSUPPORTED, why=kind)
    try:
        value = exact.loads(body)
    except ValueError as error:
        return Decoded(state=BodyState.INVALID, why=str(error))
    return Decoded(
        state=BodyState.PARSED, value=value, args=value if isinstance(value, dict) else {}
    )


def encode(codec: str, args: object) -> tuple[bytes, str]:
    """The one codec there is: `shout`."""
    if codec != "shout":
        raise ValueError(f"there is no codec {codec}")
    return str(args).upper().encode(), "text/shout"


ORIGIN = Origin(scheme="https", host="api.example", port=443)
AT = "2026-11-21T10:00:00.000000Z"


def a_request(
    method: str = "GET", target: str = "/notes/1", json: object = None, **more: Any
) -> Request:
    """A request to `api.example`; with `json`, or `form`, as its body."""
    fields = {"method": method, "target": target, "origin": ORIGIN, **more}
    form = fields.pop("form", None)
    made = Request(**fields)
    if json is not None:
        return made.with_body(exact.dumps(json), "application/json")
    if form is not None:
        return made.with_body(urlencode(form).encode(), "application/x-www-form-urlencoded")
    return made


def an_answer(json: object = None, status: int = 200, **more: Any) -> Response:
    body = b"" if json is None else exact.dumps(json)
    fields = Headers((("Content-Type", "application/json"),)) if json is not None else Headers()
    return Response(**{"status": status, "headers": fields, "body": body, **more})


def bytes_answer(body: bytes, **headers: str) -> Response:
    pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Response(status=200, headers=Headers(pairs), body=body)


GONE = Response(status=404)


def a_call(request: Request | None = None, **more: Any) -> Call:
    """The agent's call, with our credential."""
    fields = {
        "request": request or a_request(),
        "caller": Caller(agent="bot", session="s1", started=AT),
        "auth": Auth.OURS,
        "credential": "c1",
        "credential_name": "example",
        "at": AT,
    }
    return Call(**{**fields, **more})


def a_step(method: str, path: str, **more: Any) -> StepTemplate:
    return StepTemplate(method=method, path=parse_template(path), **more)


def a_resource(name: str = "note", at: str = "/notes/{id}", **more: Any) -> Resource:
    template = parse_template(at)
    fields = {
        "name": name,
        "read": StepTemplate(method="GET", path=template),
        "at": template,
        "keys": template.params,
        "volatile": frozenset({"updated"}),
    }
    return Resource(**{**fields, **more})


def a_use(resource: Resource | None = None, name: str = "", **more: Any) -> Use:
    return Use(name=name, resource=resource or a_resource(), **more)


def an_operation(name: str, match: str, **more: Any) -> Operation:
    """`PATCH /notes/{id}`; exact unless something else is said, its text its own name."""
    method, _, path = match.rpartition(" ")
    when = more.pop("when", None)
    fidelity = more.setdefault("fidelity", Fidelity.EXACT)
    matched = Match(
        template=parse_template(path),
        methods=frozenset({method}) if method else frozenset(),
        when=when,
    )
    fields = {
        "name": name,
        "match": matched,
        "promise": fidelity if isinstance(fidelity, Fidelity) else Fidelity.NONE,
        "text": name,
        "digest": name,
    }
    return Operation(**{**fields, **more})


def a_service(*operations: Operation, **more: Any) -> Service:
    fields = {
        "name": "example",
        "hosts": ("api.example",),
        "language": PYTHON,
        "operations": operations,
    }
    return Service(**{**fields, **more})


def a_rule(effect: Effect, *operations: str, **more: Any) -> Rule:
    fields = {
        "id": f"team/{effect}",
        "effect": effect,
        "operations": operations or ("*",),
        "reason": ("because",),
    }
    return Rule(**{**fields, **more})


class Library:
    """Rules of their day by their text, as the journal would give them back."""

    def __init__(self, services: Sequence[Service]) -> None:
        self._services = services

    def __call__(self, rule: RuleText) -> tuple[Service, Operation]:
        for service in self._services:
            for operation in service.operations:
                if operation.text == rule.text:
                    return service, operation
        raise ValueError(f"nobody knows {rule.text!r}")


def a_book(*services: Service, rules: Sequence[Rule] = (), **more: Any) -> Book:
    """The rules in force; `day` are the services as they were when entries were made."""
    day = more.pop("day", services)
    fields = {
        "catalog": Catalog(services),
        "rules": Ruleset(language=PYTHON, rules=tuple(rules)),
        "decode": decode,
        "decode_answer": decode_answer,
        "encode": encode,
        "recall": Library(day),
        "posture": Posture.BALANCED,
        "limits": Limits(),
    }
    return Book(**{**fields, **more})


def classified(call: Call, book: Book) -> Classified:
    return book.catalog.classify(call.request, book.decode)


def a_subject(call: Call, book: Book) -> Subject:
    found = subject_now(call, classified(call, book), book)
    assert found is not None
    return found


def a_rule_text(operation: Operation, service: str = "example") -> RuleText:
    return RuleText(
        name=f"{service}.{operation.name}", text=operation.text, digest=operation.digest
    )


def an_image(value: object, use: str = "", resource: str = "note", **params: str) -> Image:
    """An image of JSON, a set if it is a list, or bytes; None: there is no such thing."""
    instance = Instance(use=use, resource=resource, params=params or {"id": "1"})
    if value is None:
        return Image(instance=instance, present=False)
    if isinstance(value, bytes):
        return Image(instance=instance, form=Form.BYTES, body=value)
    form = Form.SET if isinstance(value, list) else Form.JSON
    return Image(instance=instance, form=form, body=exact.dumps(value))


def a_decision(
    effect: Effect = Effect.ALLOW, rule: str = "posture:balanced", reason: str = "fine"
) -> Decision:
    return Decision(effect=effect, rule=rule, reason=reason)


def opened(call: Call, book: Book, **more: Any) -> Opened:
    return replace(arrive(call, book).opened, **more)


def admitted(call: Call, book: Book) -> Entry:
    return fold((opened(call, book), Admitted(decision=a_decision())), 1)


def sent(call: Call, book: Book, operation: Operation | None, *before: Image) -> Entry:
    """An entry whose request has left."""
    rule = a_rule_text(operation) if operation is not None else None
    event = Sent(decision=a_decision(), rule=rule, images=before)
    return fold((opened(call, book), Admitted(decision=a_decision()), event), 1)


def answered(entry: Entry, response: Response) -> Entry:
    return then(entry, Answered(response=response))


def then(entry: Entry, *events: Event) -> Entry:
    """The entry after more events."""
    from goex_proxy.core.entry import apply

    for event in events:
        entry = apply(entry, event)
    return entry


def params(path: str, template: str) -> dict[str, str] | None:
    return parse_template(template).match(parse(path))


type Maker = Callable[..., object]
type Body = Json


def fold_of(*events: Event, number: int = 1) -> Entry:
    return fold(events, number)

"""Tests of policies (formats.md, section 1): `NAME_test.yaml` -> cases to decide and compare.

It reads; `goex policy test` decides. Budgets, and requests taken from a journal, come later:
a test that speaks of them is refused, never silently passed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from goex_proxy.core.decision import Auth, Effect, Posture
from goex_proxy.core.exchange import Headers, Origin, Request
from goex_proxy.core.operation import Fidelity, Kind, Proof
from goex_proxy.files import yamltext
from goex_proxy.files.form import Form, form_of
from goex_proxy.files.issue import At, Issues
from goex_proxy.files.node import Fields, Node, Plain, Scalar

EFFECTS = {"allow": Effect.ALLOW, "hold": Effect.HOLD, "deny": Effect.DENY}
_FILE_KEYS = ("version", "policies", "given", "tests")
_GIVEN_KEYS = ("now", "agent", "session", "posture", "auth", "credential", "undo", "operation")
_CASE_KEYS = ("name", "given", "request", "expect", "steps")
_REQUEST_KEYS = ("method", "url", "headers", "json", "form", "body", "file")
_OPERATION_KEYS = (
    *("name", "kind", "fidelity", "residue", "outside", "proved", "recipients", "forced"),
)
NOTHING = Request(
    method="GET", origin=Origin(scheme="https", host="nowhere.invalid", port=443), target="/"
)
"""Stands where a request could not be read."""
_NOW = "2026-01-01T12:00:00+00:00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What holds of a case beside its request."""

    now: str = _NOW
    """RFC 3339."""
    agent: str = "agent"
    session: str = "test"
    posture: Posture = Posture.BALANCED
    auth: Auth = Auth.OURS
    credential: str = "test"
    undo: bool = False
    operation: Mapping[str, object] = field(default_factory=dict)
    """Facts of the operation that stand instead of those of the reverser file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expect:
    """What must come out; None: anything."""

    effect: Effect
    rule: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    request: Request
    expect: Expect
    after: float = 0.0
    """Seconds since the step before."""
    at: At


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    name: str
    given: Given
    steps: tuple[Step, ...]
    at: At


@dataclass(frozen=True, slots=True, kw_only=True)
class TestFile:
    """One file. `policies` are as in goex.yaml, relative to the file's folder."""

    __test__ = False  # not a test of pytest's

    path: Path
    policies: tuple[str, ...]
    cases: tuple[Case, ...]


def load(path: Path) -> TestFile:
    """Raises `FileError` with everything that is wrong. Bodies of `file:` are read here."""
    issues = Issues()
    form = form_of(yamltext.read(path), issues)
    form.version()
    form.only(_FILE_KEYS)
    given = _given(form, Given())
    names = tuple(item.text for item in form.texts("policies"))
    if not names:
        issues.add(form.at, "no policy is named", "policies: [team.yaml]")
    cases = tuple(_case(one, given, path.parent) for one in form.forms("tests"))
    if not cases:
        issues.add(
            form.at, "there are no tests", "tests: [{name: ..., request: ..., expect: deny}]"
        )
    issues.refuse()
    return TestFile(path=path, policies=names, cases=cases)


def _case(form: Form, given: Given, base: Path) -> Case:
    form.only(_CASE_KEYS)
    name = form.text("name")
    if name is None and not form.has("name"):
        form.issues.add(form.at, "a test without a name", "name: what must hold, in words")
    if form.has("steps") and form.has("request"):
        what = "a test has a request or steps"
        form.issues.add(form.place("steps"), what, "move the request into the steps")
    forms = list(form.forms("steps")) if form.has("steps") else [form]
    steps = tuple(_step(one, base, alone=one is form) for one in forms)
    return Case(name=name.text if name else "", given=_given(form, given), steps=steps, at=form.at)


def _step(form: Form, base: Path, *, alone: bool) -> Step:
    if not alone:
        form.only(("request", "expect", "after"))
    after = 0.0 if alone else form.duration("after") or 0.0
    return Step(request=_request(form, base), expect=_expect(form), after=after, at=form.at)


def _given(form: Form, default: Given) -> Given:
    inner = form.form("given")
    if inner is None:
        return default
    inner.only(_GIVEN_KEYS, ("used",))
    operation = inner.form("operation")
    return Given(
        now=_moment(inner, default.now),
        agent=_word(inner, "agent", default.agent),
        session=_word(inner, "session", default.session),
        posture=Posture(inner.choice("posture", tuple(Posture), default.posture)),
        auth=Auth(inner.choice("auth", tuple(Auth), default.auth)),
        credential=_word(inner, "credential", default.credential),
        undo=inner.flag("undo", default.undo),
        operation=_operation(operation) if operation else default.operation,
    )


def _word(form: Form, name: str, default: str) -> str:
    node = form.text(name)
    return node.text if node is not None else default


def _moment(form: Form, default: str) -> str:
    node = form.text("now")
    if node is None:
        return default
    try:
        moment = datetime.fromisoformat(node.text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        form.issues.add(node.at, f"now: {node.text!r} is no time", "such as 2026-01-01T12:00:00Z")
        return default
    return moment.isoformat()


def _operation(form: Form) -> Mapping[str, object]:
    """Checked as far as a value of another type would change what is tested."""
    form.only(_OPERATION_KEYS)
    name = _word(form, "name", "")
    if "." not in name:
        form.issues.add(form.at, "operation: no name", "name: service.operation")
    return {
        "name": name,
        "kind": Kind(form.choice("kind", tuple(Kind), Kind.WRITE)),
        "fidelity": Fidelity(form.choice("fidelity", tuple(Fidelity), Fidelity.NONE)),
        "proved": Proof(form.choice("proved", tuple(Proof), Proof.NONE)),
        "residue": tuple(item.text for item in form.texts("residue")),
        "outside": form.flag("outside"),
        "recipients": [item.text for item in form.texts("recipients")],
        "forced": form.choice("forced", ("yes", "no", "unknown", ""), ""),
    }


def _expect(form: Form) -> Expect:
    node = form.node("expect")
    if isinstance(node, Fields):
        inner = Form(node, form.issues)
        inner.only(("effect", "rule", "reason"))
        effect = inner.choice("effect", tuple(EFFECTS), "")
        rule, reason = inner.text("rule"), inner.text("reason")
        if not effect and not inner.has("effect"):
            form.issues.add(node.at, "expect: no effect", "effect: allow, hold or deny")
        return Expect(
            effect=EFFECTS.get(effect, Effect.DENY),
            rule=rule.text if rule else None,
            reason=reason.text if reason else None,
        )
    if node is None:
        form.issues.add(form.at, "nothing is expected", "expect: allow, hold or deny")
    return Expect(effect=EFFECTS.get(form.choice("expect", tuple(EFFECTS), ""), Effect.DENY))


def _request(form: Form, base: Path) -> Request:
    inner = form.form("request")
    if inner is None:
        form.issues.add(
            form.at, "no request", "request: {method: POST, url: https://..., json: {}}"
        )
        return NOTHING
    inner.only(_REQUEST_KEYS, ("entry",))
    kind, body = _body(inner, base)
    fields = [(name, value.text) for name, value in _texts(inner.form("headers"))]
    if kind and not any(name.lower() == "content-type" for name, _ in fields):
        fields.append(("Content-Type", kind))
    method, url = _word(inner, "method", ""), inner.text("url")
    if not method or url is None:
        form.issues.add(inner.at, "a request has a method and a url", "method: POST")
        return NOTHING
    try:
        return request_of(method, url.text, Headers(tuple(fields)), body)
    except ValueError as error:
        form.issues.add(url.at, f"url: {error}", "such as https://api.github.com/user")
        return NOTHING


def request_of(method: str, url: str, headers: Headers, body: bytes) -> Request:
    """A request to a URL as a person writes it. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is no URL")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    query = f"?{parts.query}" if parts.query else ""
    return Request(
        method=method.upper(),
        origin=Origin(scheme=parts.scheme, host=parts.hostname, port=port),
        target=f"{parts.path or '/'}{query}",
        headers=headers,
        body=body,
    )


def _texts(form: Form | None) -> list[tuple[str, Scalar]]:
    if form is None:
        return []
    return [(name, node) for name in form.fields if (node := form.text(name)) is not None]


def _body(form: Form, base: Path) -> tuple[str, bytes]:
    """Content type and bytes of the one way in which a body is written."""
    ways = [name for name in ("json", "form", "body", "file") if form.has(name)]
    if len(ways) > 1:
        form.issues.add(form.place(ways[1]), f"{ways[0]} and {ways[1]}", "write the body once")
    node = form.node(ways[0]) if ways else None
    if node is None:
        return "", b""
    match ways[0]:
        case "json":
            return "application/json", json.dumps(node.plain()).encode()
        case "form":
            return "application/x-www-form-urlencoded", _form(form, node)
        case "file":
            return "", _file(form, base)
        case _:
            text = form.text("body")
            return "", text.text.encode() if text else b""


def _form(form: Form, node: Node) -> bytes:
    value: Plain = node.plain()
    if not isinstance(value, dict):
        form.wrong("form", "a map")
        return b""
    return urlencode(
        {k: v if isinstance(v, str) else json.dumps(v) for k, v in value.items()}
    ).encode()


def _file(form: Form, base: Path) -> bytes:
    node = form.text("file")
    path = base / node.text if node else None
    if path is None or not path.is_file():
        form.issues.add(
            form.place("file"), f"there is no file {path}", "it is relative to this file"
        )
        return b""
    return path.read_bytes()

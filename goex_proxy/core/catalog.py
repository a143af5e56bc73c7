"""Which operation a request is: by the service's file first, by RFC 9110 else.

Classification looks at method, path, and what the decoders made of the body. What it
cannot place is `unregistered`: it may change something, and nothing can undo it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from goex_proxy.core import host
from goex_proxy.core.decoded import BodyState, Decoded
from goex_proxy.core.exchange import Origin, Request
from goex_proxy.core.expression import ExpressionError
from goex_proxy.core.operation import Fidelity, Kind, Operation
from goex_proxy.core.path import Path, parse
from goex_proxy.core.resource import Form
from goex_proxy.core.service import NamedRead, Service

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT", "SEARCH"})
"""Methods that IANA's registry calls safe; QUERY too is, but no client sends it yet. Not TRACE:
its answer shows the request as the service got it, credential included."""

OVERRIDES = ("x-http-method-override", "x-http-method", "x-method-override", "x-original-method")
REWRITES = ("x-original-url", "x-rewrite-url")
"""Fields that old IIS, Symfony and Zend take for the path."""

type Decoder = Callable[[Request, str | None], Decoded]


class Unreadable(ValueError):
    """A request that two readers could take for two different ones: refused."""


class Once:
    """A request's body, decoded by its content type or a codec when somebody first asks."""

    def __init__(self, request: Request, decode: Decoder, codec: str | None = None) -> None:
        self._request = request
        self._decode = decode
        self._codec = codec

    @cached_property
    def decoded(self) -> Decoded:
        return self._decode(self._request, self._codec)

    @cached_property
    def query(self) -> Mapping[str, object]:
        """The query's fields alone."""
        if "?" not in self._request.target:
            return {}
        return self._decode(replace(self._request, body=b""), None).args


@dataclass(frozen=True, slots=True, kw_only=True)
class Classified:
    """What a request was found to be."""

    request: Request
    path: Path
    once: Once = field(repr=False, compare=False)
    service: Service | None = None
    operation: Operation | None = None
    read: NamedRead | None = None
    kind: Kind = Kind.UNKNOWN
    params: Mapping[str, str] = field(default_factory=dict)
    doubt: str = ""
    """Why its operation cannot be told: a rule asks for a body that was not read; '' if it can."""

    @property
    def decoded(self) -> Decoded:
        return self.once.decoded

    @property
    def registered(self) -> bool:
        """Whether a file speaks for it: for a plain read, that its service has one."""
        if self.operation is not None or self.read is not None:
            return True
        return self.kind is Kind.READ and self.service is not None

    @property
    def name(self) -> str:
        """`github.issues/update`; `github.read`, `http.unregistered` where no rule speaks."""
        service = self.service.name if self.service else "http"
        if self.operation is not None:
            return f"{service}.{self.operation.name}"
        if self.read is not None:
            return f"{service}.{self.read.name}"
        return f"{service}.{'read' if self.kind is Kind.READ else 'unregistered'}"

    @property
    def promise(self) -> Fidelity:
        """The worst that an undo could come to; for a read there is nothing to undo."""
        if self.kind is Kind.READ:
            return Fidelity.EXACT
        return self.operation.promise if self.operation else Fidelity.NONE

    @property
    def unread(self) -> str:
        """Why the service may read other arguments than we do; '' if it may not.

        A body that is the content of a file is nobody's arguments.
        """
        operation = self.operation
        if operation is not None and any(u.resource.form is Form.BYTES for u in operation.images):
            return ""
        return _not_read(self.decoded)

    def names(self) -> dict[str, object]:
        """What expressions of a reverser file can read of the request."""
        names: dict[str, object] = {
            "args": dict(self.decoded.args),
            "body": self.decoded.value,
            "headers": self.request.headers.as_map(),
            "query": dict(self.decoded.query),
            "method": self.request.method,
            "origin": str(self.request.origin),
        }
        names.update({k: v for k, v in self.params.items() if k not in names})
        return names


@dataclass(frozen=True, slots=True)
class Catalog:
    """All services that have a file."""

    services: tuple[Service, ...] = ()

    def service(self, origin: Origin) -> Service | None:
        for service in self.services:
            if any(host.matches(pattern, origin) for pattern in service.hosts):
                return service
        return None

    def named(self, name: str) -> Service | None:
        return next((s for s in self.services if s.name == name), None)

    def classify(self, request: Request, decode: Decoder) -> Classified:
        """Raises `Unreadable` (what is wrong)."""
        try:
            path = parse(request.path)
        except ValueError as error:
            raise Unreadable(str(error)) from None
        _refuse_rewriting(request)
        return classify(self.service(request.origin), request, path, decode)


def classify(service: Service | None, request: Request, path: Path, decode: Decoder) -> Classified:
    """The operation of one service that a request is."""
    plain = Once(request, decode)
    candidates = service.candidates(request.method, path) if service else []
    if not _reads(service, request.method):
        inert = bool(candidates) and _is_plain_read(candidates[0][0])
        _refuse_override(plain.query if inert else plain.decoded.args, request.method)
    for item, params in candidates:
        codec = item.decode if isinstance(item, Operation) else None
        once = Once(request, decode, codec) if codec else plain
        found = _found(service, request, path, once, item, params)
        doubt = _doubt(found, item)
        if doubt:
            return Classified(request=request, path=path, once=once, service=service, doubt=doubt)
        if _holds(found, item):
            return found
    kind = Kind.READ if _reads(service, request.method) else Kind.UNKNOWN
    return Classified(request=request, path=path, once=plain, service=service, kind=kind)


def _refuse_override(args: Mapping[str, object], method: str) -> None:
    """Frameworks take a field for the method, of registered calls too (Rack, Symfony)."""
    if "_method" in args and str(args["_method"]).upper() != method:
        raise Unreadable("the method is overridden by the field _method")


def _refuse_rewriting(request: Request) -> None:
    """CGI and WSGI make one name of `X-A` and `X_A`, so the second spelling counts too."""
    for written, value in request.headers:
        name = written.lower().replace("_", "-")
        if name in OVERRIDES and value.strip().upper() != request.method:
            raise Unreadable(f"the method is overridden by {written}")
        if name in REWRITES and value.strip() != request.target:
            raise Unreadable(f"the path is overridden by {written}")


def _is_plain_read(item: NamedRead | Operation) -> bool:
    """A read by method and path alone, such as inference: nobody takes its body for a form,
    and it may be large."""
    return isinstance(item, NamedRead) and item.match.when is None


def _reads(service: Service | None, method: str) -> bool:
    return method in SAFE and (service is None or service.verbs)


def _found(
    service: Service | None,
    request: Request,
    path: Path,
    once: Once,
    item: NamedRead | Operation,
    params: Mapping[str, str],
) -> Classified:
    read, operation = (item, None) if isinstance(item, NamedRead) else (None, item)
    return Classified(
        request=request,
        path=path,
        once=once,
        service=service,
        operation=operation,
        read=read,
        kind=operation.kind if operation else Kind.READ,
        params=params,
    )


def _doubt(found: Classified, item: NamedRead | Operation) -> str:
    """Why a condition cannot be asked: it is about a body that was not read.

    Then the query alone would answer in place of the body, and `?query={viewer}` make a read of
    a mutation. A condition on path or headers is asked of a body of any size.
    """
    when = item.match.when
    return _not_read(found.decoded) if when is not None and when.names & _OF_BODY else ""


_OF_BODY = frozenset({"args", "body", "query"})


def _not_read(decoded: Decoded) -> str:
    if decoded.state not in (BodyState.ABSENT, BodyState.PARSED):
        return f"its body cannot be read: {decoded.why}"
    if decoded.clash:
        return f"query and body say different things: {', '.join(decoded.clash)[:100]}"
    return ""


def _holds(found: Classified, item: NamedRead | Operation) -> bool:
    """Whether the condition of a match holds; one that cannot be evaluated does not."""
    if item.match.when is None or found.service is None:
        return True
    try:
        return item.match.when.evaluate(found.service.language.scope(found.names())) is True
    except ExpressionError:
        return False

"""Events of the core as rows of the journal, and back.

What is personal (queries, bodies, headers, images, members of sets) goes into encrypted
blobs; what remains in the row is what `log` may show for ever. The shape of a row is that of
the event's dataclass, fields with their default value left out.

Stored rows never change: when an event class changes, its version in VERSIONS is raised and
`upcast` learns to bring the old shape to the new one.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeAliasType, Union, get_args, get_origin, get_type_hints

from goex_proxy.core import event as events
from goex_proxy.core import exact
from goex_proxy.core.call import Call
from goex_proxy.core.decision import Decision
from goex_proxy.core.event import Event, Opened
from goex_proxy.core.exchange import Headers, Origin, Request, Response
from goex_proxy.core.image import Touch
from goex_proxy.core.inverse import InverseStep
from goex_proxy.stores.rows import JSON, Blob, Row, StoredEvent

VERSIONS: dict[str, int] = {}
"""Event types whose version is not 1."""

_TYPES = {t.__name__: t for t in vars(events).values() if isinstance(t, type)}
_PERSONAL = frozenset(
    {
        (Touch, "values"),
        (Touch, "added"),
        (Touch, "removed"),
        (InverseStep, "member"),
        (Opened, "targets"),
        (Call, "credential_labels"),
    }
)
_SKIPPED = frozenset({(Decision, "hits")})
"""For `explain`, which decides anew; not part of what was decided."""

_HEAD = json.JSONEncoder(separators=(",", ":"))

type Blobs = dict[str, bytes]
type Packer = Callable[[Any, str, Blobs], JSON]
type Reader = Callable[[str], bytes | None]
"""A blob by its name; None if its key was destroyed."""


def to_row(event: Event) -> Row:
    """An event as the journal keeps it."""
    blobs: Blobs = {}
    packed = _pack(event, "", blobs)
    assert isinstance(packed, dict)  # noqa: S101 - an event is a dataclass
    actor = str(packed.pop("by", "goex"))
    name = type(event).__name__
    return Row(
        type=name,
        version=VERSIONS.get(name, 1),
        fields=packed,
        actor=actor,
        blobs=tuple(Blob(name=key, data=data) for key, data in blobs.items()),
    )


def from_stored(stored: StoredEvent, blob: Reader) -> Event:
    """The event of a row. What was shredded reads as empty. Raises ValueError."""
    kind = _TYPES.get(stored.type)
    if kind is None:
        raise ValueError(f"an event of the unknown type {stored.type}: a newer goex-proxy wrote it")
    try:
        event = _unpack(kind, {"by": stored.actor, **stored.fields}, blob)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"event {stored.seq} ({stored.type}) cannot be read: {error}") from None
    assert isinstance(event, Event)  # noqa: S101 - the table holds events only
    return event


def _pack(value: object, at: str, blobs: Blobs) -> JSON:
    kind: Any = type(value)  # mypy takes no type[object] for hashable
    return _packer(kind)(value, at, blobs)


@cache
def _packer(kind: Any) -> Packer:
    """How a value of this type is packed: found out once for each type."""
    for base, packer in _PACKERS:
        if issubclass(kind, base):
            return packer
    return _packer_of_fields(kind)


def _as_it_is(value: Any, at: str, blobs: Blobs) -> JSON:
    unchanged: JSON = value
    return unchanged


def _its_value(value: Any, at: str, blobs: Blobs) -> JSON:
    packed: JSON = value.value
    return packed


def _text(value: Any, at: str, blobs: Blobs) -> JSON:
    return str(value)


def _mapping(value: Any, at: str, blobs: Blobs) -> JSON:
    return {str(k): _pack(v, f"{at}.{k}", blobs) for k, v in value.items()}


def _sequence(value: Any, at: str, blobs: Blobs) -> JSON:
    return [_pack(item, f"{at}.{n}", blobs) for n, item in enumerate(value)]


def _packer_of_fields(kind: Any) -> Packer:
    """Of a dataclass: its fields, those with their default value left out."""
    parts = [(name, default, (kind, name) in _PERSONAL) for name, default in _defaults(kind)]

    def pack(value: Any, at: str, blobs: Blobs) -> JSON:
        out: dict[str, JSON] = {}
        for name, default, personal in parts:
            item = getattr(value, name)
            if item is default or (item == default and type(item) is type(default)):
                continue
            where = f"{at}.{name}" if at else name
            if personal:
                out[name] = _aside(exact.dumps(_plain(item)), where, blobs)
            else:
                out[name] = _pack(item, where, blobs)
        return out

    return pack


@cache
def _defaults(kind: Any) -> tuple[tuple[str, object], ...]:
    def default(field: Field[Any]) -> object:
        if field.default is not MISSING:
            return field.default
        return field.default_factory() if field.default_factory is not MISSING else MISSING

    return tuple((f.name, default(f)) for f in fields(kind) if (kind, f.name) not in _SKIPPED)


def _plain(value: object) -> object:
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    return value


def _aside(data: bytes, at: str, blobs: Blobs) -> JSON:
    blobs[at] = data
    return {"$": at}


def _message(
    head: dict[str, JSON], body: bytes | None, at: str, blobs: Blobs, prefix: bytes = b""
) -> str:
    head["streamed"] = body is None
    data = prefix if body is None else body
    blobs[at] = _HEAD.encode(head).encode() + b"\n" + data
    return at


def _request(request: Request, at: str, blobs: Blobs) -> JSON:
    origin = request.origin
    head: dict[str, JSON] = {
        "target": request.target,
        "headers": [[name, value] for name, value in request.headers],
    }
    return {
        "$": _message(head, request.body, at, blobs, request.prefix),
        "method": request.method,
        "origin": [origin.scheme, origin.host, origin.port],
    }


def _response(response: Response, at: str, blobs: Blobs) -> JSON:
    head: dict[str, JSON] = {
        "reason": response.reason,
        "headers": [[name, value] for name, value in response.headers],
    }
    return {
        "$": _message(head, response.body, at, blobs),
        "status": response.status,
        "scrubbed": response.scrubbed,
    }


_PACKERS: tuple[tuple[Any, Packer], ...] = (
    (NoneType, _as_it_is),
    (Enum, _its_value),
    (int, _as_it_is),
    (float, _as_it_is),
    (str, _text),
    (bytes, _aside),
    (Request, _request),
    (Response, _response),
    (Mapping, _mapping),
    (tuple, _sequence),
    (list, _sequence),
)


def _unpack(kind: Any, value: Any, blob: Reader) -> Any:
    if isinstance(kind, TypeAliasType):
        return _unpack(kind.__value__, value, blob)
    origin, args = get_origin(kind), get_args(kind)
    if origin in {Union, UnionType}:
        return None if value is None else _unpack(_some(args), value, blob)
    if kind is bytes:
        return blob(value["$"]) or b""
    if kind is Request:
        return _read_request(value, blob)
    if kind is Response:
        return _read_response(value, blob)
    if origin is tuple:
        return _tuple(args, value, blob)
    if origin in {Mapping, dict}:
        return {k: _unpack(args[1], v, blob) for k, v in value.items()}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    if isinstance(kind, type) and hasattr(kind, "__dataclass_fields__"):
        return _object(kind, value, blob)
    return value


def _some(args: tuple[Any, ...]) -> Any:
    """The one member of a union that is not None."""
    return next(arg for arg in args if arg is not type(None))


def _tuple(args: tuple[Any, ...], value: Any, blob: Reader) -> tuple[Any, ...]:
    kinds = [args[0]] * len(value) if args[-1] is Ellipsis else args
    return tuple(_unpack(kind, item, blob) for kind, item in zip(kinds, value, strict=True))


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _object(kind: type, value: Mapping[str, Any], blob: Reader) -> Any:
    hints = _hints(kind)
    unknown = value.keys() - hints.keys()
    if unknown:
        raise ValueError(f"{kind.__name__} has no field {min(unknown)}")
    out: dict[str, Any] = {}
    for name, item in value.items():
        if (kind, name) in _PERSONAL:
            data = blob(item["$"])
            if data is not None:
                out[name] = _unpack(hints[name], exact.loads(data), blob)
        else:
            out[name] = _unpack(hints[name], item, blob)
    return kind(**out)


def _read(value: Mapping[str, Any], blob: Reader) -> tuple[dict[str, Any], bytes]:
    data = blob(value["$"])
    if data is None:
        return {"target": "/", "headers": [], "reason": "", "streamed": False}, b""
    head, _, body = data.partition(b"\n")
    known: dict[str, Any] = json.loads(head)
    return known, body


def _read_request(value: Mapping[str, Any], blob: Reader) -> Request:
    head, body = _read(value, blob)
    scheme, host, port = value["origin"]
    return Request(
        method=value["method"],
        origin=Origin(scheme=scheme, host=host, port=port),
        target=head["target"],
        headers=Headers(tuple((n, v) for n, v in head["headers"])),
        body=None if head["streamed"] else body,
        prefix=body if head["streamed"] else b"",
    )


def _read_response(value: Mapping[str, Any], blob: Reader) -> Response:
    head, body = _read(value, blob)
    return Response(
        status=value["status"],
        headers=Headers(tuple((n, v) for n, v in head["headers"])),
        body=None if head["streamed"] else body,
        reason=head["reason"],
        scrubbed=value["scrubbed"],
    )

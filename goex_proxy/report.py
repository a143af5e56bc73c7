"""Entries as `log`, `show` and the console tell them: plain JSON values (a contract)."""

import base64
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from goex_proxy.core import exact
from goex_proxy.core.state import State
from goex_proxy.core.value import ABSENT, same
from goex_proxy.stores.rows import LogRow, StoredEvent

if TYPE_CHECKING:
    from goex_proxy.core.entry import Entry
    from goex_proxy.core.exchange import Headers, Request, Response
    from goex_proxy.core.image import Image

type Fields = dict[str, object]


def log_fields(row: LogRow) -> Fields:
    """One line of `log --json`."""
    c = row.columns
    out: Fields = {
        "id": f"e{row.id}",
        "session": c["session"],
        "agent": c["agent"],
        "time": row.opened,
        "service": c["service"],
        "operation": c["operation"],
        "method": c["method"],
        "url": f"{c['scheme']}://{c['host']}{c['path']}",
        "status": c["status"],
        "state": State(str(c["state"])).public,
        "fidelity": c["fidelity"],
        "residue": c["residue"] or [],
        "effect": c["effect"],
        "rule": c["rule"],
        "credential": c["credential"] or None,
        "auth": c["auth"],
        "reason": c["reason"] or None,
    }
    if c["undo_of"] is not None:
        out["undo_of"] = f"e{c['undo_of']}"
    if c["undone_by"] is not None:
        out["undone_by"] = f"e{c['undone_by']}"
    if c["redo_of"] is not None:
        out["redo_of"] = f"e{c['redo_of']}"
    if c["guarded"] is not None:
        out["guarded"] = bool(c["guarded"])
    return out


def show_fields(row: LogRow, entry: "Entry", events: list[StoredEvent]) -> Fields:
    """`show --json`: the whole entry. Placeholders only; what was shredded reads as empty."""
    inverse = entry.inverse
    decision = entry.decision
    return log_fields(row) | {
        "request": request_fields(entry.call.request),
        "response": response_fields(entry.response) if entry.response else None,
        "before": {_use(i): image_fields(i) for i in entry.before or entry.held_images or ()},
        "after": {_use(i): image_fields(i) for i in entry.after},
        "inverse": [request_fields(s.request) for s in inverse.steps] if inverse else None,
        "decision": {
            "effect": str(decision.effect),
            "rule": decision.rule,
            "reason": decision.reason,
        }
        if decision
        else None,
        "events": [
            {"seq": e.seq, "type": e.type, "time": e.at, "actor": e.actor, "hash": e.hash}
            for e in events
        ],
    }


def request_fields(request: "Request") -> Fields:
    return {
        "method": request.method,
        "url": request.url,
        "headers": header_fields(request.headers),
        "body": body_fields(request.body),
    }


def response_fields(response: "Response") -> Fields:
    return {
        "status": response.status,
        "headers": header_fields(response.headers),
        "body": body_fields(response.body),
    }


def header_fields(headers: "Headers") -> list[list[str]]:
    return [[name, value] for name, value in headers]


def body_fields(body: bytes | None) -> Mapping[str, str] | None:
    """`{encoding, data}`; None for a body that was streamed past."""
    if body is None:
        return None
    try:
        return {"encoding": "utf-8", "data": body.decode()}
    except UnicodeDecodeError:
        return {"encoding": "base64", "data": base64.b64encode(body).decode()}


def image_fields(image: "Image") -> Fields:
    return {
        "resource": image.instance.resource,
        "params": dict(image.instance.params),
        "present": image.present,
        "body": body_fields(image.body) if image.present else None,
    }


def _use(image: "Image") -> str:
    return image.instance.use or image.instance.resource


_DONE = (
    "applied",
    "partial",
    "undoing",
    "undone",
    "compensated",
    "conflict",
    "stuck",
    "kept",
    "expired",
)
"""States of a call that the service did."""


def compared(entry: "Entry") -> "Iterator[tuple[Image | None, Image]]":
    """What was there before a call, and what it left, of each thing that was read afterwards.

    That something is gone is an image too: one that was not taken proves nothing.
    """
    before = {i.instance.use: i for i in entry.before}
    for image in entry.after:
        yield before.get(image.instance.use), image


def unread(entry: "Entry") -> "list[Image]":
    """What was there before a call that was done, and was not read, or not readable, after it."""
    if entry.state.public not in _DONE or entry.call.is_undo:
        return []  # what an undo left stands in the entry that it undoes
    after = {i.instance.use for i in entry.after}
    return [i for i in entry.before if i.present and i.instance.use not in after]


def differences(entry: "Entry") -> list[Fields]:
    """What a call changed, field by field, as its images show it: none without an after-image."""
    return [
        {"resource": _use(new), "field": field, "before": was, "after": now}
        for old, new in compared(entry)
        for field, was, now in _changes(old, new)
    ]


def _changes(one: "Image | None", other: "Image") -> list[tuple[str, object, object]]:
    old, new = one.value if one is not None else ABSENT, other.value
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            (name, _text(old.get(name, ABSENT)), _text(new.get(name, ABSENT)))
            for name in {**old, **new}
            if not same(old.get(name, ABSENT), new.get(name, ABSENT))
        ]
    return [] if same(old, new) else [("", _text(old), _text(new))]


def _text(value: object) -> object:
    if value is ABSENT:
        return None
    if isinstance(value, bytes):
        return body_fields(value)
    return exact.dumps(value).decode()

"""Rows to append, for the tests of the journal."""

from collections.abc import Mapping

from goex_proxy.stores.rows import JSON, Append, Blob, Row


def row(type: str = "sent", blobs: Mapping[str, bytes] | None = None, **fields: JSON) -> Row:
    return Row(
        type=type,
        version=1,
        fields=fields,
        actor="agent:tess",
        blobs=tuple(Blob(name=name, data=data) for name, data in (blobs or {}).items()),
    )


def opening(*rows: Row, essential: bool = False, **index: JSON) -> Append:
    """A new entry."""
    index = {"state": "sent", "session": "s1", "service": "github", **index}
    return Append(entry=None, expected=0, rows=rows or (row(),), index=index, essential=essential)


def more(entry: int, expected: int, *rows: Row, essential: bool = False, **index: JSON) -> Append:
    """Further events of an entry."""
    return Append(
        entry=entry,
        expected=expected,
        rows=rows or (row("answered"),),
        index=index,
        essential=essential,
    )

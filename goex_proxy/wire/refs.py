"""git's ref advertisement, the answer to `GET .../info/refs?service=...` (gitprotocol-http).

Versions 0 and 1, which is what git-receive-pack speaks; version 2 lists refs elsewhere.
"""

import re

from goex_proxy.core.decoded import Decoded
from goex_proxy.wire import pktline
from goex_proxy.wire.outcome import invalid, parsed, too_large, unsupported

MAX_REFS = 500_000

_LINE = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64}) ([^\x00\n ]+)(?:\x00([^\n]*))?\n?")


def decode(data: bytes) -> Decoded:
    """Oids by ref name. Peeled tags and the refs of other repositories are left out."""
    rows = _rows(data)
    if isinstance(rows, Decoded):
        return rows
    refs: dict[str, object] = {}
    for row in rows:
        found = _LINE.fullmatch(row)
        if found is None:
            if row.startswith(b"shallow "):
                continue
            return invalid("not a ref advertisement: a line that is neither ref nor shallow")
        name = found[2].decode("utf-8", "replace")
        if name in refs:
            return invalid(f"not a ref advertisement: {name[:80]!r} stands twice")
        if not name.endswith("^{}") and name != ".have":
            refs[name] = found[1].decode()
    return parsed(refs)


def capabilities(data: bytes) -> frozenset[str]:
    """What the server says it can do; empty if the advertisement is none."""
    rows = _rows(data)
    found = _LINE.fullmatch(rows[0]) if not isinstance(rows, Decoded) and rows else None
    return frozenset((found[3] or b"").decode("utf-8", "replace").split() if found else ())


def _rows(data: bytes) -> list[bytes] | Decoded:
    """The lines that speak of refs: without the announcement and the version."""
    rows: list[bytes] = []
    flushed = False
    for item in pktline.lines(data):
        if isinstance(item, pktline.Broken):
            return invalid("not a ref advertisement: broken pkt-lines")
        flushed = item.data is None
        if item.data in (b"version 2", b"version 2\n"):
            return unsupported("git protocol version 2 advertises no refs")
        if item.data is None or item.data.startswith((b"# service=", b"version 1")):
            continue
        if len(rows) >= MAX_REFS:
            return too_large(f"more than {MAX_REFS} refs")
        rows.append(item.data)
    return rows if flushed else invalid("not a ref advertisement: it ends early")

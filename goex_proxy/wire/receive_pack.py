"""What `git push` sends to git-receive-pack (gitprotocol-pack).

The commands stand in the first bytes, before the pack, so a prefix of the body is enough to
know what a push does. What it cannot tell is whether an update is a fast-forward.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence

from goex_proxy.core.decoded import Decoded
from goex_proxy.wire import pktline
from goex_proxy.wire.outcome import invalid, parsed, too_large, unsupported

PREFIX = 64 * 1024
"""Bytes of a body in which its commands must stand."""

_OID = rb"(?:[0-9a-f]{40}|[0-9a-f]{64})"
# check-ref-format's forbidden characters are refused: nobody's git sends or takes them.
_COMMAND = re.compile(rb"(%b) (%b) ([^\x00-\x20\x7f~^:?*\[\\]+)\n?" % (_OID, _OID))


def decode(data: bytes) -> Decoded:
    """The value, and `args`: `updates` (a list of `{ref, old, new, action}`), `capabilities`,
    `atomic`, `push_options`. `action` is create, update or delete. Git's probe (a lone flush)
    has no updates.
    """
    commands, options = pktline.Section(data[:PREFIX], 0), None
    if commands.end is None:
        return _unfinished(commands, len(data))
    updates, capabilities = _updates(commands.rows)
    if isinstance(updates, Decoded):
        return updates
    if "push-options" in capabilities:
        options = pktline.Section(data[:PREFIX], commands.end)
        if options.end is None:
            return _unfinished(options, len(data))
    value: dict[str, object] = {
        "updates": updates,
        "capabilities": capabilities,
        "atomic": "atomic" in capabilities,
        "push_options": [_text(row) for row in options.rows] if options else [],
    }
    return parsed(value)


def _unfinished(section: pktline.Section, size: int) -> Decoded:
    if section.rows and section.rows[0].startswith(b"push-cert"):
        return unsupported("a signed push")
    if section.cut and size >= PREFIX:
        return too_large(f"the commands of the push fill more than {PREFIX} bytes")
    return invalid("not a push: its commands end early or are no pkt-lines")


def _updates(rows: list[bytes]) -> tuple[list[dict[str, str]] | Decoded, list[str]]:
    updates: list[dict[str, str]] = []
    capabilities: list[str] = []
    for row in rows:
        if row.startswith(b"shallow "):
            continue
        if row.startswith(b"push-cert"):
            return unsupported("a signed push"), []
        command, nul, rest = row.partition(b"\0")
        if nul and not updates:
            capabilities = _text(rest).split()
        found = _COMMAND.fullmatch(command)
        if found is None or (nul and updates) or len(found[1]) != len(found[2]):
            return invalid("not a push: a line that is no command"), []
        try:
            updates.append(_update(*found.groups()))
        except UnicodeDecodeError:
            return unsupported("a ref whose name is not UTF-8"), []
    names = [update["ref"] for update in updates]
    if len(set(names)) != len(names):
        return invalid("not a push: a ref stands twice"), []
    return updates, capabilities


def _update(old: bytes, new: bytes, ref: bytes) -> dict[str, str]:
    action = "create" if not old.strip(b"0") else "update" if new.strip(b"0") else "delete"
    return {"ref": ref.decode(), "old": old.decode(), "new": new.decode(), "action": action}


def encode(args: Mapping[str, object]) -> bytes:
    """A push of `args.updates` (`{ref, old, new}` each) that sends no object: the server has
    them. `atomic: true` asks for all or none; only servers that advertise it may be asked.

    Raises ValueError for updates that are none. The answer is `push_report`'s.
    """
    updates = list(_checked(args.get("updates")))
    wide = any(len(new) == 64 for _, new, _ in updates)
    caps = ["report-status", *(["atomic"] if args.get("atomic") is True else [])]
    caps += ["object-format=sha256"] if wide else []
    rows = [f"{old} {new} {ref}" for old, new, ref in updates]
    rows[0] += "\0 " + " ".join(caps)
    commands = b"".join(pktline.line(row.encode()) for row in rows) + pktline.FLUSH
    # A pack must follow unless everything is a deletion; then none may.
    return commands + (_empty_pack(wide) if any(new.strip("0") for _, new, _ in updates) else b"")


def _checked(updates: object) -> Iterator[tuple[str, str, str]]:
    if not isinstance(updates, Sequence) or isinstance(updates, str) or not updates:
        raise ValueError("git-receive-pack: `updates` must be a list of {ref, old, new}")
    for update in updates:
        parts = [
            update.get(k) if isinstance(update, Mapping) else None for k in ("old", "new", "ref")
        ]
        old, new, ref = (part if isinstance(part, str) else "" for part in parts)
        if not _COMMAND.fullmatch(f"{old} {new} {ref}".encode()) or len(old) != len(new):
            raise ValueError("git-receive-pack: an update must be {ref, old, new}, oids in hex")
        yield old, new, ref


def _empty_pack(wide: bool) -> bytes:
    head = b"PACK" + (2).to_bytes(4, "big") + (0).to_bytes(4, "big")
    return head + hashlib.new("sha256" if wide else "sha1", head, usedforsecurity=False).digest()


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")

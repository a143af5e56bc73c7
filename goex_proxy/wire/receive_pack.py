"""What `git push` sends to git-receive-pack, and what it is answered (gitprotocol-pack).

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
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]+")


def decode(data: bytes) -> Decoded:
    """The value, and `args`: `updates` (a list of `{ref, old, new, action}`), `capabilities`,
    `atomic`, `push_options`. `action` is create, update or delete. Git's probe (a lone flush)
    has no updates.
    """
    commands, options = _Section(data[:PREFIX], 0), None
    if commands.end is None:
        return _unfinished(commands, len(data))
    updates, capabilities = _updates(commands.rows)
    if isinstance(updates, Decoded):
        return updates
    if "push-options" in capabilities:
        options = _Section(data[:PREFIX], commands.end)
        if options.end is None:
            return _unfinished(options, len(data))
    value: dict[str, object] = {
        "updates": updates,
        "capabilities": capabilities,
        "atomic": "atomic" in capabilities,
        "push_options": [_text(row) for row in options.rows] if options else [],
    }
    return parsed(value)


class _Section:
    """Pkt-lines up to a flush; `end` is None if there is no flush."""

    def __init__(self, data: bytes, start: int) -> None:
        self.rows: list[bytes] = []
        self.end: int | None = None
        self.cut = True
        for item in pktline.lines(data, start):
            if isinstance(item, pktline.Broken):
                self.cut = item.cut
                return
            if item.data is None:
                self.end = item.end
                return
            self.rows.append(item.data)


def _unfinished(section: _Section, size: int) -> Decoded:
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
        updates.append(_update(*found.groups()))
    names = [update["ref"] for update in updates]
    if len(set(names)) != len(names):
        return invalid("not a push: a ref stands twice"), []
    return updates, capabilities


def _update(old: bytes, new: bytes, ref: bytes) -> dict[str, str]:
    action = "create" if not old.strip(b"0") else "update" if new.strip(b"0") else "delete"
    name = ref.decode("utf-8", "surrogateescape").encode("utf-8", "replace").decode()
    return {"ref": name, "old": old.decode(), "new": new.decode(), "action": action}


def encode(args: Mapping[str, object]) -> bytes:
    """A push of `args.updates` (`{ref, old, new}` each) that sends no object: the server has
    them. `atomic: true` asks for all or none; only servers that advertise it may be asked.

    Raises ValueError for updates that are none. The answer is `decode_report`'s.
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


def decode_report(data: bytes) -> Decoded:
    """A report-status: `{unpack, ok: [ref], ng: {ref: reason}, progress, error}`.

    Bare, or in band 1 of side-band-64k; then `progress` and `error` are bands 2 and 3.
    """
    bands = _bands(data)
    if isinstance(bands, Decoded):
        return bands
    report = _Section(bands[1], 0)
    unpack, ok, ng = "", list[str](), dict[str, str]()
    for row in report.rows:
        word, _, rest = _text(row).rstrip("\n").partition(" ")
        match word:
            case "unpack":
                unpack = rest
            case "ok":
                ok.append(rest)
            case "ng":
                name, _, reason = rest.partition(" ")
                ng[name] = reason
            case "option":
                continue
            case _:
                return invalid("not a push report: a line that is neither ok nor ng")
    if report.end is None or not unpack:
        return invalid(f"not a whole push report {_text(bands[3])[:200]}".rstrip())
    said = {"progress": _text(bands[2]), "error": _text(bands[3])}
    return parsed({"unpack": unpack, "ok": ok, "ng": ng, **said})


def _bands(data: bytes) -> dict[int, bytes] | Decoded:
    first = next(pktline.lines(data), None)
    if not isinstance(first, pktline.Line) or not first.data or first.data[0] not in (1, 2, 3):
        return {1: data, 2: b"", 3: b""}
    bands = {1: bytearray(), 2: bytearray(), 3: bytearray()}
    for item in pktline.lines(data):
        if isinstance(item, pktline.Broken):
            return invalid("not a push report: broken pkt-lines")
        if item.data is None:
            break
        if not item.data or item.data[0] not in bands:
            return invalid("not a push report: an unknown band")
        bands[item.data[0]] += item.data[1:]
    return {number: bytes(band) for number, band in bands.items()}


def encode_refusal(args: Mapping[str, object], reason: str, hint: str = "") -> bytes:
    """The answer (200, `application/x-git-receive-pack-result`) that makes `git push` print
    `! [remote rejected] main -> main (reason)`, and `remote: hint` above it.

    `args` as `decode` gave them.
    """
    listed = args.get("capabilities")
    caps = {str(c) for c in listed} if isinstance(listed, list) else set[str]()
    updates = args.get("updates")
    said = _UNPRINTABLE.sub(" ", reason).encode()[:900]
    rows = [b"unpack ok\n"]
    for update in updates if isinstance(updates, list) else []:
        rows.append(b"ng %b %b\n" % (str(update["ref"]).encode(), said))
    report = b"".join(map(pktline.line, rows)) + pktline.FLUSH
    reports = bool(caps & {"report-status", "report-status-v2"})
    if "side-band-64k" not in caps:
        return report if reports else pktline.line(b"ERR " + said)
    remote = pktline.band(2, hint.encode()[:4000] + b"\n") if hint else b""
    return remote + (pktline.band(1, report) if reports else pktline.band(3, said)) + pktline.FLUSH


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")

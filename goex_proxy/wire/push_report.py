"""What git-receive-pack answers to a push: its report, and our refusal in its place.

gitprotocol-pack, "Reporting Status"; the bands are those of side-band-64k.
"""

import re
from collections.abc import Mapping

from goex_proxy.core.decoded import Decoded
from goex_proxy.wire import pktline
from goex_proxy.wire.outcome import invalid, parsed

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]+")


def decode(data: bytes) -> Decoded:
    """A report-status: `{unpack, ok: [ref], ng: {ref: reason}, progress, error}`.

    Bare, or in band 1 of side-band-64k; then `progress` and `error` are bands 2 and 3.
    """
    bands = _bands(data)
    if isinstance(bands, Decoded):
        return bands
    report = pktline.Section(bands[1], 0)
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


def refuse(args: Mapping[str, object], reason: str, hint: str = "") -> bytes:
    """The answer (200, `application/x-git-receive-pack-result`) that makes `git push` print
    `! [remote rejected] main -> main (reason)`, and `remote: hint` above it.

    `args` as `receive_pack.decode` gave them.
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

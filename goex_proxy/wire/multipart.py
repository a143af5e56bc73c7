"""`multipart/form-data` (RFC 7578) and `multipart/related` (RFC 2387) of whole bodies.

A file is represented by its name, size and type, never by its bytes. Stricter than the email
parser of the standard library, which nests without a bound and mends what it cannot read.
"""

import re
from dataclasses import dataclass

from goex_proxy.core.decoded import Decoded
from goex_proxy.core.exchange import Headers, headers
from goex_proxy.wire import form, json
from goex_proxy.wire.outcome import invalid, parsed, too_large, unsupported

MAX_PARTS = 1000
MAX_HEAD = 16 * 1024

_BOUNDARY = re.compile(rb"(?! )[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_FIELD = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*)")
_DISPOSITION = re.compile(
    r'form-data((?:; ?(?:name|filename)=(?:"[^"]*"|[^\s";]+))*) *', re.IGNORECASE
)
_PARAMETER = re.compile(r'; ?(\w+)=(?:"([^"]*)"|([^\s";]+))')


@dataclass(frozen=True, slots=True)
class Part:
    headers: Headers
    content: bytes

    @property
    def type(self) -> str:
        return self.headers.get("content-type", "text/plain").partition(";")[0].strip().lower()


def decode(data: bytes, subtype: str, boundary: str) -> Decoded:
    """form-data: fields by name, text or `{filename, size, type}`, repeated ones as a list.
    related: the list of parts; `args` are the fields of the first, if it is JSON."""
    if subtype not in ("form-data", "related"):
        return unsupported(f"multipart/{subtype[:40]}")
    try:
        parts = _parts(data, boundary)
        if len(parts) > MAX_PARTS:
            return too_large(f"more than {MAX_PARTS} parts")
        if subtype == "form-data":
            return parsed(form.fields(_field(part) for part in parts))
    except ValueError as error:
        return invalid(f"not multipart/{subtype}: {error}")
    return _related(parts)


def _parts(data: bytes, boundary: str) -> list[Part]:
    """Raises ValueError."""
    mark = boundary.encode("utf-8", "replace")
    if not _BOUNDARY.fullmatch(mark):
        raise ValueError("no boundary, or a bad one")
    pieces = (b"\r\n" + data).split(b"\r\n--" + mark, MAX_PARTS + 2)
    if len(pieces) < 2 or pieces[0].strip():
        raise ValueError("it does not begin with its boundary")
    if len(pieces) <= MAX_PARTS + 2 and pieces[-1].rstrip(b" \t\r\n") != b"--":
        raise ValueError("it does not end with its boundary")
    return [_part(piece) for piece in pieces[1:-1]]


def _part(piece: bytes) -> Part:
    line, newline, rest = piece.partition(b"\r\n")
    if line.strip(b" \t") or not newline:
        raise ValueError("a boundary with something behind it")
    rest = b"\r\n" + rest
    head, blank, content = rest.partition(b"\r\n\r\n")
    if not blank or len(head) > MAX_HEAD:
        raise ValueError("a part without an end of its head")
    try:
        lines = head.decode("utf-8").split("\r\n")[1:]
    except UnicodeDecodeError:
        raise ValueError("a head that is not UTF-8") from None
    fields = [_FIELD.fullmatch(text) for text in lines]
    found = headers((field[1], field[2].strip()) for field in fields if field)
    names = [name.lower() for name, _ in found]
    if None in fields or len(set(names)) != len(names):
        raise ValueError("a head with a line that is no field, or a field twice")
    return Part(found, content)


def _field(part: Part) -> tuple[str, object]:
    found = _DISPOSITION.fullmatch(part.headers.get("content-disposition"))
    given = (
        [(p[1].lower(), p[2] or p[3] or "") for p in _PARAMETER.finditer(found[1])] if found else []
    )
    names = dict(given)
    if "name" not in names or len(names) != len(given):
        raise ValueError("a part whose disposition names no field, or two")
    if "\\" in form.checked(names["name"]):
        raise ValueError("a field's name with a backslash, which some read over")
    if part.headers.get("content-transfer-encoding", "binary").lower() not in (
        "binary",
        "8bit",
        "7bit",
    ):
        raise ValueError("a part with a transfer encoding")
    if "filename" in names or not part.type.startswith("text/"):
        about = {
            "filename": names.get("filename", ""),
            "size": len(part.content),
            "type": part.type,
        }
        return names["name"], about
    try:
        return names["name"], part.content.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("a text field that is not UTF-8") from None


def _related(parts: list[Part]) -> Decoded:
    value = [{"type": part.type, "size": len(part.content)} for part in parts]
    if not parts or parts[0].type != "application/json":
        return parsed(value, {})
    first = json.decode(parts[0].content)
    return first if first.why else parsed(value, first.args)

"""XML bodies, as WebDAV sends them (RFC 4918): no DTD, no entities of its own, 64 deep, UTF-8.

An element is `{"{DAV:}prop": ...}`: its children by qualified name (a list where one repeats),
its attributes under `@name`, its text under `#text`; one that has only text is that text.
"""

import re
from xml.etree.ElementTree import ParseError, TreeBuilder

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from goex_proxy.core.decoded import Decoded
from goex_proxy.core.exact import MAX_DEPTH
from goex_proxy.wire.form import merged
from goex_proxy.wire.json import MAX_VALUES
from goex_proxy.wire.outcome import invalid, parsed, too_large

_ENCODING = re.compile(rb"\s*<\?xml[^>]*?\sencoding\s*=\s*[\"']([^\"']*)")
_STATUS = re.compile(r"HTTP/\d(?:\.\d)? (\d{3})\b")
DAV = "{DAV:}"


class _TooManyError(ValueError):
    """More than is decoded."""


class _Builder(TreeBuilder):
    """Builds plain values; refuses to go deeper than MAX_DEPTH, or beyond MAX_VALUES."""

    def __init__(self) -> None:
        super().__init__()
        self._values = 0
        self._open: list[tuple[str, list[tuple[str, object]], list[str]]] = [("", [], [])]

    def start(self, tag: str, attrs: dict[str, str], /) -> None:  # type: ignore[override]
        if len(self._open) > MAX_DEPTH:
            raise ValueError(f"nested deeper than {MAX_DEPTH}")
        self._values += 1 + len(attrs)
        if self._values > MAX_VALUES:
            raise _TooManyError(f"XML of more than {MAX_VALUES} elements and attributes")
        self._open.append((tag, [(f"@{k}", v) for k, v in attrs.items()], []))

    def data(self, data: str, /) -> None:
        self._open[-1][2].append(data)

    def end(self, tag: str, /) -> None:  # type: ignore[override]
        _, fields, texts = self._open.pop()
        text = "".join(texts)
        value: object = text
        if fields:
            value = merged(fields) | ({"#text": text} if text.strip() else {})
        self._open[-1][1].append((tag, value))

    def close(self) -> object:  # type: ignore[override]
        return merged(self._open[0][1])


def decode(data: bytes, charset: str = "") -> Decoded:
    """The value is a map with one key, the root element's name. There are no `args`."""
    declared = _ENCODING.match(data.removeprefix(b"\xef\xbb\xbf"))
    encoding = declared[1].decode("ascii", "replace") if declared else "utf-8"
    if {encoding.lower(), charset.lower() or "utf-8"} - {"utf-8", "us-ascii"}:
        return invalid("XML that is not in UTF-8")
    parser = DefusedXMLParser(target=_Builder(), forbid_dtd=True)
    try:
        data.decode("utf-8")
        parser.feed(data)
        return parsed(parser.close(), {})
    except _TooManyError as error:
        return too_large(str(error))
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        return invalid(f"not XML: {type(error).__name__}: {error}"[:200])


def multistatus(data: bytes) -> Decoded:
    """A WebDAV 207: `{href: {"status": 200, "props": {"{DAV:}getetag": ...}}}`.

    Props are those that were found (status 200); `status` is the response's own, else the
    best of its propstats.
    """
    body = decode(data)
    if body.why:
        return body
    root = body.value.get(f"{DAV}multistatus") if isinstance(body.value, dict) else None
    if root is None:
        return invalid("not a WebDAV multistatus")
    found: dict[str, object] = {}
    for response in _listed(root, "response"):
        for href in _listed(response, "href"):
            found[str(href).strip()] = _resource(response)
    return parsed(found)


def _resource(response: object) -> dict[str, object]:
    codes = [_code(text) for text in _listed(response, "status")]
    props: dict[str, object] = {}
    for propstat in _listed(response, "propstat"):
        code = next((_code(text) for text in _listed(propstat, "status")), 0)
        codes.append(code)
        for prop in _listed(propstat, "prop") if code == 200 else []:
            props |= prop if isinstance(prop, dict) else {}
    return {"status": min(filter(None, codes), default=0), "props": props}


def _code(text: object) -> int:
    found = _STATUS.match(str(text).strip())
    return int(found[1]) if found else 0


def _listed(value: object, name: str) -> list[object]:
    item = value.get(DAV + name, []) if isinstance(value, dict) else []
    return item if isinstance(item, list) else [item]

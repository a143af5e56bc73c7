"""Path templates: `/repos/{owner}/{repo}/issues/{n:int}`, `/files/{path+}`.

`{x}` is one segment, `{x:int}` one segment of digits, `{x+}` one or more segments. A value
fills its place percent-encoded and can never change the shape of the path: data that came
from upstream does not steer (design, section 9).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from goex_proxy.core.path import Path, encode_segment, is_dot, twice_encoded

_PARAM = re.compile(r"\{([a-z_][a-z0-9_]*)(:int|\+)?\}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Param:
    name: str
    kind: str = ""
    """'' one segment, ':int' digits, '+' one or more segments."""


@dataclass(frozen=True, slots=True)
class PathTemplate:
    parts: tuple[str | Param, ...]
    """Literal segments (decoded) and parameters."""
    text: str
    slash: bool = False
    """Whether it ends in a slash: `/a/` is not `/a`."""

    @property
    def params(self) -> tuple[str, ...]:
        return tuple(part.name for part in self.parts if isinstance(part, Param))

    @property
    def many(self) -> bool:
        """Whether it matches paths of more than one length."""
        return any(isinstance(part, Param) and part.kind == "+" for part in self.parts)

    @property
    def shape(self) -> tuple[str, ...]:
        """Which segments are literal, and which literals: without the parameters' names."""
        parts = (p if isinstance(p, str) else "{+}" if p.kind == "+" else "{}" for p in self.parts)
        return (*parts, "") if self.slash else tuple(parts)

    @property
    def weight(self) -> tuple[int, ...]:
        """Literal before integer before any before many: the order in which to try."""
        ranks = {":int": 1, "": 2, "+": 3}
        return tuple(0 if isinstance(p, str) else ranks[p.kind] for p in self.parts)

    def match(self, path: Path) -> dict[str, str] | None:
        """The parameters of a path of this shape, or None."""
        return _match(self, path)

    def fill(self, params: Mapping[str, object]) -> str:
        """The path for these parameters. Raises ValueError on an empty or dot value."""
        filled = [_fill(part, params) for part in self.parts]
        if any(piece.endswith("/") for piece in filled[:-1]):
            raise ValueError(f"a value of the path {self.text} would leave an empty segment")
        path = "/" + "/".join(filled)
        return f"{path}/" if self.slash and not path.endswith("/") else path


def parse_template(text: str) -> PathTemplate:
    """Read a template. Raises ValueError(what, and what to write instead)."""
    if not text.startswith("/"):
        raise ValueError(f"a path template begins with a slash: {text!r}")
    parts: list[str | Param] = []
    slash = text.endswith("/") and text != "/"
    for segment in text[1:].removesuffix("/").split("/") if text != "/" else []:
        found = _PARAM.fullmatch(segment)
        if found:
            parts.append(Param(found[1], found[2] or ""))
        elif "{" in segment or "}" in segment:
            raise ValueError(f"a parameter fills its whole segment: {segment!r}")
        else:
            parts.append(segment)
    names = [part.name for part in parts if isinstance(part, Param)]
    if len(names) != len(set(names)):
        raise ValueError(f"a parameter stands twice in {text!r}")
    if sum(isinstance(part, Param) and part.kind == "+" for part in parts) > 1:
        raise ValueError(f"only one parameter of a template may span segments: {text!r}")
    return PathTemplate(tuple(parts), text, slash)


def _match(template: PathTemplate, path: Path) -> dict[str, str] | None:
    parts, segments = template.parts, path.segments
    extra = len(segments) - len(parts)
    many = next((i for i, p in enumerate(parts) if isinstance(p, Param) and p.kind == "+"), None)
    if extra < 0 or (many is None and extra):
        return None
    # The last parameter of many segments takes a slash at the end as its own.
    takes = many is not None and many == len(parts) - 1 and not template.slash
    if path.slash != template.slash and not takes:
        return None
    found: dict[str, str] = {}
    at = 0
    for index, part in enumerate(parts):
        width = 1 + extra if index == many else 1
        if not _bind(part, segments[at : at + width], found):
            return None
        at += width
    last = parts[-1] if parts else ""
    if takes and path.slash and isinstance(last, Param):
        found[last.name] += "/"
    return found


def _bind(part: str | Param, segments: tuple[str, ...], found: dict[str, str]) -> bool:
    if isinstance(part, str):
        return segments[0] == part
    if part.kind == "+":
        found[part.name] = "/".join(segments)
        return True
    value = segments[0].replace("%2F", "/")
    if part.kind == ":int" and not (value.isascii() and value.isdigit()):
        return False
    found[part.name] = value
    return True


def _fill(part: str | Param, params: Mapping[str, object]) -> str:
    if isinstance(part, str):
        return encode_segment(part)
    value = params.get(part.name)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f"there is no value for {{{part.name}}} of the path")
    text = str(value)
    if part.kind == ":int" and not (text.isascii() and text.isdigit()):
        raise ValueError(f"{{{part.name}}} of the path is not a whole number")
    if part.kind == "+":
        segments = text.removesuffix("/").split("/")
        tail = "/" if text.endswith("/") else ""
        return "/".join(_segment(part.name, s) for s in segments) + tail
    if twice_encoded(text):
        raise ValueError(f"{{{part.name}}} of the path holds what reads as percent-encoded")
    return _segment(part.name, text.replace("/", "%2F"))


def _segment(name: str, text: str) -> str:
    pieces = text.split("%2F")
    if not text or any(is_dot(piece) for piece in pieces):
        raise ValueError(f"{{{name}}} of the path is empty or a dot segment")
    if any(twice_encoded(piece) for piece in pieces):
        raise ValueError(f"{{{name}}} of the path holds what reads as percent-encoded")
    if "\\" in text or any(ord(c) < 0x20 or ord(c) == 0x7F for c in text):
        raise ValueError(f"{{{name}}} of the path has a control character or a backslash")
    return encode_segment(text)

"""Text with expressions in it: `force-push to ${let.repo}`. `$${` is a `${` as it stands."""

from dataclasses import dataclass

from goex_proxy.files.issue import FileError, Issue, Spot


@dataclass(frozen=True, slots=True)
class Part:
    """One expression of a text, and where it begins in it."""

    source: str
    start: int


def parts(text: str, spot: Spot) -> list[str | Part]:
    """The pieces of a text in order. Raises `FileError` on `${` without its `}`."""
    out: list[str | Part] = []
    index = 0
    while (found := text.find("${", index)) >= 0:
        if found > 0 and text[found - 1] == "$":
            _append(out, text[index : found - 1] + "${")
            index = found + 2
            continue
        _append(out, text[index:found])
        end = _end(text, found + 2)
        if end < 0:
            raise FileError(Issue(spot.inside(found), "${ without its }", "write ${expression}"))
        out.append(Part(text[found + 2 : end], found + 2))
        index = end + 1
    _append(out, text[index:])
    return out


def _append(out: list[str | Part], text: str) -> None:
    if not text:
        return
    if out and isinstance(out[-1], str):
        out[-1] += text
    else:
        out.append(text)


def _end(text: str, index: int) -> int:
    """Where the closing brace is: braces within pairs and quotes do not count. -1: nowhere."""
    depth, quote = 0, ""
    while index < len(text):
        char = text[index]
        if quote:
            if char == "\\":
                index += 1
            elif char == quote:
                quote = ""
        elif char in "'\"":
            quote = char
        elif char == "{":
            depth += 1
        elif char == "}":
            if not depth:
                return index
            depth -= 1
        index += 1
    return -1

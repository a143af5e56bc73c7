"""CEL source as people write it, and as the engine takes it.

`let` is a reserved word of CEL, and `split` and `join` exist only as members (`x.split(',')`).
We write `let.repo`, `split(s, ',')`. The adapter hands them over with a capital letter: the
length is the same, so every place in a message is still the place in the file.
"""

import re
from collections.abc import Iterator

from goex_proxy.files.issue import Issue, Spot

_TOKEN = re.compile(
    r"""
    (?P<text> [rRbB]{0,2} (?: \"{3}(?:\\.|[^\\])*?\"{3} | '{3}(?:\\.|[^\\])*?'{3}
        | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' ))
    | (?P<comment> //[^\n]*)
    | (?P<quoted> `[^`\n]*`)
    | (?P<name> [A-Za-z_][A-Za-z0-9_]*)
    | (?P<other> \s+ | .)
    """,
    re.VERBOSE | re.DOTALL,
)
_HIDDEN = {"let": "Let", "split": "Split", "join": "Join"}
_SHOWN = {hidden: name for name, hidden in _HIDDEN.items()}
_NAMES = re.compile(r"\b(" + "|".join(_SHOWN) + r")\b")


def tokens(source: str) -> Iterator[tuple[str, str]]:
    """Kind and text of every token, blanks and comments too: all of the source."""
    for token in _TOKEN.finditer(source):
        yield token.lastgroup or "other", token[0]


def hidden(source: str) -> str:
    """The source for the engine, of the same length. Raises ValueError on a hidden name."""
    out: list[str] = []
    before = ""
    for token in _TOKEN.finditer(source):
        word = token[0]
        if token.lastgroup == "name" and before not in (".", ".?"):
            if word in _SHOWN:
                raise ValueError(f"undeclared reference to '{word}'")
            word = _taken(source, token.end(), word)
        out.append(word)
        if not word.isspace() and token.lastgroup != "comment":
            before = ".?" if (before, word) == (".", "?") else word
    return "".join(out)


def _taken(source: str, end: int, word: str) -> str:
    following = source[end:].lstrip()[:1]
    wanted = "." if word == "let" else "("
    return _HIDDEN[word] if word in _HIDDEN and following == wanted else word


def hidden_name(name: str) -> str:
    """A declared name for the engine."""
    head, dot, tail = name.partition(".")
    return f"{_HIDDEN.get(head, head)}{dot}{tail}" if dot else _HIDDEN.get(name, name)


def shown(text: str) -> str:
    """A name or message of the engine with our names in it."""
    return _NAMES.sub(lambda found: _SHOWN[found[1]], text)


_ERROR = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): (.*?)(?=\n \||\nERROR: |\Z)", re.DOTALL)
_NOISE = re.compile(r" \(in container ''\)|\s*\[[A-Z_]+\]\s*\Z")
_OPERATOR = re.compile(r"'_(\S{1,2})_' applied to '\(([^']*)\)'")


def issues(error: str, source: str, spot: Spot) -> list[Issue]:
    """What a compiler's message says, each with its place in the file and a caret."""
    found = [
        _issue(shown(_NOISE.sub("", m[3])), _offset(source, int(m[1]), int(m[2])), source, spot)
        for m in _ERROR.finditer(error)
    ]
    return found or [_issue(shown(_NOISE.sub("", error)), 0, source, spot)]


def _offset(source: str, line: int, column: int) -> int:
    lines = source.split("\n")
    before = lines[: max(line, 1) - 1]
    return min(sum(len(text) + 1 for text in before) + max(column, 1) - 1, len(source))


def _issue(what: str, offset: int, source: str, spot: Spot) -> Issue:
    start = source.rfind("\n", 0, offset) + 1
    line = source[start:].partition("\n")[0]
    plain = _OPERATOR.sub(lambda m: f"'{m[1]}' applied to ({m[2]})", what)
    caret = f"\n  | {line}\n  | {' ' * (offset - start)}^"
    return Issue(spot.inside(offset), plain + caret, hint(what))


def hint(what: str) -> str:
    """What to write instead, for the mistakes that everybody makes once."""
    if "undeclared reference" in what:
        return "the names are listed in the docs of the file format; text wants quotes: 'x'"
    if "no matching overload" in what:
        if "optional_type" in what:
            return "an optional (.?) becomes a value by .orValue(...)"
        return "the two sides have different types; convert with int(), double(), string()"
    if "recursion" in what.lower() or "depth" in what.lower():
        return "split the expression: name its parts under let:"
    return ""

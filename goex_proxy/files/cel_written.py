"""An expression written out in what the engine itself can do: names of `let:` as what they stand
for, `rx` and `glob` as its own `matches`.

The engine never gives back the arguments it hands to a function of ours (measured: 80 to 190
bytes a call), and a value handed over costs more than to compute it again. What is evaluated for
every request is therefore written out; a rule by itself is evaluated as it stands. `domain` and
`cidr` stay calls: few requests have addresses, and a `matches` that would do is ten times slower.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from goex_proxy.core import glob
from goex_proxy.files import cel_text

_PLAIN = re.compile(r"""'[^'"\\\n]*'|"[^'"\\\n]*\"""")
_LET = re.compile(r"\blet\s*\.\s*([A-Za-z_][A-Za-z0-9_]*)")
_LONGEST = 4 * 1024
_OPEN, _CLOSE = frozenset("([{"), frozenset(")]}")


@dataclass(frozen=True, slots=True)
class Let:
    """What a name of `let:` stands for."""

    source: str
    reads: frozenset[str]
    """The first parts of the names that it reads."""


def each_written_out(lets: Mapping[str, Let]) -> dict[str, Let]:
    """The lets, each in terms of what it reads itself; those that others read come first."""
    done: dict[str, Let] = {}
    for name, let in lets.items():
        inner = [done[f"let.{word}"].reads for word in _named(let.source) if f"let.{word}" in done]
        source = written_out(let.source, done)
        done[name] = Let(source, let.reads.union(*inner))
    return done


def written_out(source: str, lets: Mapping[str, Let]) -> str:
    """The source with these lets (`let.repo`) and our functions in the engine's own terms. The
    lets are taken as they stand (`each_written_out`).

    A let that reads a name which the source binds itself (`xs.exists(path, ...)`) stays a let, and
    so does every one if it would become long: lets that name lets double with each.
    """
    tokens = list(cel_text.tokens(source))
    bound = _bound(tokens)
    free = {name: let for name, let in lets.items() if not let.reads & bound}
    written = "".join(_written(tokens, free))
    return written if len(written) <= _LONGEST else source


def _written(tokens: Sequence[tuple[str, str]], lets: Mapping[str, Let]) -> Iterator[str]:
    at, before = 0, ""
    while at < len(tokens):
        kind, word = tokens[at]
        plain = kind == "name" and before not in (".", ".?")
        end, text = _replaced(tokens, at, lets) if plain else (at, "")
        if text:
            before = ")"
            yield text
        else:
            end = at + 1
            yield word
            if not _is_blank(kind, word):
                before = ".?" if (before, word) == (".", "?") else word
        at = end


def _replaced(
    tokens: Sequence[tuple[str, str]], at: int, lets: Mapping[str, Let]
) -> tuple[int, str]:
    """Where what begins here ends, and what is written in its place; '': nothing."""
    word = tokens[at][1]
    dot = _next(tokens, at + 1)
    if word == "let" and _text(tokens, dot) == ".":
        name = _next(tokens, dot + 1)
        let = lets.get(f"let.{_text(tokens, name)}")
        return (name + 1, f"(\n{let.source}\n)") if let else (at, "")
    if word in ("rx", "glob") and _text(tokens, dot) == "(":
        parts, end = _arguments(tokens, dot + 1)
        if len(parts) == 2:
            text, pattern = ("\n" + "".join(_written(part, lets)) + "\n" for part in parts)
            pattern = pattern if word == "rx" else _regex(parts[1])
            return (end, f"(({text}).matches({pattern}))") if pattern else (at, "")
    return at, ""


def _arguments(
    tokens: Sequence[tuple[str, str]], at: int
) -> tuple[list[list[tuple[str, str]]], int]:
    """The tokens of each argument, and where the call ends; no arguments if it does not end."""
    parts: list[list[tuple[str, str]]] = [[]]
    depth = 0
    for place in range(at, len(tokens)):
        word = tokens[place][1]
        if depth == 0 and word == ")":
            return parts, place + 1
        depth += (word in _OPEN) - (word in _CLOSE)
        if depth == 0 and word == ",":
            parts.append([])
        else:
            parts[-1].append(tokens[place])
    return [], at


def _regex(pattern: Sequence[tuple[str, str]]) -> str:
    """A glob that stands there as plain text, as a pattern of RE2; '' for any other."""
    texts = [word for kind, word in pattern if not _is_blank(kind, word)]
    if len(texts) != 1 or not _PLAIN.fullmatch(texts[0]):
        return ""
    return f"r'''(?s)^(?:{glob.compiled(texts[0][1:-1]).pattern})$'''"


def _named(source: str) -> set[str]:
    """The names after `let.`, those in texts and comments too: one too many does no harm."""
    return set(_LET.findall(source))


def _bound(tokens: Sequence[tuple[str, str]]) -> set[str]:
    """Names that may be variables of a macro: alone before a comma."""
    return {
        word
        for at, (kind, word) in enumerate(tokens)
        if kind == "name" and _text(tokens, _next(tokens, at + 1)) == ","
    }


def _next(tokens: Sequence[tuple[str, str]], at: int) -> int:
    """The place of the next token that is neither blank nor comment."""
    while at < len(tokens) and _is_blank(*tokens[at]):
        at += 1
    return at


def _is_blank(kind: str, word: str) -> bool:
    return kind == "comment" or word.isspace()


def _text(tokens: Sequence[tuple[str, str]], at: int) -> str:
    return tokens[at][1] if at < len(tokens) else ""

"""Globs of policy files: operation globs, where `*` crosses `/` and `.`; path globs, where
`*` stays in its segment and `**` crosses."""

import re
from functools import lru_cache


@lru_cache(maxsize=4096)
def compiled(pattern: str, path: bool = False) -> re.Pattern[str]:
    out = []
    for piece in re.split(r"(\*\*|\*|\?)", pattern):
        match piece:
            case "**":
                out.append(".*")
            case "*":
                out.append("[^/]*" if path else ".*")
            case "?":
                out.append("[^/]" if path else ".")
            case _:
                out.append(re.escape(piece))
    return re.compile("".join(out), re.DOTALL)


def matches(pattern: str, text: str) -> bool:
    return pattern == text or compiled(pattern).fullmatch(text) is not None


def path_matches(pattern: str, path: str) -> bool:
    return compiled(pattern, True).fullmatch(path) is not None

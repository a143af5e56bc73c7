"""Variables as the tools that take them want them written: `goex env --format ...`."""

import json
import re
import shlex
from collections.abc import Callable, Mapping

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def render(variables: Mapping[str, str], form: str) -> str:
    """Text that ends with a newline. It may bear the session's password: for stdout, not for logs.

    Raises ValueError for an unknown format, a name that is none, or a value the format cannot say.
    """
    if form not in FORMATS:
        raise ValueError(f"format {form!r}: write one of {', '.join(sorted(FORMATS))}")
    for name in variables:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name for a variable")
    return FORMATS[form](variables)


def _shell(variables: Mapping[str, str]) -> str:
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())


def _json(variables: Mapping[str, str]) -> str:
    return json.dumps(dict(variables), indent=2) + "\n"


def _docker(variables: Mapping[str, str]) -> str:
    """For `docker run --env-file`, which knows no quoting."""
    for name, value in variables.items():
        if "\n" in value or "\r" in value:
            raise ValueError(f"{name}: an env-file of docker cannot hold a line break")
    return "".join(f"{name}={value}\n" for name, value in variables.items())


def _claude(variables: Mapping[str, str]) -> str:
    """For settings.json of Claude Code."""
    return json.dumps({"env": dict(variables)}, indent=2) + "\n"


def _github_actions(variables: Mapping[str, str]) -> str:
    """For `>> "$GITHUB_ENV"`: a heredoc where the value has line breaks."""
    lines: list[str] = []
    for name, value in variables.items():
        if "\n" not in value and "\r" not in value:
            lines.append(f"{name}={value}\n")
            continue
        fence = "GOEX"
        while fence in value:
            fence += "_"
        lines.append(f"{name}<<{fence}\n{value}\n{fence}\n")
    return "".join(lines)


FORMATS: Mapping[str, Callable[[Mapping[str, str]], str]] = {
    "sh": _shell,
    "json": _json,
    "docker": _docker,
    "claude": _claude,
    "github-actions": _github_actions,
}

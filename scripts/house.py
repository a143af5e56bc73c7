"""House rules that a machine can check; `make check` runs them over what git tracks.

Each rule is a function from the tracked files to complaints. Reads; changes nothing.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
FILE_LINES = 400
FUNCTION_LINES = 60
SHORT_LINES = 25
SHORT_SHARE = 0.9
MIRRORED = ("core", "files", "wire", "stores")
PROMISES = tuple(f"P{number}" for number in range(1, 9))

# Put together from parts, so that this file does not complain about itself.
# A mark is followed by its text; a name of that spelling (an enum's member) is not one.
UNFINISHED = re.compile(
    r"(?<![.\w])(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X")) + r")[:(]"
)
SPOOFABLE = "pretty" + "_host"
MACHINE = re.compile(
    r"(?<![\w.$}<>~-])/(root|work|tmp/(?!\.\.\.)|home/[a-z]{2,}|Users/[a-z]+|opt/(wheels|pypi))(?=[/\s\"'`]|$)"
    r"|\b(files\.pythonhosted|registry\.npmjs|proxy\.golang)\.org\b"
    r"|\bpypi\.org/simple|\b(artifactory|nexus|devpi)\.[\w.-]+\.\w+"
)
PRIVATE_KEY = re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s*\n[A-Za-z0-9+/=\s]{64,}")

type Files = dict[str, str]
type Rule = Callable[[Files], Iterator[str]]


def tracked(root: Path = ROOT) -> Files:
    """Text of every file that git tracks and that is there, by its path."""
    listed = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z"], capture_output=True, check=True, text=True
    ).stdout
    found: Files = {}
    for name in filter(None, listed.split("\0")):
        path = root / name
        if path.is_file():
            found[name] = path.read_text(errors="replace")
    return found


def _python(files: Files, *rooms: str) -> Iterator[tuple[str, str]]:
    for name, text in files.items():
        if name.endswith(".py") and name.startswith(rooms):
            yield name, text


def files_are_short(files: Files) -> Iterator[str]:
    for name, text in _python(files, "goex_proxy/", "scripts/", "bench/", "tests/"):
        lines = text.count("\n")
        if lines > FILE_LINES:
            yield f"{name}: {lines} lines; a file has at most {FILE_LINES}: split it by its nouns"


def functions_are_short(files: Files) -> Iterator[str]:
    sizes: list[int] = []
    for name, text in _python(files, "goex_proxy/"):
        for line, function, size in _functions(text):
            sizes.append(size)
            if size > FUNCTION_LINES:
                yield f"{name}:{line}: {function} has {size} lines; at most {FUNCTION_LINES}"
    short = sum(size <= SHORT_LINES for size in sizes)
    if sizes and short < SHORT_SHARE * len(sizes):
        yield f"{short} of {len(sizes)} functions have at most {SHORT_LINES} lines; want 9 in 10"


def _functions(text: str) -> Iterator[tuple[int, str, int]]:
    """Line, name and size, the docstring not counted."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = (node.end_lineno or node.lineno) - node.lineno + 1
            first = node.body[0]
            if ast.get_docstring(node) is not None:
                size -= (first.end_lineno or first.lineno) - first.lineno + 1
            yield node.lineno, node.name, size


def each_module_has_its_test(files: Files) -> Iterator[str]:
    """A file without a function only declares values: there is nothing to test in it."""
    for name, text in _python(files, *(f"goex_proxy/{room}/" for room in MIRRORED)):
        path = Path(name)
        if not any(_functions(text)):
            continue
        wanted = Path("tests", *path.parts[1:-1], f"test_{path.name}").as_posix()
        if path.name != "__init__.py" and wanted not in files:
            yield f"{name}: has no {wanted}"


def nothing_is_unfinished(files: Files) -> Iterator[str]:
    for name, text in files.items():
        yield from _lines(name, text, UNFINISHED, "finish it, or write an issue")


def nobody_asks_the_client_for_the_host(files: Files) -> Iterator[str]:
    for name, text in _python(files, "goex_proxy/", "bench/", "tests/"):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Attribute) and node.attr == SPOOFABLE:
                yield f"{name}:{node.lineno}: {SPOOFABLE} prefers the client's Host header"


def nothing_names_a_machine(files: Files) -> Iterator[str]:
    for name, text in files.items():
        yield from _lines(name, text, MACHINE, "a path or registry of one machine")


def _lines(name: str, text: str, pattern: re.Pattern[str], why: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), 1):
        found = pattern.search(line)
        if found:
            yield f"{name}:{number}: {found[0]!r}: {why}"


def no_private_key_is_in_git(files: Files) -> Iterator[str]:
    for name, text in files.items():
        if PRIVATE_KEY.search(text):
            yield f"{name}: holds a private key; remove it, and replace the key"
        if name.startswith("certs/") and name != "certs/README.md":
            yield f"{name}: only README.md belongs in certs/"


def each_promise_names_its_test(files: Files) -> Iterator[str]:
    readme = files.get("README.md", "").splitlines()
    for promise in PROMISES:
        lines = [line for line in readme if re.search(rf"\b{promise}\b", line)]
        named = re.findall(r"tests/behaviour/\w+\.py", "\n".join(lines))
        if not named:
            yield f"README.md: {promise} names no file under tests/behaviour/"
        for test in named:
            if test not in files:
                yield f"README.md: {promise} names {test}, which does not exist"


def no_exception_is_swallowed(files: Files) -> Iterator[str]:
    """A named error may be passed over where the line says why; any error never."""
    for name, text in _python(files, "goex_proxy/", "scripts/"):
        lines = text.splitlines()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ExceptHandler) and isinstance(node.body[0], ast.Pass):
                named = node.type is not None and not re.search("Exception", ast.unparse(node.type))
                if not (named and "#" in lines[node.body[0].lineno - 1]):
                    yield f"{name}:{node.lineno}: an exception is swallowed"


def imports_run_in_no_circle(files: Files) -> Iterator[str]:
    """Nor do those that only a type checker or only a function sees."""
    texts = {_module(name): (name, text) for name, text in _python(files, "goex_proxy/")}
    wanted = {
        module: [there for there in _imported(*of, texts.keys()) if there != module]
        for module, of in texts.items()
    }
    while circle := _circle(wanted):
        yield f"{texts[circle[0]][0]}: a circle of imports: {' -> '.join(circle)}"
        for module in circle:
            wanted.pop(module, None)


def _module(name: str) -> str:
    return name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _imported(name: str, text: str, known: Collection[str]) -> Iterator[str]:
    """The modules that a file names: `from a import b` is of a.b, if that is one, else of a."""
    package = name.split("/")[:-1]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            source = ".".join([*above, *filter(None, [node.module])])
            inside = [f"{source}.{alias.name}" for alias in node.names]
            meant = [each if each in known else source for each in inside]
            yield from (each for each in meant if each in known)


def _circle(wanted: dict[str, list[str]]) -> list[str]:
    """One circle, its first module again at the end; none if there is none."""
    left = set(wanted)
    while loose := {m for m in left if not any(there in left for there in wanted[m])}:
        left -= loose
    if not left:
        return []
    path = [min(left)]  # what is left leads to something that is left, for ever
    while path[-1] not in path[:-1]:
        path.append(min(there for there in wanted[path[-1]] if there in left))
    return path[path.index(path[-1]) :]


RULES: tuple[Rule, ...] = (
    files_are_short,
    functions_are_short,
    each_module_has_its_test,
    nothing_is_unfinished,
    nobody_asks_the_client_for_the_host,
    nothing_names_a_machine,
    no_private_key_is_in_git,
    each_promise_names_its_test,
    no_exception_is_swallowed,
    imports_run_in_no_circle,
)


def complaints(files: Files) -> list[str]:
    return [complaint for rule in RULES for complaint in rule(files)]


def main() -> int:
    found = complaints(tracked())
    for complaint in found:
        sys.stderr.write(f"house: {complaint}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

"""How things look on a terminal: tables, colours, and text that strangers wrote.

What services and agents wrote is shown with its control characters made visible: it must not
move the cursor, hide a line, or look like a message of ours.
"""

from collections.abc import Iterable, Mapping, Sequence

import click

COLOURS: Mapping[str, str] = {
    "applied": "green",
    "undone": "cyan",
    "compensated": "cyan",
    "already": "cyan",
    "kept": "bright_black",
    "expired": "bright_black",
    "abandoned": "bright_black",
    "held": "yellow",
    "pending": "yellow",
    "undoing": "yellow",
    "partial": "yellow",
    "in_doubt": "magenta",
    "refused": "red",
    "failed": "red",
    "conflict": "red",
    "stuck": "red",
    "ok": "green",
    "bad": "red",
}
_GAP = "  "
_HIDDEN = frozenset(("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"))


def plain(value: object) -> str:
    """One line that shows what it holds: control and direction characters as escapes."""
    text = "" if value is None else str(value)
    if text.isascii() and text.isprintable():
        return text
    import unicodedata

    return "".join(
        c.encode("unicode_escape").decode("ascii") if unicodedata.category(c) in _HIDDEN else c
        for c in text
    )


def lines(text: str) -> str:
    """The same for a text of several lines, which stay lines."""
    return "\n".join(plain(line.expandtabs(4)) for line in text.split("\n"))


def painted(word: str) -> str:
    """A state or outcome in its colour; where colours are off, echo takes it out."""
    colour = COLOURS.get(word)
    return click.style(word, fg=colour) if colour else word


def table(titles: Sequence[str], rows: Iterable[Sequence[object]], *, stretch: int = -1) -> None:
    """A table on stdout, or nothing without rows. The column `stretch` takes what is left."""
    cells = [[plain(value) for value in row] for row in rows]
    if not cells:
        return
    sizes = widths(titles, cells, stretch)
    click.secho(_line(list(titles), sizes), bold=True)
    for row in cells:
        click.echo(_line(row, sizes, paint=True))


def widths(titles: Sequence[str], cells: Sequence[Sequence[str]], stretch: int) -> list[int]:
    """As wide as the widest cell; on a terminal, the stretched column gives way."""
    import shutil

    sizes = [max(len(row[n]) for row in (titles, *cells)) for n in range(len(titles))]
    room = shutil.get_terminal_size((0, 0)).columns
    over = sum(sizes) + len(_GAP) * (len(sizes) - 1) - room
    if room and over > 0 and stretch >= 0:
        sizes[stretch] = max(sizes[stretch] - over, len(titles[stretch]), 16)
    return sizes


def _line(row: Sequence[str], sizes: Sequence[int], *, paint: bool = False) -> str:
    out = []
    for text, size in zip(row, sizes, strict=True):
        short = text if len(text) <= size else text[: size - 1] + "…"
        out.append((painted(short) if paint else short) + " " * (size - len(short)))
    return _GAP.join(out).rstrip()


def facts(pairs: Iterable[tuple[str, object]]) -> None:
    """Names and values, a pair a line; what is empty is left out."""
    shown = [(name, plain(value)) for name, value in pairs if value not in (None, "", [])]
    size = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        click.echo(f"{click.style(name.ljust(size), bold=True)}  {painted(value)}")


def one_line(text: str) -> str:
    """What is wrong and its hint, which stand on lines of their own elsewhere, as one line."""
    return "; ".join(line.strip() for line in text.splitlines())


def counted(number: int, thing: str) -> str:
    """`1 rule`, `2 rules`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def heading(text: str) -> None:
    click.secho(f"\n{text}", bold=True)


def talk(text: str) -> None:
    """Say something on stderr."""
    click.echo(text, err=True)

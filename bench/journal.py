"""A journal of a million entries: how long a person waits for `log`, `show` and an undo's plan.

The entries are written through the real Journal, many to a commit: each is a copy of a change
that a gateway made, its payloads encrypted under a key of its own; only the number of its note
and its session differ. Some real changes come before and after them, for the undo to be about.
A command is a process of its own, from its start to its end, with a gateway running.

Run: python -m bench.journal [--entries 1000000] [--verify]
"""

import argparse
import asyncio
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.notes import HOST, notes
from goex_proxy.founding import found
from goex_proxy.home import Home
from goex_proxy.stores.journal import Journal
from goex_proxy.stores.reader import JournalReader
from goex_proxy.stores.rows import JSON, Append, Blob, LogRow, Row, StoredEvent

CHANGES = 5
"""Real ones, before and after the copies."""
PER_SESSION = 500
_AT_ONCE = 256
_MUST, _AIM = 200.0, 50.0

type Verdict = tuple[str, float, float, float]

_CONFIG = """\
version: 1
listen: 127.0.0.1:0
policies: [./policies]
reversers: [./reversers]
upstreams: {{{host}: "http://127.0.0.1:{port}"}}
"""
_REVERSER = """\
version: 1
service: notes
hosts: [{host}]
resources:
  note: {{at: "/notes/{{n:int}}"}}
operations:
  notes/update: {{match: "PATCH {{note}}", fidelity: exact, undo: restore}}
"""


@dataclass(frozen=True, slots=True)
class Model:
    """A change as the journal has it, to be copied."""

    note: int
    row: LogRow
    events: tuple[tuple[StoredEvent, str, tuple[Blob, ...]], ...]
    """Each with its fields as JSON, and its payloads."""

    @classmethod
    def read(cls, reader: JournalReader, entry: int, note: int) -> "Model":
        row = reader.entry(entry)
        if row is None or row.columns["state"] != "applied":
            raise RuntimeError(f"e{entry} is no change that was applied")
        events = tuple(
            (
                one,
                json.dumps(one.fields),
                tuple(Blob(name=b.name, data=reader.blob(b)) for b in one.blobs),
            )
            for one in reader.events(entry)
        )
        return cls(note, row, events)

    def copy(self, number: int) -> Append:
        """The same change of another note, in the session of that number."""
        return Append(
            entry=None,
            expected=0,
            rows=tuple(self._row(one, text, blobs, number) for one, text, blobs in self.events),
            index=self._index(number),
        )

    def _row(self, one: StoredEvent, text: str, blobs: tuple[Blob, ...], number: int) -> Row:
        fields = json.loads(self._other(text, number))
        return Row(type=one.type, version=one.version, fields=fields, actor=one.actor, blobs=blobs)

    def _other(self, text: str, number: int) -> str:
        return text.replace(f"/notes/{self.note}", f"/notes/{number + 1000}").replace(
            f'"n": {self.note}', f'"n": {number + 1000}'
        )

    def _index(self, number: int) -> dict[str, JSON]:
        return {
            **self.row.columns,
            "session": f"s{number // PER_SESSION}",
            "fingerprint": f"{number:032x}",
            "path": f"/notes/{number + 1000}",
            "resource": str(self.row.columns["resource"]).replace(
                str(self.note), str(number + 1000)
            ),
        }


def make(at: Path, port: int) -> Home:
    home = Home(at)
    found(home)
    home.config.write_text(_CONFIG.format(host=HOST, port=port))
    (home.path / "reversers" / "notes.yaml").write_text(_REVERSER.format(host=HOST))
    return home


@contextmanager
def gateway(home: Home) -> Iterator[int]:
    """One that runs; its port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.serve", str(home.path)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()


def change(port: int, note: int) -> int:
    """Change a note through the gateway; the entry."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    body = json.dumps({"title": f"changed {note}", "labels": ["x"]})
    headers = {"Content-Type": "application/json"}
    connection.request("PATCH", f"http://{HOST}/notes/{note}", body, headers)
    answer = connection.getresponse()
    told = answer.read()
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"note {note} was answered {answer.status}: {told[:500]!r}")
    return int(str(answer.headers["X-Goex-Entry"])[1:])


async def fill(home: Home, model: Model, count: int) -> None:
    """Append so many copies."""
    journal = Journal(home.path)
    numbers = iter(range(count))

    async def worker() -> None:
        for number in numbers:
            await journal.append(model.copy(number))

    try:
        await asyncio.gather(*(worker() for _ in range(_AT_ONCE)))
    finally:
        journal.close()


def took(home: Home, *command: str, times: int = 7) -> float:
    """Milliseconds of the whole process: the median."""
    return statistics.median(_once(home, command) for _ in range(times)) * 1e3


def _once(home: Home, command: Sequence[str]) -> float:
    program = [str(Path(sys.executable).parent / "goex"), "--home", str(home.path), *command]
    environment = {"PATH": os.environ["PATH"], "HOME": str(home.path)}
    began = time.perf_counter()
    done = subprocess.run(
        program, env=environment, capture_output=True, stdin=subprocess.DEVNULL, timeout=1800
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.returncode} {done.stderr[-500:]!r}")
    return seconds


def rows(home: Home, count: int) -> list[Verdict]:
    """What, measured, must, aim."""
    commands = {
        "--help (no journal)": ("--help",),
        "log": ("log", "--last", "50"),
        "log --session": ("log", "--session", f"s{count // PER_SESSION // 2}"),
        "show": ("show", f"e{count // 2}"),
        "undo --last 1 --dry-run": ("undo", "--last", "1", "--dry-run"),
        "undo --session, 10 entries, --dry-run": ("undo", "--session", "default", "--dry-run"),
    }
    return [
        (f"{count} entries: {name}, ms", took(home, *command), _MUST, _AIM)
        for name, command in commands.items()
    ]


def measure(at: Path, count: int, *, verify: bool) -> list[Verdict]:
    """Make the home there, if there is none yet, and see how long the commands take."""
    with notes() as port:
        if at.exists():
            home = Home(at)
            home.config.write_text(_CONFIG.format(host=HOST, port=port))
        else:
            home = make(at, port)
            _fill(home, count)
        with gateway(home) as through:
            for note in range(CHANGES + 1, 2 * CHANGES + 1):
                change(through, note)
            measured = rows(home, count)
        if verify:
            print(f"verify: {took(home, 'verify', times=1) / 1e3:.0f} s", flush=True)
        return measured


def _fill(home: Home, count: int) -> None:
    with gateway(home) as through:
        first = [change(through, note) for note in range(1, CHANGES + 1)]
    with home.reader() as reader:
        model = Model.read(reader, first[-1], CHANGES)
    began = time.perf_counter()
    asyncio.run(fill(home, model, count))
    spent = time.perf_counter() - began
    size = (home.path / "journal.db").stat().st_size >> 20
    print(f"{count} entries appended in {spent:.0f} s: {size} MiB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.journal", description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--verify", action="store_true", help="also time `goex verify`")
    parser.add_argument(
        "--at", type=Path, help="make the home there, and leave it; or use the one there"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measured = measure(given.at or Path(folder) / "home", given.entries, verify=given.verify)
    for what, found_, must, aim in measured:
        mark = "aim" if found_ <= aim else "ok" if found_ <= must else "MISSED"
        print(f"{what:56} {found_:8.0f} {must:6.0f} {aim:6.0f}  {mark}")


if __name__ == "__main__":
    main()

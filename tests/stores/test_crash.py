"""Writers that are killed, and writers side by side: real processes."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from goex_proxy.stores.journal import Journal
from goex_proxy.stores.reader import JournalReader
from goex_proxy.stores.verify import verify
from tests.stores.conftest import SMALL
from tests.stores.helpers import more, opening

ROUNDS = 20

WRITER = """
import asyncio, os, sys
from pathlib import Path
from goex_proxy.stores.journal import Journal
from goex_proxy.stores.rows import Options
from tests.stores.helpers import more, opening, row

async def call(journal, name, number):
    sent = row("sent", {"request": os.urandom(500)}, by=name, number=number)
    entry = await journal.append(opening(sent))
    os.write(1, b"%d 1\\n" % entry)
    await journal.append(more(entry, 1, row("answered", {"response": os.urandom(500)})))
    os.write(1, b"%d 2\\n" % entry)

async def main(folder, name, calls):
    journal = Journal(Path(folder), options=Options(key_pool=32, reserve=0))
    numbers = iter(range(calls))
    async def worker():
        for number in numbers:
            await call(journal, name, number)
    await asyncio.gather(*(worker() for _ in range(6)))
    journal.close()

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


def writer(folder: Path, name: str, calls: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", WRITER, str(folder), name, str(calls)]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def test_a_killed_writer_loses_nothing_it_acknowledged(tmp_path: Path) -> None:
    Journal(tmp_path, options=SMALL).close()
    chance = random.Random(os.urandom(8))
    acknowledged: dict[int, int] = {}
    for number in range(ROUNDS):
        child = writer(tmp_path, f"w{number}", 100_000)
        assert child.stdout is not None
        lines = [child.stdout.readline()]  # it has begun
        time.sleep(chance.uniform(0, 0.08))
        child.send_signal(signal.SIGKILL)
        lines += child.stdout.read().splitlines(keepends=True)
        child.stdout.close()
        child.wait()
        for line in lines:
            if line.endswith(b"\n"):
                entry, events = map(int, line.split())
                acknowledged[entry] = max(events, acknowledged.get(entry, 0))
        with JournalReader(tmp_path) as reader:
            found = verify(reader)
            assert found.sound, found.defects
            assert found.shredded == 0
            for entry, events in acknowledged.items():
                assert len(reader.events(entry)) >= events
    assert len(acknowledged) > ROUNDS


def test_two_processes_share_one_chain(tmp_path: Path) -> None:
    journal = Journal(tmp_path, options=SMALL)
    children = [writer(tmp_path, name, 150) for name in ("left", "right")]
    waits = []
    entry = journal.append_now(opening())
    for seen in range(1, 40):
        started = time.monotonic()
        journal.append_now(more(entry, seen))
        waits.append(time.monotonic() - started)
        time.sleep(0.005)
    for child in children:
        child.communicate(timeout=60)
        assert child.returncode == 0
    found = verify(journal)
    assert (found.sound, found.entries, found.events) == (True, 301, 640)
    by = [event.fields.get("by") for event in journal.all_events() if event.n == 1]
    assert (by.count("left"), by.count("right")) == (150, 150)
    assert max(waits) < 1.5, "no writer starves"
    journal.close()

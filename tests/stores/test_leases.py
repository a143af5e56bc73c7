import subprocess
import sys
import time
from pathlib import Path

import pytest

from goex_proxy.stores.journal import Journal
from goex_proxy.stores.journal_errors import Fenced, JournalBusy
from goex_proxy.stores.rows import Append
from tests.stores.helpers import row


def fenced(journal: Journal, lease: object) -> int:
    return journal.append_now(
        Append(entry=None, expected=0, rows=(row("undo"),), fence=lease.fence)  # type: ignore[attr-defined]
    )


def test_a_lease_has_one_holder_and_can_be_given_back(journal: Journal) -> None:
    lease = journal.leases.acquire("undo:r1", "ann", 60)
    with pytest.raises(JournalBusy, match="being done by ann"):
        journal.leases.acquire("undo:r1", "bob", 60)
    assert journal.leases.acquire("undo:r2", "bob", 60).token == 1
    fenced(journal, lease)
    journal.leases.release(lease)
    assert journal.leases.acquire("undo:r1", "bob", 60).token == lease.token + 1


def test_a_holder_that_lost_its_lease_can_write_nothing_more(journal: Journal) -> None:
    old = journal.leases.acquire("undo:r1", "ann", 0.05)
    time.sleep(0.1)
    new = journal.leases.acquire("undo:r1", "bob", 60)
    before = journal.head()
    with pytest.raises(Fenced):
        fenced(journal, old)
    for late in (lambda: journal.leases.renew(old, 60), lambda: journal.leases.release(old)):
        with pytest.raises(Fenced):
            late()
    assert journal.head() == before
    assert journal.leases.renew(new, 60).token == new.token
    fenced(journal, new)


def test_the_lease_of_a_dead_process_is_free_at_once(journal: Journal, tmp_path: Path) -> None:
    script = """
import os, sys
from pathlib import Path
from goex_proxy.stores.journal import Journal
journal = Journal(Path(sys.argv[1]))
journal.leases.acquire("undo:r1", "child", 3600)
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)
    assert journal.leases.acquire("undo:r1", "me", 60).token == 2

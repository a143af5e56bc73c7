"""Leases: who runs an undo, so that two processes never run the same one.

A lease may be taken when nobody has it, when its holder's process has ended (same boot, and no
process of that id and start time), or when it has expired by the wall clock. A clock that jumps
ahead, or a holder that was stopped for longer than its lease, can therefore lose it while alive;
that is harmless, because every lease has a fencing token that grows with each taking: an append
with a `Fence` is checked against it in its own transaction, and the old holder gets `Fenced`
before anything of it is written. A clock that jumps back only delays what a dead process already
settles. Holders on other hosts do not share a SQLite file.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from goex_proxy.stores.database import Database
from goex_proxy.stores.journal_errors import Fenced, JournalBusy
from goex_proxy.stores.rows import Fence


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A right to do something alone, until it expires. Times in microseconds since 1970."""

    name: str
    holder: str
    token: int
    expires: int

    @property
    def fence(self) -> Fence:
        """To be given with every append that is made under this lease."""
        return Fence(name=self.name, token=self.token)


class Leases:
    """The leases in a journal. Each call is a durable transaction and waits for its turn."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def acquire(self, name: str, holder: str, seconds: float) -> Lease:
        """Take it; JournalBusy, naming the holder, if somebody alive has it."""
        with self._database.transaction() as connection:
            now = time.time_ns() // 1000
            row = connection.execute(
                "SELECT token, holder, process, expires FROM lease WHERE name = ?", (name,)
            ).fetchone()
            token, other, process, expires = row or (0, "", "", 0)
            if expires > now and _is_alive(process):
                left = (expires - now) / 1e6
                raise JournalBusy(f"{name!r} is being done by {other} ({left:.0f} s left); wait")
            lease = Lease(
                name=name, holder=holder, token=token + 1, expires=now + int(seconds * 1e6)
            )
            connection.execute(
                "INSERT INTO lease (name, token, holder, process, expires) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (name) DO UPDATE SET token = excluded.token,"
                " holder = excluded.holder, process = excluded.process,"
                " expires = excluded.expires",
                (name, lease.token, holder, _this_process(), lease.expires),
            )
        return lease

    def renew(self, lease: Lease, seconds: float) -> Lease:
        """Hold it for longer; Fenced if it has passed to another."""
        return self._set_expiry(lease, time.time_ns() // 1000 + int(seconds * 1e6))

    def release(self, lease: Lease) -> None:
        """Give it back; Fenced if it has passed to another."""
        self._set_expiry(lease, 0)

    def _set_expiry(self, lease: Lease, expires: int) -> Lease:
        with self._database.transaction() as connection:
            changed = connection.execute(
                "UPDATE lease SET expires = ? WHERE name = ? AND token = ?",
                (expires, lease.name, lease.token),
            ).rowcount
            if not changed:
                raise Fenced(f"the lease {lease.name!r} has passed to another holder; stop")
        return Lease(name=lease.name, holder=lease.holder, token=lease.token, expires=expires)


def _this_process() -> str:
    return _identity(os.getpid()) or f"pid {os.getpid()}"


def _identity(pid: int) -> str | None:
    """Boot, pid and start time: pids come again, these three do not. None if there is no such
    process, it has ended, or there is no /proc to ask."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # proc(5): the name in parentheses may hold anything; start time is field 22.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else f"{boot} {pid} {fields[19]}"


def _is_alive(process: str) -> bool:
    """Whether that process still runs; yes if there is no telling."""
    parts = process.split()
    if len(parts) != 3 or not parts[1].isdigit():
        return True
    return _identity(int(parts[1])) == process

"""A home: the folder where one installation keeps what it knows. Opening, and nothing more.

All that `log` and `show` need, and light: nothing here imports mitmproxy, aiohttp or a
database toolkit before it is used.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from goex_proxy.stores.journal_errors import Shredded
from goex_proxy.stores.reader import JournalReader
from goex_proxy.stores.rows import StoredEvent

if TYPE_CHECKING:
    from goex_proxy.core.entry import Entry
    from goex_proxy.core.event import Event
    from goex_proxy.stores.journal import Journal
    from goex_proxy.stores.vault import Vault


class HomeError(Exception):
    """The home is missing, in use, or not fit for use; says what to do."""


@dataclass(frozen=True, slots=True)
class Home:
    """Paths of one home. `GOEX_HOME`, `--home`, or `~/.goex-proxy`."""

    path: Path

    @classmethod
    def find(cls, given: str | None = None) -> "Home":
        """The home that was named, by option or by GOEX_HOME; nothing else is looked at."""
        named = given or os.environ.get("GOEX_HOME")
        return cls(Path(named).absolute() if named else Path.home() / ".goex-proxy")

    @property
    def config(self) -> Path:
        return self.path / "goex.yaml"

    @property
    def ca(self) -> Path:
        return self.path / "ca"

    @property
    def bundle(self) -> Path:
        """System roots and our CA, for clients whose setting replaces the store."""
        return self.path / "client" / "bundle.pem"

    @property
    def ca_certificate(self) -> Path:
        return self.path / "client" / "ca.pem"

    @property
    def client(self) -> Path:
        """The only folder of the home that agents may read."""
        return self.path / "client"

    @property
    def vault_file(self) -> Path:
        return self.path / "vault.db"

    @property
    def vault_key(self) -> Path:
        return self.path / "vault.key"

    @property
    def socket(self) -> Path:
        return self.path / "control.sock"

    @property
    def pause(self) -> Path:
        """There while changes are paused."""
        return self.path / "paused"

    @property
    def sessions(self) -> Path:
        """Where the sockets of sealed sessions are."""
        return self.path / "sessions"

    @property
    def callers(self) -> Path:
        return self.path / "callers.json"

    def require(self) -> None:
        """Raises `HomeError` if it was never made, or others may look into it."""
        if not self.config.exists():
            raise HomeError(
                f"there is no home at {self.path}; make one: goex init; or name yours: "
                "GOEX_HOME, --home (that of make run: .goex)"
            )
        status = self.path.stat()
        if status.st_uid != os.geteuid():
            raise HomeError(f"{self.path} belongs to another user")
        if status.st_mode & 0o077:
            raise HomeError(f"{self.path} is open to others; run: chmod 700 {self.path}")

    def reader(self) -> JournalReader:
        """The journal, to read; also while a gateway writes."""
        return JournalReader(self.path)

    def journal(self) -> "Journal":
        from goex_proxy.stores.journal import Journal  # noqa: PLC0415 - not on `log`'s path

        return Journal(self.path)

    def vault(self) -> "Vault":
        from goex_proxy.stores.vault import Vault  # noqa: PLC0415 - not on `log`'s path
        from goex_proxy.stores.vault_key import KeyFile  # noqa: PLC0415 - not on `log`'s path

        return Vault.open(self.vault_file, KeyFile(self.vault_key))

    @contextmanager
    def lock(self) -> Iterator[None]:
        """The exclusive right to change things here. Raises `HomeError` if another has it."""
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise HomeError(
                    f"another goex-proxy is at work in {self.path}; goex status says which: "
                    "wait for it, or stop it"
                ) from None
            yield
        finally:
            os.close(descriptor)


def read_entry(reader: JournalReader, number: int) -> "Entry | None":
    """One entry, folded from its events; None if there is none.

    Payloads that were shredded read as empty. Raises `JournalError`, ValueError.
    """
    from goex_proxy.core.entry import fold  # noqa: PLC0415 - not on `log`'s path

    stored = reader.events(number)
    if not stored:
        return None
    return replace(fold(_event(reader, one) for one in stored), id=number)


def _event(reader: JournalReader, stored: StoredEvent) -> "Event":
    from goex_proxy.stores.event_codec import from_stored  # noqa: PLC0415 - not on `log`'s path

    refs = {ref.name: ref for ref in stored.blobs}

    def blob(name: str) -> bytes | None:
        try:
            return reader.blob(refs[name])
        except Shredded:
            return None

    return from_stored(stored, blob)

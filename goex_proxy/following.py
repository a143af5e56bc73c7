"""Following what changes while a gateway runs: the vault, and the files that people write.

Each by itself: a vault that cannot be read does not keep a corrected policy from being taken.
"""

import asyncio
from pathlib import Path

from goex_proxy.credentials.keyring import Keyring
from goex_proxy.engine.engine import Engine
from goex_proxy.files import config as config_file
from goex_proxy.files.config import Config
from goex_proxy.files.issue import FileError
from goex_proxy.home import Home

_EVERY = 1.0

_AT_START = ("listen", "upstreams", "upstream_ca", "routes", "network", "limits")
"""Settings of goex.yaml that are read once; the others are followed."""

type Stamps = dict[Path, tuple[int, int]]
"""Size and time of every file that a book is made of."""


class Following:
    """Looks once a second. What is wrong now is in `vault` and `files`; '' if it is well.

    The last good state stays in force: of the files as it is; of the vault to know and to scrub
    its values by, while nothing of it is sent.
    """

    def __init__(self, home: Home, config: Config, stamps: Stamps) -> None:
        """`stamps`: of the files as they were read, or earlier: no later change is missed."""
        self._home = home
        self._config = self._started = config
        self._stamps = stamps
        self.vault = ""
        self._unseen = ""

    def files(self, engine: Engine) -> str:
        """Why the files as they are now are not in force."""
        return self._unseen or engine.shelf.trouble

    def outdated(self) -> list[str]:
        """The settings of goex.yaml that changed since the start, and wait for the next one."""
        now = _config_now(self._home, self._config)
        return [name for name in _AT_START if getattr(now, name) != getattr(self._started, name)]

    async def run(self, engine: Engine, keyring: Keyring) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(_EVERY)
            await self.follow_vault(engine, keyring)
            self.follow_files(engine)

    async def follow_vault(self, engine: Engine, keyring: Keyring) -> None:
        try:
            await keyring.refresh()
        except Exception as error:  # noqa: BLE001 - counted and shown; nothing is sent meanwhile
            self.vault = str(error) or type(error).__name__
            engine.failed(f"vault: {type(error).__name__}")
            return
        self.vault = ""

    def follow_files(self, engine: Engine) -> None:
        try:
            if stamps(self._home, self._config) != self._stamps:
                self._config = _config_now(self._home, self._config)
                self._stamps = stamps(self._home, self._config)
                engine.shelf.reload()
        except Exception as error:  # noqa: BLE001 - counted and shown; the last good set stays
            self._unseen = str(error) or type(error).__name__
            engine.failed(f"files: {type(error).__name__}")
            return
        self._unseen = ""


def stamps(home: Home, config: Config) -> Stamps:
    """Those of the files now. Raises OSError."""
    folders = [config.base / entry for entry in (*config.policies, *config.reversers)]
    files = [home.config]
    for folder in folders:
        files += folder.glob("*.yaml") if folder.is_dir() else [folder]
    out = {}
    for file in files:
        if file.is_file():
            status = file.stat()
            out[file] = (status.st_size, status.st_mtime_ns)
    return out


def _config_now(home: Home, last: Config) -> Config:
    """The configuration whose files are followed: while goex.yaml is bad, the last good one."""
    try:
        return config_file.load(home.config)
    except FileError:
        return last  # the reload fails of the same, and says why

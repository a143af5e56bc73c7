from collections.abc import Iterator
from pathlib import Path

import pytest

from goex_proxy.stores.journal import Journal
from goex_proxy.stores.rows import Options

SMALL = Options(key_pool=8, reserve=0, busy_timeout=2.0)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(tmp_path, options=SMALL)
    yield opened
    opened.close()

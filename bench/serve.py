"""A gateway on a home: python -m bench.serve HOME. Prints its port."""

import asyncio
import sys
from pathlib import Path

from goex_proxy.app import Ready, serve
from goex_proxy.home import Home


def _ready(ready: Ready) -> None:
    print(ready.proxy.rpartition(":")[2], flush=True)


if __name__ == "__main__":
    asyncio.run(serve(Home(Path(sys.argv[1])), ready=_ready))

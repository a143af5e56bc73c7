"""What the gateway is measured against: mitmproxy with nothing of ours (design, section 11).

Run: python -m bench.bare UPSTREAM_CA CONFDIR. Prints its port, serves until it is ended.
"""

import asyncio
import sys

from mitmproxy import master, options
from mitmproxy.addons import core, disable_h2c, next_layer, proxyserver, tlsconfig


async def main(ca: str, confdir: str) -> None:
    settings = options.Options(
        listen_host="127.0.0.1", listen_port=0, mode=["regular"], confdir=confdir
    )
    bare = master.Master(settings, with_termlog=False)
    server = proxyserver.Proxyserver()
    bare.addons.add(
        core.Core(),
        server,
        next_layer.NextLayer(),
        tlsconfig.TlsConfig(),
        disable_h2c.DisableH2C(),
    )
    settings.update(connection_strategy="lazy", ssl_verify_upstream_trusted_ca=ca)
    running = asyncio.create_task(bare.run())
    while not server.listen_addrs():
        await asyncio.sleep(0.05)
    print(server.listen_addrs()[0][1], flush=True)
    await running


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))

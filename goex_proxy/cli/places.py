"""Where clients find the gateway, and the files they read."""

from typing import TYPE_CHECKING

from goex_proxy.cli.control import asked
from goex_proxy.cli.failure import Failure

if TYPE_CHECKING:
    from goex_proxy.home import Home
    from goex_proxy.launch.client_files import ClientFiles


def proxy_address(home: "Home") -> str:
    """host:port of the gateway that runs, or of the one that would by goex.yaml."""
    told = asked(home, "status")
    listening = told["listening"] if told is not None else None
    if isinstance(listening, list) and listening:
        return str(listening[0])
    from goex_proxy.files import config

    address = config.load(home.config).listen
    if not address.port:
        hint = "goex serve, or name a port in goex.yaml"
        raise Failure("no gateway runs, and goex.yaml lets it choose its port", hint=hint)
    return str(address)


def files_of(home: "Home") -> "ClientFiles":
    """The files that clients read; made if one is missing."""
    from goex_proxy.launch.client_files import client_files, write_client_files

    files = client_files(home.client, ca=home.ca_certificate, bundle=home.bundle)
    if not all(path.exists() for path in files.paths):
        write_client_files(files)
    return files

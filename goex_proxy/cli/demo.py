"""`goex demo`: a change, the log, the undo, on a service of this machine."""

import click


@click.command(short_help="A change, the log, the undo: no account needed")
def demo() -> None:
    """A change, the log, the undo: on a WebDAV service of this machine, no account needed.

    The gateway, its journal and the client are the real ones. Leaves nothing behind.
    """
    from goex_proxy.cli.demo_play import play

    play()

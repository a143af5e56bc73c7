"""Reading the value of a credential from where it is kept."""

import os
import subprocess
from collections.abc import Mapping

from goex_proxy.stores.credential import FromCommand, FromEnvironment, Source, Stored
from goex_proxy.stores.secret import Secret
from goex_proxy.stores.vault_key import VaultError

COMMAND_SECONDS = 30.0
_LARGEST = 64 * 1024


def read(source: Source, environ: Mapping[str, str] | None = None) -> Secret:
    """The value now. It may block for up to 30 s if it comes from a command.

    Raises VaultError; its text never holds what the command printed.
    """
    match source:
        case Stored(value):
            return _checked(value.reveal(), "the stored value")
        case FromEnvironment(variable):
            found = (os.environ if environ is None else environ).get(variable)
            if found is None:
                raise VaultError(f"the variable {variable} is not set where the gateway runs")
            return _checked(os.fsencode(found), f"the variable {variable}")
        case FromCommand(argv, _):
            return _checked(_output(argv), f"the output of {argv[0]}")


def ttl(source: Source) -> float | None:
    """Seconds for which a value stays good; None: until the vault changes."""
    return source.ttl if isinstance(source, FromCommand) else None


def _output(argv: tuple[str, ...]) -> bytes:
    try:
        done = subprocess.run(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=COMMAND_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        problem = f"did not end within {COMMAND_SECONDS:.0f} s"
    except OSError as error:
        problem = f"cannot be started: {error.strerror}"
    else:
        if done.returncode == 0:
            return done.stdout.removesuffix(b"\n").removesuffix(b"\r")
        problem = f"ended with {done.returncode}"
    raise VaultError(f"the command {argv[0]} {problem}; run it by hand to see why")


def _checked(value: bytes, what: str) -> Secret:
    if not value:
        raise VaultError(f"{what} is empty")
    if len(value) > _LARGEST:
        raise VaultError(f"{what} is larger than {_LARGEST} bytes")
    return Secret(value)

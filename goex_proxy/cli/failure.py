"""How a command fails: a message, a hint, and the exit code of the contract."""

import os
import sys

import click

FAILED, USAGE, REFUSED, CONFLICT, IN_DOUBT = 1, 2, 3, 4, 5


class Failure(click.ClickException):
    """A command that could not do what it was asked. Messages are lower case, without full stop."""

    def __init__(self, message: str, *, hint: str = "", code: int = FAILED) -> None:
        super().__init__(message)
        self.hint = hint
        self.code = code


def worst(codes: "list[int]") -> int:
    """The exit code of several outcomes: 5 > 4 > 3 > 1."""
    return max(codes, default=0)


def complain(message: str, hint: str = "", word: str = "error") -> None:
    """Say on stderr what went wrong, and what to do."""
    plain = "NO_COLOR" in os.environ or not sys.stderr.isatty()
    click.secho(f"{word}: ", fg=None if plain else "red", nl=False, err=True, color=not plain)
    click.echo(message, err=True)
    if hint:
        click.echo(f"hint: {hint}", err=True)


_IN_WORDS = {
    "goex_proxy.console.client": "Refused",
    "goex_proxy.files.issue": "FileError",
    "goex_proxy.gateway.certificates": "CertificateError",
    "goex_proxy.gateway.gateway": "ListenError",
    "goex_proxy.home": "HomeError",
    "goex_proxy.launch.errors": "ViewUnavailable",
    "goex_proxy.stores.journal_errors": "JournalError",
    "goex_proxy.stores.vault_key": "VaultError",
}


def known() -> tuple[type[Exception], ...]:
    """What the rooms below raise and say in words. A module that was never imported raised
    nothing: none is imported for this."""
    loaded = ((sys.modules.get(module), name) for module, name in _IN_WORDS.items())
    return tuple(getattr(module, name) for module, name in loaded if module is not None)


def code_of(error: Exception) -> int:
    """A bad file is 2; the gateway says its own; all else failed."""
    kind = type(error).__name__
    code = getattr(error, "code", FAILED) if kind == "Refused" else FAILED
    return USAGE if kind == "FileError" else int(code)

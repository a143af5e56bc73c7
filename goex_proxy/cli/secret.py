"""`goex secret`: credentials in the vault. A value is read, never printed."""

import json
import shlex
import sys
from typing import TYPE_CHECKING

import click

from goex_proxy.cli.control import asked, warn_if_outdated
from goex_proxy.cli.failure import Failure
from goex_proxy.cli.given import json_option, made_home
from goex_proxy.cli.render import plain, table, talk

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from goex_proxy.core.service import CredentialShape
    from goex_proxy.home import Home
    from goex_proxy.stores.credential import Credential, Source

_LONGEST = 64 * 1024


@click.group(short_help="Credentials in the vault")
def secret() -> None:
    """Credentials in the vault. Agents get placeholders; no command prints a value."""


def _sources[F: "Callable[..., Any]"](command: F) -> F:
    for option in (
        click.option("--no-check", is_flag=True, help="Do not try it at the service."),
        click.option("--command", "argv", metavar="CMD", help="What prints it; no shell is used."),
        click.option("--from-env", metavar="VAR", help="It is in the gateway's environment."),
    ):
        command = option(command)
    return command


@secret.command(short_help="Put one in; prints its placeholder")
@click.argument("service")
@click.option("--as", "variables", multiple=True, metavar="VAR", help="Agents get it as $VAR.")
@_sources
@click.option("--host", "hosts", multiple=True, metavar="HOST", help="Where it may go.")
@click.option("--in", "slots", multiple=True, metavar="SLOT", help="bearer, basic, header:NAME")
@click.option("--name", metavar="NAME", help="Else the service's.")
@click.option("--agent", "agents", multiple=True, metavar="A", help="Only these may use it.")
def add(
    *,
    service: str,
    variables: tuple[str, ...],
    from_env: str | None,
    argv: str | None,
    no_check: bool,
    hosts: tuple[str, ...],
    slots: tuple[str, ...],
    name: str | None,
    agents: tuple[str, ...],
) -> None:
    """Put a credential in the vault. Prints its placeholder, and only that, on stdout.

    The value is read from stdin. Where it may go and stand comes from the service's reverser
    file; for others, say --host and --in. It is tried by one read where the file says how.
    For pushes over https: goex secret add git; `goex run` has git log in with it at its hosts.
    """
    from goex_proxy.credentials.enrol import enrol

    home = made_home()
    shape = _shape(home, service)
    if not ((hosts or shape.hosts) and (slots or shape.slots)):
        hint = f"goex secret add {service} --host api.example.com --in bearer --as NAME_TOKEN"
        raise Failure(f"no reverser file says where {service} is", hint=hint, code=2)
    vault = home.vault()
    try:
        made = enrol(
            vault,
            _source(from_env, argv),
            name=name or service,
            service=service,
            hosts=hosts or shape.hosts,
            slots=slots or shape.slots,
            variables=variables or shape.variables,
            agents=agents,
            shape=shape.prefix or None,
        )
    except ValueError as error:
        raise Failure(str(error), code=2) from None
    finally:
        vault.close()
    _try(home, made, shape, no_check=no_check, undo=lambda: _forget(home, made))
    click.echo(made.placeholder)
    names = ", ".join(f"${each}" for each in made.variables)
    talk(
        f"{plain(made.name)}: agents get it as {names}" if names else f"{plain(made.name)} is kept"
    )


@secret.command("list", short_help="What is in the vault, without values")
@json_option
def list_(*, as_json: bool) -> None:
    """What is in the vault: placeholders, never values."""
    vault = made_home().vault()
    try:
        held = vault.credentials()
    finally:
        vault.close()
    if as_json:
        click.echo(json.dumps([_fields(one) for one in held], ensure_ascii=False))
        return
    titles = ("name", "placeholder", "service", "acts as", "hosts", "as", "agents", "last used")
    cells = (
        (
            one.name,
            "(revoked)" if one.revoked else one.placeholder,
            one.service,
            one.principal,
            ", ".join(one.hosts),
            ", ".join(one.variables),
            ", ".join(one.agents) or "any",
            one.last_used or "never",
        )
        for one in held
    )
    table(titles, cells, stretch=4)
    if not held:
        talk("the vault is empty\nhint: goex secret add SERVICE")


@secret.command(short_help="Another value behind the same placeholder")
@click.argument("name")
@_sources
def rotate(*, name: str, from_env: str | None, argv: str | None, no_check: bool) -> None:
    """Another value behind the same placeholder. Also brings back a revoked one."""
    home = made_home()
    vault = home.vault()
    try:
        old, before = vault.source(vault.get(name).id)
        made = vault.rotate(old.id, _source(from_env, argv))
    finally:
        vault.close()

    def back() -> None:
        vault = home.vault()
        try:
            vault.rotate(old.id, before)
            if old.revoked:
                vault.revoke(old.id)
        finally:
            vault.close()

    _try(home, made, _shape(home, made.service), no_check=no_check, undo=back)
    talk(f"{plain(name)} has another value")


@secret.command(short_help="It is worth nothing any more, and stays known")
@click.argument("name")
def revoke(*, name: str) -> None:
    """Its placeholder is worth nothing any more. It stays known; rotate brings it back."""
    home = made_home()
    vault = home.vault()
    try:
        vault.revoke(vault.get(name).id)
    finally:
        vault.close()
    asked(home, "refresh")
    talk(f"{plain(name)} is revoked")


@secret.command(short_help="Delete it from the vault")
@click.argument("name")
def remove(*, name: str) -> None:
    """Delete it from the vault. What it did can then no longer be undone with it."""
    home = made_home()
    vault = home.vault()
    try:
        vault.remove(vault.get(name).id)
    finally:
        vault.close()
    asked(home, "refresh")
    talk(f"{plain(name)} is removed")


def _fields(one: "Credential") -> dict[str, object]:
    return {
        "name": one.name,
        "placeholder": one.placeholder,
        "service": one.service,
        "hosts": list(one.hosts),
        "slots": list(one.slots),
        "as": list(one.variables),
        "agents": list(one.agents),
        "last_used": one.last_used,
        "principal": one.principal,
        "revoked": one.revoked,
    }


def _shape(home: "Home", name: str) -> "CredentialShape":
    """What the service's reverser file says, hosts included; empty if there is none."""
    from dataclasses import replace

    from goex_proxy.core.service import CredentialShape
    from goex_proxy.engine.library import Library
    from goex_proxy.files import config

    service = Library().catalog(config.load(home.config)).named(name)
    if service is None:
        return CredentialShape(slots=())
    shape = service.credential or CredentialShape(slots=())
    return replace(shape, hosts=shape.hosts or service.hosts)


def _source(from_env: str | None, argv: str | None) -> "Source":
    from goex_proxy.stores.credential import FromCommand, FromEnvironment, Stored
    from goex_proxy.stores.secret import Secret

    if from_env and argv:
        raise click.UsageError("--from-env or --command, not both")
    if from_env:
        return FromEnvironment(from_env)
    if argv:
        try:
            return FromCommand(tuple(shlex.split(argv)))
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--command") from None
    if sys.stdin.isatty():
        value = click.prompt("value", hide_input=True, err=True).encode()
    else:
        value = sys.stdin.buffer.read(_LONGEST + 1).removesuffix(b"\n").removesuffix(b"\r")
    if not value or len(value) > _LONGEST:
        raise click.UsageError("the value on stdin is empty, or longer than 64 KiB")
    return Stored(Secret(value))


def _try(
    home: "Home",
    made: "Credential",
    shape: "CredentialShape",
    *,
    no_check: bool,
    undo: "Callable[[], None]",
) -> None:
    """Have the service say whose it is. What it refuses is not kept."""
    from goex_proxy.cli.checking import NotAccepted, check

    if shape.check is None and not no_check:
        talk(
            f"{plain(made.name)} is not checked: no reverser file says how; its first use will tell"
        )
    elif shape.check is not None and not no_check:
        try:
            talk(check(home, made, shape))
        except NotAccepted as error:
            undo()
            hint = "look at the value; --no-check keeps it all the same"
            raise Failure(f"it was not kept: {error}", hint=hint) from None
    asked(home, "refresh")
    warn_if_outdated(home)


def _forget(home: "Home", made: "Credential") -> None:
    vault = home.vault()
    try:
        vault.remove(made.id)
    finally:
        vault.close()

"""`goex ca`: the local certificate authority, as clients need it."""

import sys
from pathlib import Path

import click

from goex_proxy.cli.failure import Failure
from goex_proxy.cli.given import made_home
from goex_proxy.cli.render import plain, talk

_STORES = (
    (Path("/usr/local/share/ca-certificates"), "goex-proxy.crt", ("update-ca-certificates",)),
    (Path("/etc/pki/ca-trust/source/anchors"), "goex-proxy.pem", ("update-ca-trust",)),
    (Path("/etc/ca-certificates/trust-source/anchors"), "goex-proxy.crt", ("update-ca-trust",)),
)


@click.group(short_help="The local CA, as clients need it")
def ca() -> None:
    """The local certificate authority. Its key never leaves the home.

    `goex run` and `goex env` need none of this: they name the certificate to each client.
    """


@ca.command(short_help="Where the certificate is")
@click.option("--bundle", is_flag=True, help="With the system's roots.")
def path(*, bundle: bool) -> None:
    """Where the certificate is."""
    home = made_home()
    click.echo(str(home.bundle if bundle else home.ca_certificate))


@ca.command(short_help="The certificate, as PEM")
def export() -> None:
    """The certificate, as PEM, on stdout."""
    click.echo(made_home().ca_certificate.read_text(), nl=False)


@ca.command(short_help="How to have the system trust it")
@click.option("--yes", "-y", is_flag=True, help="Do it.")
def install(*, yes: bool) -> None:
    """How to have the system trust it; with --yes: do it.

    Only clients that cannot be told of a certificate need this. Whoever has the home's CA key
    could then speak for any site to this machine.
    """
    certificate = made_home().ca_certificate
    import shutil
    import subprocess

    target, update = _store(certificate)
    if not yes:
        copy = f"cp {plain(certificate)} {target}" if target else ""
        click.echo(
            "\n".join(filter(None, ("sudo " + copy if copy else "", "sudo " + " ".join(update))))
        )
        talk("hint: goex ca install --yes does it, where you may")
        return
    try:
        if target is not None:
            shutil.copyfile(certificate, target)
        subprocess.run(update, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Failure(f"it was not installed: {error}", hint="try it as root") from None
    talk("the system trusts it now")


def _store(certificate: Path) -> tuple[Path | None, tuple[str, ...]]:
    """Where this system keeps what it trusts, and what it runs then."""
    import shutil

    if sys.platform == "darwin":
        keychain = "/Library/Keychains/System.keychain"
        line = ("security", "add-trusted-cert", "-d", "-r", "trustRoot", "-k", keychain)
        return None, (*line, str(certificate))
    for folder, name, update in _STORES:
        if folder.is_dir() and shutil.which(update[0]):
            return folder / name, update
    raise Failure("this system's store of certificates is not known", hint="goex ca path")

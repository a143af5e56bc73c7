"""`goex init`: make the home."""

import click

from goex_proxy.cli.given import the_home
from goex_proxy.cli.render import plain, talk


@click.command(short_help="Make the home: CA, vault, configuration")
@click.option(
    "--posture",
    type=click.Choice(["careful", "balanced", "open"]),
    help="What is done with a call that no rule speaks of; balanced if not said.",
)
def init(*, posture: str | None) -> None:
    """Make the home: a local CA, a vault and its key, goex.yaml.

    Replaces nothing that is there, so it can be run again. Says which logins it found on this
    machine, by their names only.
    """
    from goex_proxy.founding import found
    from goex_proxy.launch.client_files import client_files, write_client_files

    home = the_home()
    had_config = home.config.exists()
    made = found(home, posture=posture or "balanced")
    files = client_files(home.client, ca=home.ca_certificate, bundle=home.bundle)
    if not (files.truststore.exists() and files.wgetrc.exists()) or made:
        write_client_files(files)
    for each in made:
        talk(f"made {each}")
    talk(f"the home is {plain(home.path)}" if made else f"{plain(home.path)} is as it was")
    if had_config and posture is not None:
        talk(f"hint: goex.yaml was there already; set posture: {posture} in {plain(home.config)}")
    _tell_logins()


def _tell_logins() -> None:
    import os
    from pathlib import Path

    from goex_proxy.launch.logins import find_logins

    logins = find_logins(os.environ, Path.home())
    for login in logins:
        talk(f"found a login: {plain(login.service)} in {plain(login.place)}")
    if logins:
        talk("hint: give the vault one that agents shall use: goex secret add SERVICE")
    else:
        talk("hint: see it work, without any account: goex demo")

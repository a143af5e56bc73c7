"""`goex policy`: rules, checked before they are in force."""

import click


@click.group(short_help="Rules: check, test, explain")
def policy() -> None:
    """Rules of your own."""

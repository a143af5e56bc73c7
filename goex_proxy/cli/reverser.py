"""`goex reverser`: what is known of services."""

import click


@click.group(short_help="What is known of services")
def reverser() -> None:
    """What is known of services."""

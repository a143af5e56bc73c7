"""`goex reverser`: what is known of services, and whether it is so."""

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from goex_proxy.cli.failure import Failure
from goex_proxy.cli.given import json_option, made_home, the_home
from goex_proxy.cli.render import plain, table, talk

if TYPE_CHECKING:
    from goex_proxy.core.operation import Operation
    from goex_proxy.core.service import Service
    from goex_proxy.files.config import Config
    from goex_proxy.stores.credential import Credential, Source

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group(short_help="What is known of services: list, check, test")
def reverser() -> None:
    """What is known of services: how their operations read, write, and are undone."""


@reverser.command("list", short_help="Services; or the operations of one")
@click.argument("service", required=False)
@json_option
def list_(*, service: str | None, as_json: bool) -> None:
    """The services that have a reverser file; or the operations of one of them.

    `doubt` is who settles a call whose answer was not seen: evidence, partly, or a person.
    """
    from goex_proxy.engine.library import Library

    services = Library().catalog(_config()).services
    if service is None:
        _services(services, as_json=as_json)
        return
    found = next((one for one in services if one.name == service), None)
    if found is None:
        raise Failure(f"no reverser file describes {plain(service)}", hint="goex reverser list")
    _operations(found, as_json=as_json)


@reverser.command(short_help="Whether reverser files are good")
@click.argument("paths", nargs=-1, type=FILE, metavar="[PATH]...")
def check(*, paths: tuple[Path, ...]) -> None:
    """Whether reverser files are good; without PATH: those that goex.yaml names. Exit 2 if not."""
    from goex_proxy.core.evidence import Settles, settles
    from goex_proxy.engine.library import Library
    from goex_proxy.files import reverser_file

    if paths:
        services: list[Service] = []
        for path in paths:
            services += reverser_file.load(path.read_bytes(), str(path))
    else:
        services = list(Library().catalog(_config()).services)
    found = [operation for service in services for operation in service.operations]
    told = sum(settles(operation) is Settles.EVIDENCE for operation in found)
    talk(f"good: {len(found)} operations of {len(services)} services")
    talk(f"a call in doubt is settled by evidence for {told} of them: goex reverser list SERVICE")


@reverser.command(short_help="Do, undo, redo, undo one call at a real service")
@click.argument("file", type=FILE)
@click.argument("method")
@click.argument("path")
@click.option("--at", "url", required=True, metavar="URL", help="Where the service really is.")
@click.option("--secret", "secret", metavar="NAME", help="The credential of the vault to use.")
@click.option("--json", "body", metavar="BODY", help="The body, as JSON.")
@click.option("--data", metavar="BODY", help="The body, as it is.")
def test(
    *,
    file: Path,
    method: str,
    path: str,
    url: str,
    secret: str | None,
    body: str | None,
    data: str | None,
) -> None:
    """Do, undo, redo, undo one call at a real service, each read back.

    Works in a home of its own, which is deleted. Choose a service that may be tried on: what
    cannot be undone stays done.
    """
    from goex_proxy.cli.reverser_trial import Trial, run

    if body is not None and data is not None:
        raise click.UsageError("--json or --data, not both")
    trial = Trial(
        file=file.resolve(),
        method=method.upper(),
        target=path,
        url=url,
        body=(body or data or "").encode(),
        content_type="application/json" if body is not None else "",
        secret=_credential(secret) if secret else None,
    )
    good = True
    for name, outcome, fine in run(trial):
        click.echo(f"{name:<6}{plain(outcome)}")
        good = good and fine
    if not good:
        raise Failure("it does not hold")


def _config() -> "Config":
    from goex_proxy.files import config

    home = the_home()
    return config.load(home.config) if home.config.exists() else config.Config()


def _credential(name: str) -> "tuple[Credential, Source]":
    vault = made_home().vault()
    try:
        return vault.source(vault.get(name).id)
    finally:
        vault.close()


def _services(services: "tuple[Service, ...]", *, as_json: bool) -> None:
    fields = [
        {
            "service": service.name,
            "hosts": list(service.hosts),
            "trust": service.trust.value,
            "reads": len(service.reads),
            "operations": len(service.operations),
            "fidelity": dict(Counter(one.promise.value for one in service.operations)),
            "file": service.source,
        }
        for service in services
    ]
    if as_json:
        click.echo(json.dumps(fields))
        return
    cells = (
        (
            service.name,
            len(service.operations),
            ", ".join(f"{count} {name}" for name, count in _counted(service)),
            _few(service.hosts) or "(name them in goex.yaml)",
        )
        for service in services
    )
    table(("service", "operations", "undone", "hosts"), cells, stretch=3)


def _few(hosts: tuple[str, ...], shown: int = 3) -> str:
    more = f" and {len(hosts) - shown} more" if len(hosts) > shown else ""
    return ", ".join(hosts[:shown]) + more


def _counted(service: "Service") -> list[tuple[str, int]]:
    return Counter(one.promise.value for one in service.operations).most_common()


def _operations(service: "Service", *, as_json: bool) -> None:
    fields = [_fields(service, operation) for operation in service.operations]
    if as_json:
        click.echo(json.dumps(fields))
        return
    titles = ("operation", "kind", "fidelity", "proved", "doubt", "stays")
    cells = (
        (
            f["operation"],
            f["kind"],
            _promise(operation),
            f["proved"],
            f["doubt"],
            ", ".join(operation.residue),
        )
        for f, operation in zip(fields, service.operations, strict=True)
    )
    table(titles, cells, stretch=5)


def _promise(operation: "Operation") -> str:
    """Of one whose fidelity hangs on the call: the best and the worst."""
    from goex_proxy.core.operation import Fidelity

    worst = operation.promise
    if isinstance(operation.fidelity, Fidelity):
        return worst.value
    source = operation.fidelity.source
    named = [each for each in Fidelity if f"'{each}'" in source or f'"{each}"' in source]
    best = min((*named, worst), key=lambda each: each.rank)
    return worst.value if best is worst else f"{best.value} or {worst.value}"


def _fields(service: "Service", operation: "Operation") -> dict[str, object]:
    from goex_proxy.core.evidence import settles

    return {
        "operation": f"{service.name}.{operation.name}",
        "methods": sorted(operation.match.methods),
        "kind": operation.kind.value,
        "fidelity": operation.promise.value,
        "proved": operation.proved.value,
        "doubt": settles(operation).value,
        "residue": list(operation.residue),
        "line": operation.origin.get("line"),
    }

"""`goex doctor`: what works here, and what to do about what does not."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from goex_proxy.cli.failure import FAILED
from goex_proxy.cli.given import json_option, the_home
from goex_proxy.cli.guarded import Check, guarded
from goex_proxy.cli.render import counted, one_line, painted, plain, talk

if TYPE_CHECKING:
    from goex_proxy.home import Home

_RESERVE = 64 << 20
_DRIFT = 2.0
_SOON = 30.0


@click.command(short_help="What works here, and what to do about what does not")
@json_option
def doctor(*, as_json: bool) -> None:
    """What works here, and what to do about what does not. Changes nothing."""
    found = list(_checks(the_home()))
    if as_json:
        click.echo(json.dumps([asdict(check) for check in found]))
    for check in () if as_json else found:
        word = painted("ok") + "  " if check.ok else painted("bad") + " " if check.fault else "lack"
        click.echo(f"{word} {check.name}: {plain(one_line(check.what))}")
        if check.fix:
            talk(f"     hint: {plain(check.fix)}")
    if any(check.fault and not check.ok for check in found):
        click.get_current_context().exit(FAILED)


def _checks(home: "Home") -> "Iterator[Check]":
    yield _tried("home", lambda: _home(home), "goex init")
    if not home.config.exists():
        return
    yield from guarded(home)
    yield _tried(
        "configuration", lambda: _configuration(home), "correct goex.yaml or the file named"
    )
    yield _tried("vault", lambda: _vault(home), "restore vault.db and vault.key from your backup")
    yield _tried("CA", lambda: _ca(home), "goex init")
    yield _tried("journal", lambda: _journal(home), "goex verify")
    yield _disk(home)
    yield _port(home)
    yield from _views()


def _tried(name: str, look: Callable[[], str], fix: str) -> Check:
    """A check that says what it found, or raises what is wrong."""
    from goex_proxy.cli.failure import Failure, known

    try:
        return Check(name=name, ok=True, what=look())
    except Failure as error:
        return Check(name=name, ok=False, what=error.message, fix=error.hint or fix)
    except (OSError, ValueError) as error:
        return Check(name=name, ok=False, what=str(error), fix=fix)
    except known() as error:
        return Check(name=name, ok=False, what=str(error), fix=fix)


def _home(home: "Home") -> str:
    home.require()
    return str(home.path)


def _configuration(home: "Home") -> str:
    from goex_proxy.engine.library import Library
    from goex_proxy.files import config

    book = Library().book(config.load(home.config))
    services, rules = len(book.catalog.services), len(book.rules.rules)
    return f"posture {book.posture.value}, {services} services, {counted(rules, 'rule')}"


def _vault(home: "Home") -> str:
    vault = home.vault()
    try:
        held = vault.credentials()
        for credential in held:
            vault.source(credential.id)
    finally:
        vault.close()
    return f"{counted(len(held), 'credential')}, each opens"


def _ca(home: "Home") -> str:
    from datetime import UTC, datetime

    from goex_proxy.cli.failure import Failure
    from goex_proxy.gateway.certificates import open_authority

    if not home.ca.exists():
        raise Failure("there is no local CA")
    authority = open_authority(home.ca)
    if authority.pem not in home.bundle.read_bytes():
        raise Failure(f"{home.bundle} does not hold our certificate")
    days = (authority.certificate.not_valid_after_utc - datetime.now(UTC)).days
    if days < _SOON:
        raise Failure(
            f"its certificate ends in {days} days", hint="delete the folder ca; goex init"
        )
    return f"good for {days} days; its key is readable by you alone"


def _journal(home: "Home") -> str:
    with home.reader() as reader:
        head = reader.head()
        open_now = reader.open_entries(["held", "in_doubt"])
        last = reader.events(1)[:1]
    _clock(last[0].at if last else None)
    waits = f", {len(open_now)} waiting for a person (goex held)" if open_now else ""
    return f"{head.seq} events{waits}"


def _clock(first: str | None) -> None:
    """A clock that stands before the first entry is wrong: TLS and budgets would be too."""
    from datetime import UTC, datetime, timedelta

    from goex_proxy.cli.failure import Failure

    if first and datetime.now(UTC) + timedelta(seconds=_DRIFT) < datetime.fromisoformat(first):
        raise Failure("the clock stands before the first entry", hint="set the clock (timedatectl)")


def _disk(home: "Home") -> Check:
    import shutil

    free = shutil.disk_usage(home.path).free
    what = f"{free >> 20} MiB free, {_RESERVE >> 20} MiB are kept back for outcomes"
    if free > 4 * _RESERVE:
        return Check(name="disk", ok=True, what=what)
    fix = "free some space: changes are refused when only the reserve is left"
    return Check(name="disk", ok=False, what=what, fix=fix)


def _port(home: "Home") -> Check:
    import socket

    from goex_proxy.cli.control import asked, outdated
    from goex_proxy.files import config

    told = asked(home, "status")
    if told is not None:
        listening = told["listening"]
        shown = ", ".join(map(str, listening)) if isinstance(listening, list) else ""
        old = outdated(told)
        what = f"runs on {shown}" + (f"; {old}" if old else "")
        fix = "stop the gateway, and start it again" if old else ""
        return Check(name="gateway", ok=not old, what=what, fix=fix)
    try:
        address = config.load(home.config).listen
        with socket.create_server((address.host, address.port)):
            return Check(name="port", ok=True, what=f"{address} is free; no gateway runs")
    except ValueError:
        return Check(name="port", ok=False, what="goex.yaml cannot be read")
    except OSError as error:
        fix = "stop what uses it, or change `listen` in goex.yaml"
        return Check(name="port", ok=False, what=f"{address}: {error.strerror}", fix=fix)


def _views() -> "Iterator[Check]":
    from goex_proxy.launch.plan import Level
    from goex_proxy.launch.probe import probe

    for level in (Level.HIDDEN, Level.SEALED):
        reason = probe(level)
        what = "can be had here" if reason is None else reason
        # Its want is no fault of this installation: `run` says which level it reached.
        name = f"level {level.value}"
        fix = "" if reason is None else "agents see what this user sees: use another user for them"
        yield Check(name=name, ok=reason is None, what=what, fix=fix, fault=False)

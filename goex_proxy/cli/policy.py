"""`goex policy`: rules, checked before they are in force."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from goex_proxy.cli.failure import FAILED, Failure, complain
from goex_proxy.cli.given import made_home, the_home
from goex_proxy.cli.render import counted, painted, plain, talk

if TYPE_CHECKING:
    from goex_proxy.cli.policy_tests import Judged, Verdict
    from goex_proxy.core.book import Book
    from goex_proxy.core.call import Call
    from goex_proxy.files.config import Config
    from goex_proxy.files.policy_test_file import TestFile
    from goex_proxy.home import Home

FILE = click.Path(path_type=Path, exists=True)
_POLICY = """\
# yaml-language-server: $schema=_schema/policy.json
version: 1
rules:
  - hold: github.git/update-ref
    id: force-push
    if: args.?force.orValue(false) == true
    reason: a force push waits for a person
"""
_TESTS = """\
version: 1
policies: [{name}.yaml]
tests:
  - name: a force push waits for a person
    request: {{method: PATCH, url: https://api.github.com/repos/a/b/git/refs/heads/main, json: {{force: true, sha: a}}}}
    expect: {{effect: hold, rule: {name}/force-push}}
"""  # noqa: E501 - a request stands on one line


@click.group(short_help="Rules: new, check, test, explain")
def policy() -> None:
    """Rules: what is allowed, held, denied. They stand in the folder policies of the home."""


@policy.command(short_help="A first rule, and a test of it")
@click.argument("name")
def new(*, name: str) -> None:
    """A policy file with a rule to change, and a test of it beside it."""
    home = made_home()
    folder = home.path / "policies"
    if not (name.isascii() and name.replace("-", "").replace("_", "").isalnum()):
        raise click.BadParameter("letters, digits, - and _", param_hint="NAME")
    for path, text in (
        (folder / f"{name}.yaml", _POLICY),
        (folder / f"{name}_test.yaml", _TESTS.format(name=name)),
    ):
        if path.exists():
            raise Failure(f"{plain(path)} is there already", hint="choose another name")
        path.write_text(text)
        click.echo(str(path))
    if str(folder) in _folders(home):
        talk("it is in force at once, also in a gateway that runs")
    else:
        talk("it is not in force: add ./policies to `policies` in goex.yaml")
    talk("hint: goex policy check; goex policy test")


def _folders(home: "Home") -> list[str]:
    """What goex.yaml names as policies, as paths."""
    from goex_proxy.files import config

    loaded = config.load(home.config)
    return [os.path.normpath(loaded.base / Path(each).expanduser()) for each in loaded.policies]


@policy.command(short_help="Whether policy files are good")
@click.argument("paths", nargs=-1, type=FILE, metavar="[PATH]...")
def check(*, paths: tuple[Path, ...]) -> None:
    """Whether policy files are good; without PATH: those that goex.yaml names. Exit 2 if not.

    Also says which rules are about no operation of the reverser files: exit 2 for the full name
    of one of a known service, a warning for a glob or a service without a file.
    """
    from goex_proxy.engine.library import Library, shipped
    from goex_proxy.files import config, policy_file
    from goex_proxy.files.issue import FileError
    from goex_proxy.files.policy_operations import idle

    named: tuple[str, ...] = tuple(str(path.resolve()) for path in paths)
    base, lists = Path("/"), None
    if not paths:
        loaded = config.load(made_home().config)
        named, base, lists = loaded.policies, loaded.base, loaded.lists
    sources = policy_file.find(named, base, shipped() / "policies")
    rules = policy_file.load(sources, lists).rules
    wrong, later = idle(rules, Library().catalog(_config()))
    for issue in later:
        complain(str(issue), word="warning")
    if wrong:
        raise FileError(*wrong)
    talk(f"good: {counted(len(rules), 'rule')} in {counted(len(sources), 'file')}")


@policy.command(short_help="Run the tests of policies")
@click.argument("paths", nargs=-1, type=FILE, metavar="[PATH]...")
@click.option("--run", "wanted", metavar="GLOB", help="Only tests of such names.")
@click.option("--coverage", is_flag=True, help="Say which rules no test makes apply.")
@click.option("--threshold", type=click.IntRange(0, 100), help="Percent of rules that must apply.")
@click.option("--explain", type=click.Choice(["fails", "all"]), help="Say what each rule did.")
def test(
    *,
    paths: tuple[Path, ...],
    wanted: str | None,
    coverage: bool,
    threshold: int | None,
    explain: str | None,
) -> None:
    """Run the tests of policies: NAME_test.yaml, beside the policy.

    Each case is classified by the reverser files and decided as the gateway would; conditions
    of the core profile by both CEL engines. Exit 1: a test failed, 2: a bad file.
    """
    from goex_proxy.cli.policy_tests import run_case
    from goex_proxy.core import glob
    from goex_proxy.files import policy_test_file

    files = [policy_test_file.load(path) for path in _test_files(paths)]
    applied: set[str] = set()
    known: set[str] = set()
    failed = ran = 0
    for file in files:
        book = _book(file)
        known |= {rule.id for rule in book.rules.rules}
        for case in file.cases:
            if wanted and not glob.matches(wanted, case.name):
                continue
            verdict = run_case(case, book)
            ran, failed = ran + 1, failed + (not verdict.passed)
            applied |= {h.rule for j in verdict.judged for h in j.decision.hits if h.matched}
            _tell(file, verdict, explain)
    talk(f"{ran - failed} of {counted(ran, 'test')} passed")
    covered = _coverage(known, applied, say=coverage or threshold is not None)
    if failed or (threshold is not None and covered < threshold):
        click.get_current_context().exit(FAILED)


@policy.command(short_help="Why a call is decided as it is")
@click.argument("call", nargs=-1, required=True, metavar="ID | METHOD URL")
@click.option("--json", "body", metavar="BODY", help="The body, as JSON.")
@click.option("--agent", default="agent", metavar="A")
@click.option("--foreign/--ours", default=False, help="Whose credential it carries.")
def explain(*, call: tuple[str, ...], body: str | None, agent: str, foreign: bool) -> None:
    """Why a call is decided as it is: every rule that was looked at, and what it said.

    Of an entry of the journal, or of a request that is typed here. Nothing is sent.
    """
    from goex_proxy.cli.policy_tests import judge
    from goex_proxy.engine.library import Library
    from goex_proxy.files import config

    home = made_home()
    book = Library().book(config.load(home.config))
    if len(call) == 1:
        judged = judge(_recorded(call[0]), book)
    elif len(call) == 2:
        judged = judge(_typed(call, body, agent, foreign=foreign), book)
    else:
        raise click.UsageError("an entry, or a method and a URL")
    click.echo(f"operation  {plain(judged.operation)}")
    _explain(judged)


def _test_files(paths: tuple[Path, ...]) -> list[Path]:
    given = paths or (made_home().path / "policies",)
    found: list[Path] = []
    for path in given:
        found += sorted(path.glob("*_test.yaml")) if path.is_dir() else [path]
    if not found:
        raise Failure("there are no tests", hint="goex policy new NAME", code=2)
    return [path.resolve() for path in found]


def _config() -> "Config":
    """That of the home, if there is one: policies are tested where there is none, too."""
    from goex_proxy.files import config

    home = the_home()
    return config.load(home.config) if home.config.exists() else config.Config()


def _book(file: "TestFile") -> "Book":
    from dataclasses import replace

    from goex_proxy.engine.library import Library, shipped
    from goex_proxy.files import policy_file

    loaded = _config()
    sources = policy_file.find(file.policies, file.path.parent, shipped() / "policies")
    rules = policy_file.load(sources, loaded.lists)
    return replace(Library().book(replace(loaded, policies=())), rules=rules)


def _tell(file: "TestFile", verdict: "Verdict", explain: str | None) -> None:
    name = plain(verdict.case.name)
    if verdict.passed:
        click.echo(f"{painted('ok')}   {name}")
    else:
        click.echo(f"{painted('bad')}  {name}  ({plain(file.path.name)}:{verdict.case.at.line})")
    for failure in verdict.failures:
        click.echo(f"       {plain(failure)}")
    if explain == "all" or (explain == "fails" and not verdict.passed):
        for judged in verdict.judged:
            _explain(judged)


def _explain(judged: "Judged") -> None:
    decision = judged.decision
    click.echo(f"decision   {painted(str(decision.effect))} by {plain(decision.rule)}")
    click.echo(f"reason     {plain(decision.reason)}")
    for hit in decision.hits:
        said = "applies" if hit.matched else "does not apply"
        if hit.failed:
            said += f", failed: {hit.failed}"
        elif hit.part is not None:
            said += f": condition {hit.part + 1} does not hold"
        shadow = " (shadow)" if hit.shadow else ""
        click.echo(f"  {plain(hit.rule)}: {hit.effect}{shadow}, {plain(said)}  {plain(hit.where)}")
    for each in judged.disagreements:
        click.echo(f"  {plain(each)}")
    click.echo(f"time       {judged.seconds * 1e6:.0f} us")


def _coverage(known: set[str], applied: set[str], *, say: bool) -> float:
    """Percent of the rules that some test made apply."""
    missing = sorted(known - applied)
    percent = 100.0 * (len(known) - len(missing)) / len(known) if known else 100.0
    if say:
        talk(f"{percent:.0f} % of {counted(len(known), 'rule')} applied in a test")
        for rule in missing:
            talk(f"  never: {plain(rule)}")
    return percent


def _recorded(name: str) -> "Call":
    from goex_proxy.cli.given import ENTRY
    from goex_proxy.cli.log import entry_missing
    from goex_proxy.home import read_entry

    number = ENTRY.convert(name, None, None)
    with made_home().reader() as reader:
        entry = read_entry(reader, number)
    if entry is None:
        raise entry_missing(number)
    return entry.call


def _typed(call: tuple[str, ...], body: str | None, agent: str, *, foreign: bool) -> "Call":
    from datetime import UTC, datetime

    from goex_proxy.core.call import Call, Caller
    from goex_proxy.core.decision import Auth
    from goex_proxy.core.exchange import Headers
    from goex_proxy.files.policy_test_file import request_of

    fields = (("Content-Type", "application/json"),) if body is not None else ()
    try:
        request = request_of(call[0], call[1], Headers(fields), (body or "").encode())
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    return Call(
        request=request,
        caller=Caller(agent=agent),
        auth=Auth.FOREIGN if foreign else Auth.OURS,
        at=datetime.now(UTC).isoformat(),
    )

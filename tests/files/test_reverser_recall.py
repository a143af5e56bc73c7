"""Rules of their day."""

from pathlib import Path

import pytest

from goex_proxy.core.event import RuleText
from goex_proxy.core.operation import Operation
from goex_proxy.core.service import Trust
from goex_proxy.files.reverser_file import load
from goex_proxy.files.reverser_recall import Recaller

SHIPPED = Path(__file__).parents[2] / "reversers"
ONLY_READ = {"llm"}
"""Files without a rule to recall: all that they describe are reads."""


def text_of(made: Operation) -> RuleText:
    return RuleText(name=made.name, text=made.text, digest=made.digest)


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_rule_comes_back_as_it_was(path: Path) -> None:
    recaller = Recaller()
    services = load(path.read_text(), path.name)
    assert any(service.operations for service in services) == (path.stem not in ONLY_READ)
    for service in services:
        for made in service.operations:
            found, again = recaller.recall(text_of(made))
            assert (found.name, found.hosts, found.verbs) == (
                service.name,
                service.hosts,
                service.verbs,
            )
            assert (again.name, again.text, again.digest) == (made.name, made.text, made.digest)
            assert again.match.template == made.match.template
            assert (again.promise, again.residue) == (made.promise, made.residue)


def test_a_text_that_was_changed_is_refused() -> None:
    [service] = load((SHIPPED / "git.yaml").read_text(), "git.yaml")
    rule = text_of(service.operations[0])
    with pytest.raises(ValueError, match="not the one it was"):
        Recaller().recall(RuleText(name="x", text=rule.text + " ", digest=rule.digest))


def test_only_the_latest_are_kept() -> None:
    [service] = load((SHIPPED / "github.yaml").read_text(), "github.yaml")
    recaller = Recaller(most=2)
    first, second, third = (text_of(made) for made in service.operations[:3])
    kept = recaller.recall(first)
    assert recaller.recall(first) is kept
    recaller.recall(second)
    recaller.recall(third)
    assert recaller.recall(first) is not kept


def test_trust_is_that_of_the_day() -> None:
    [service] = load((SHIPPED / "git.yaml").read_text(), "git.yaml")
    made = service.operations[0]
    rule = RuleText(name="x", text=made.text, digest=made.digest, trust="inferred")
    assert Recaller().recall(rule)[0].trust is Trust.INFERRED

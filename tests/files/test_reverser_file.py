"""Reverser files: what they say, and what is said about them when they are wrong."""

from pathlib import Path

import pytest

from goex_proxy.core.service import Trust
from goex_proxy.files.issue import FileError
from goex_proxy.files.reverser_file import load
from tests.files.reverser_parts import HEAD, THING, service, wrong, wrong_operation

SHIPPED = Path(__file__).parents[2] / "reversers"


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_file_loads(path: Path) -> None:
    services = load(path.read_text(), path.name)
    assert services
    assert all(found.reads or found.operations for found in services)
    assert {found.trust for found in services} == {Trust.REVIEWED}


def test_the_shipped_files_are_found_where_the_tests_look() -> None:
    stems = {path.stem for path in SHIPPED.glob("*.yaml")}
    assert {"git", "github", "llm", "slack", "webdav"} <= stems


def test_no_two_shipped_services_have_one_name_or_one_host() -> None:
    services = [s for path in SHIPPED.glob("*.yaml") for s in load(path.read_text(), path.name)]
    names = [found.name for found in services]
    hosts = [host for found in services for host in found.hosts]
    assert len(names) == len(set(names))
    assert len(hosts) == len(set(hosts))


def test_hosts_of_goex_yaml_are_added() -> None:
    [found] = load("version: 1\nservice: dav\nhosts: []\n", "x", {"dav": ["files.example.com"]})
    assert found.hosts == ("files.example.com",)


def test_several_services_stand_in_one_file() -> None:
    text = "version: 1\nservice: a\n---\nversion: 1\nservice: b\n"
    assert [found.name for found in load(text, "x")] == ["a", "b"]
    with pytest.raises(FileError, match="stands twice"):
        load("version: 1\nservice: a\n---\nversion: 1\nservice: a\n", "x")


def test_an_unknown_key_is_named_with_its_place_and_what_was_meant() -> None:
    said = wrong("operatoins: {}\n")
    assert said.startswith("demo.yaml:4:1: a reverser file has no key 'operatoins'")
    assert "operations:?" in said


@pytest.mark.parametrize("key", ["batch", "amend", "marker", "mapper", "expires", "args_from"])
def test_what_comes_later_is_an_error_and_never_passed_over(key: str) -> None:
    said = wrong_operation(f"match: DELETE /x, fidelity: none, {key}: 1")
    assert f"{key}: comes in a later issue" in said


def test_everything_that_is_wrong_is_said_at_once() -> None:
    said = wrong("verbs: often\ndone: res.\nvolatile: 7\n")
    assert [line.split(":")[1] for line in said.splitlines() if line.startswith("demo")] == [
        "4",
        "5",
        "6",
    ]


def test_another_version_is_refused() -> None:
    with pytest.raises(FileError, match="version 2 is not known"):
        load("version: 2\nservice: x\n", "x")


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(FileError, match="empty"):
        load("", "x")


def test_two_operations_that_match_alike_are_refused() -> None:
    said = wrong(
        "operations:\n  a: {match: 'DELETE /x/{id}', fidelity: none}\n"
        "  b: {match: 'DELETE /x/{other}', fidelity: none}\n"
    )
    assert "b matches what a matches already" in said


def test_a_name_of_an_operation_is_checked() -> None:
    assert "not an operation's name" in wrong(
        'operations: {"a b": {match: DELETE /x, fidelity: none}}\n'
    )


def test_volatile_fields_of_the_service_are_those_of_each_resource() -> None:
    found = service("volatile: [updated_at]\n" + THING)
    assert found.resources["thing"].volatile == {"updated_at"}


def test_verbs_can_be_meaningless() -> None:
    assert service("").verbs
    assert not service("verbs: meaningless\n").verbs


def test_an_operation_knows_where_it_stands() -> None:
    found = service("operations:\n  op: {match: DELETE /x, fidelity: none}\n").operations[0]
    assert found.origin == {"file": "demo.yaml", "line": HEAD.count("\n") + 2}

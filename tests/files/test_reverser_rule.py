"""The text of one rule."""

from goex_proxy.core import exact
from goex_proxy.files.reverser_rule import rule_text
from tests.files.reverser_parts import service

TWO = """
done: res.ok
resources:
  thing: {at: "/things/{id:int}"}
  other: {at: "/others/{id:int}"}
operations:
  a: {match: "PATCH {thing}", fidelity: exact, undo: restore}
  b: {match: "POST /b", creates: {other: {id: res.id}}, fidelity: exact, undo: [{delete: "{thing}x"}]}
"""


def test_it_holds_the_operation_and_what_it_names_and_no_more() -> None:
    found = service(TWO.replace("{thing}x", "{other}")).operations
    told = exact.loads(found[0].text)
    assert isinstance(told, dict)
    assert set(told) == {"version", "service", "hosts", "done", "resources", "operations"}
    assert list(told["resources"]) == ["thing"]
    assert list(told["operations"]) == ["a"]


def test_the_hosts_of_its_day_are_written_down() -> None:
    text = rule_text({"version": 1, "service": "x"}, "a", ("h.example",), (), frozenset())
    assert exact.loads(text) == {"version": 1, "service": "x", "hosts": ["h.example"]}


def test_a_change_of_the_rule_changes_its_digest_and_no_other_s() -> None:
    before = service(TWO.replace("{thing}x", "{other}")).operations
    after = service(TWO.replace("{thing}x", "{other}").replace("PATCH", "PUT")).operations
    assert before[0].digest != after[0].digest
    assert before[1].digest == after[1].digest

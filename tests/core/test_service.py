"""Services: what a method and a path may be, the most literal first."""

from dataclasses import replace

import pytest

from goex_proxy.core.operation import Match, Operation
from goex_proxy.core.path import parse
from goex_proxy.core.service import NamedRead, Service, Trust
from goex_proxy.core.template import parse_template
from tests.core.world import a_service, an_operation

NAMES = {
    "many": "POST /files/{path+}",
    "one": "POST /files/{name}",
    "number": "POST /files/{id:int}",
    "literal": "POST /files/7",
    "slash": "POST /files/7/",
    "any": "/files/{name}",
    "tail": "DELETE /files/{path+}",
}
SERVICE = a_service(*(an_operation(name, match) for name, match in NAMES.items()))


def found(method: str, path: str, service: Service = SERVICE) -> list[str]:
    return [item.name for item, _ in service.candidates(method, parse(path))]


@pytest.mark.parametrize(
    ("method", "path", "names"),
    [
        ("POST", "/files/7", ["literal", "number", "one", "any", "many"]),
        ("POST", "/files/x", ["one", "any", "many"]),
        ("POST", "/files/x/y", ["many"]),
        ("POST", "/files/7/", ["slash", "many"]),
        ("PUT", "/files/7", ["any"]),
        ("DELETE", "/files/a/b/", ["tail"]),
        ("POST", "/files", []),
        ("POST", "/other/7", []),
        ("post", "/files/x/y", []),
    ],
)
def test_the_most_literal_comes_first(method: str, path: str, names: list[str]) -> None:
    assert found(method, path) == names


def test_the_order_of_the_file_decides_only_between_equals() -> None:
    turned = replace(SERVICE, operations=SERVICE.operations[::-1])
    assert found("POST", "/files/7", turned) == ["literal", "number", "any", "one", "many"]


def test_a_named_read_comes_before_an_operation_of_its_shape() -> None:
    match = Match(template=parse_template("/files/{x}"), methods=frozenset({"POST"}))
    service = replace(SERVICE, reads=(NamedRead(name="look", match=match),))
    assert found("POST", "/files/x", service) == ["look", "one", "any", "many"]


def test_each_comes_with_the_parameters_of_its_own_template() -> None:
    params = {i.name: p for i, p in SERVICE.candidates("POST", parse("/files/7"))}
    assert params["literal"] == {}
    assert params["number"] == {"id": "7"}
    assert params["many"] == {"path": "7"}


def test_a_service_that_says_nothing_is_reviewed_http_whose_verbs_decide() -> None:
    service = a_service()
    assert (service.trust, service.verbs, service.protocol) == (Trust.REVIEWED, True, "http")
    assert found("POST", "/x", service) == []


def test_what_is_found_is_what_the_file_holds() -> None:
    item, _ = SERVICE.candidates("PUT", parse("/files/7"))[0]
    assert isinstance(item, Operation)
    assert item in SERVICE.operations

"""Which requests are an operation."""

import pytest

from tests.files.reverser_parts import operation, wrong_operation


@pytest.mark.parametrize(
    ("text", "methods", "template"),
    [
        ("PATCH {thing}", {"PATCH"}, "/things/{id:int}"),
        ("PUT {thing}/lock", {"PUT"}, "/things/{id:int}/lock"),
        ("/api/x", set(), "/api/x"),
        ("* /{path+}", set(), "/{path+}"),
        ("PUT|PATCH /x", {"PUT", "PATCH"}, "/x"),
        ("M-SEARCH /x", {"M-SEARCH"}, "/x"),
    ],
)
def test_a_match_is_methods_and_a_template(text: str, methods: set[str], template: str) -> None:
    found = operation(f'match: "{text}", fidelity: none').match
    assert set(found.methods) == methods
    assert found.template.text == template


def test_a_match_may_be_a_map_with_a_condition() -> None:
    found = operation(
        'match: {method: [PUT, POST], path: "/x/{name}", if: "name != args.x"}, fidelity: none'
    ).match
    assert found.methods == {"PUT", "POST"}
    assert found.when is not None
    assert found.when.names == {"name", "args"}


@pytest.mark.parametrize(
    ("match", "said"),
    [
        ('"patch /x"', "not a method and a path"),
        ('"PATCH x"', "not a method and a path"),
        ('"PATCH {thng}"', "there is no resource thng"),
        ('"PATCH /x/{args}"', "must not be called args"),
        ('"PATCH /x?y=1"', "a query in a path"),
        ('"PATCH /x/a{b}"', "fills its whole segment"),
        ('{path: /x, if: "res.ok"}', "res has no value here"),
        ('{path: /x, if: "before == null"}', "before has no value here"),
        ("{path: /x, method: get}", "not a method"),
        ("{method: GET}", "a match without path:"),
        ("{path: /x, graphql: issueUpdate}", "graphql: comes in a later issue"),
    ],
)
def test_a_match_that_is_none_is_refused(match: str, said: str) -> None:
    assert said in wrong_operation(f"match: {match}, fidelity: none")

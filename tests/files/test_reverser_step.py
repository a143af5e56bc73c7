"""Steps of an inverse."""

import pytest

from tests.files.reverser_parts import operation, wrong_operation

MADE = "match: POST /things, creates: {thing: {id: res.id}}, fidelity: exact, undo: "


def test_a_resource_in_a_step_has_the_parameters_of_its_use() -> None:
    [step] = operation(MADE + '[{patch: "{thing}/state", json: {closed: true}}]').undo or ()
    assert step.path.text == "/things/{id:int}/state"  # type: ignore[union-attr]
    assert step.path_texts["id"].whole is not None  # type: ignore[union-attr]


def test_an_expression_fills_one_segment_of_a_path() -> None:
    [step] = operation(MADE + '[{delete: "/x/${res.id}/y/${it}", for: added}]').undo or ()
    assert step.path.shape == ("x", "{}", "y", "{}")  # type: ignore[union-attr]
    assert len(step.path_texts) == 2  # type: ignore[union-attr]


def test_any_method_can_be_requested() -> None:
    [step] = operation(MADE + '[{request: "MOVE /a", headers: {Overwrite: F}}]').undo or ()
    assert step.method == "MOVE"  # type: ignore[union-attr]


def test_a_step_may_make_the_thing_anew() -> None:
    body = (
        'match: "DELETE {thing}", fidelity: equivalent,'
        " undo: [{post: /things, json: {}, remakes: {thing: {id: res.id}}}]"
    )
    [step] = operation(body).undo or ()
    assert step.remakes is not None  # type: ignore[union-attr]
    assert step.remakes[0] == ""  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ("[{json: {}}]", "a step names one request"),
        ("[{post: /a, put: /b}]", "not several"),
        ("[{post: '/a/{other}'}]", "there is no value for {other}"),
        ("[{post: '{thng}'}]", "there is no resource thng"),
        ("[{post: '/a/x${res.id}'}]", "fills its whole segment"),
        ("[{post: '/a/${res.id'}]", "is not closed"),
        ("[{post: /a, json: {x: '${it}'}}]", "it has no value here"),
        ("[{post: /a, if: 7}]", "true or false is wanted"),
        ("[{post: /a, ok: args.x}]", "args has no value here"),
        ("[{post: /a, encode: zip}]", "one of: form"),
        ("[{post: /a, until: res.done}]", "until: comes in a later issue"),
        ("[{post: /a, host: x.example}]", "host: comes in a later issue"),
        ("[{post: /a, as: first}]", "as: comes in a later issue"),
        ("[{post: /a, remakes: {other: {id: res.id}}}]", "no image 'other'"),
        ("[{request: move /a}]", "not a method and a path"),
        ("[7]", "a step is a map"),
    ],
)
def test_a_step_that_is_none_is_refused(steps: str, said: str) -> None:
    assert said in wrong_operation(MADE + steps)

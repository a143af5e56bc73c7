# ruff: noqa: ANN401 - what a factory is given goes to the type that it makes
"""From a step to its requests: values fill their places, and never become anything else."""

from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.core import exact
from goex_proxy.core.exchange import Request
from goex_proxy.core.expression import ExpressionError
from goex_proxy.core.path import parse
from goex_proxy.core.rendering import Rendered, RenderError, requests
from goex_proxy.core.step import StepTemplate, Text
from goex_proxy.core.template import parse_template
from goex_proxy.core.value import ABSENT
from tests.core.world import ORIGIN, PYTHON, Py, a_step, encode, text


def rendered(step: StepTemplate, **names: object) -> list[Rendered]:
    return list(requests(step, names, PYTHON, ORIGIN, encode))


def one(method: str = "POST", path: str = "/notes", names: Any = None, **step: Any) -> Request:
    [made] = rendered(a_step(method, path, **step), **(names or {}))
    return made.request


def test_a_bare_step_is_its_method_and_path_and_nothing_else() -> None:
    made = one("DELETE", "/notes/{id}", {"id": 7})
    assert made == Request(method="DELETE", origin=ORIGIN, target="/notes/7")


def test_json_keeps_the_types_and_digits_of_its_values() -> None:
    value = exact.loads(b'{"n": 9007199254740993.10}')
    names = {"v": value, "t": 'a"}{'}
    [made] = rendered(
        a_step(
            "POST", "/notes", json={"v": text("v"), "t": Text(("x", Py("t"))), "k": [True, None]}
        ),
        **names,
    )
    assert made.request.body == b'{"v":{"n":9007199254740993.10},"t":"xa\\"}{","k":[true,null]}'
    assert made.request.headers.get("content-type") == "application/json"
    assert made.json == {"v": value, "t": 'xa"}{', "k": [True, None]}


def test_a_field_with_a_question_mark_is_dropped_where_it_is_null() -> None:
    names = {"a": None, "b": "", "c": False}
    json = {
        "a?": text("a"),
        "b?": text("b"),
        "c?": text("c"),
        "a": text("a"),
        "in": {"a?": text("a")},
    }
    assert one(names=names, json=json).body == b'{"b":"","c":false,"a":null,"in":{}}'


def test_of_query_form_and_headers_null_is_dropped_always() -> None:
    fields = {"a": text("a"), "b?": text("b"), "c": 1, "d": text("d"), "e": True}
    names = {"a": None, "b": "x y", "d": [1, {"k": "é"}]}
    listed = [("b", "x y"), ("c", "1"), ("d", '[1,{"k":"é"}]'), ("e", "true")]
    assert parse_qsl(one(names=names, query=fields).query) == listed
    assert parse_qsl((one(names=names, form=fields).body or b"").decode()) == listed
    written = [(name, value.replace("é", "\\u00e9")) for name, value in listed]
    assert list(one(names=names, headers=fields).headers) == written


def test_a_form_says_what_it_is_and_which_fields_it_writes() -> None:
    [made] = rendered(a_step("POST", "/x", form={"a": "1&b=2"}))
    assert made.request.body == b"a=1%26b%3D2"
    assert made.request.headers.get("content-type") == "application/x-www-form-urlencoded"
    assert made.json == {"a": "1&b=2"}


def test_a_query_that_comes_to_nothing_leaves_no_mark() -> None:
    assert one(names={"a": None}, query={"a": text("a")}).target == "/notes"


@given(st.text(st.characters(codec="utf-8"), max_size=8))
def test_a_value_of_the_query_stays_one_value(value: str) -> None:
    made = one(names={"v": value}, query={"v": text("v"), "w": "1"})
    assert made.target.isascii()
    assert not set(made.target) & set(" #\r\n")
    assert parse_qsl(made.query, keep_blank_values=True) == [("v", value), ("w", "1")]


def test_a_body_is_the_bytes_of_an_image_or_text_and_has_no_type_of_its_own() -> None:
    for value, body in ((b"\x00\xff", b"\x00\xff"), ("é", "é".encode()), (b"", b"")):
        made = one("PUT", names={"v": value}, body=text("v"), headers={"Content-Type": "image/png"})
        assert made.body == body
        assert made.headers.all("content-type") == ("image/png",)


@pytest.mark.parametrize("value", [None, 1, {"a": 1}, ["x"]])
def test_a_body_that_is_neither_bytes_nor_text_is_refused(value: object) -> None:
    with pytest.raises(RenderError, match="neither bytes nor text"):
        one(names={"v": value}, body=text("v"))


def test_json_that_no_service_could_read_is_refused() -> None:
    with pytest.raises(RenderError, match="the JSON of the step"):
        one(names={"v": b"bytes"}, json={"v": text("v")})


def test_a_codec_writes_the_body_from_its_arguments() -> None:
    made = one(names={"v": "x"}, encode="shout", args={"v": text("v")})
    assert made.body == b"{'V': 'X'}"
    assert made.headers.get("content-type") == "text/shout"
    with pytest.raises(ValueError, match="no codec none"):
        one(encode="none", args={})


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\rb", "\n", "a\0b"])
def test_a_line_break_or_a_nul_in_a_header_is_refused(value: str) -> None:
    with pytest.raises(RenderError, match="line break"):
        one(names={"v": value}, headers={"X-Name": text("v")})


@pytest.mark.parametrize("value", ["Grüße", "日本", "a\x80"])
def test_text_that_a_header_cannot_carry_is_refused_when_the_request_is_made(value: str) -> None:
    with pytest.raises(RenderError, match="X-Name of the step has text that is not ASCII"):
        one(names={"v": value}, headers={"X-Name": text("v")})


def test_utf_8_that_came_in_a_header_goes_out_as_it_came() -> None:
    came = "é".encode().decode("latin-1")
    made = one(names={"v": came}, headers={"X-Name": text("v")})
    assert made.headers.get("x-name") == came


@pytest.mark.parametrize(
    "value",
    ["", ".", "..", "../admin", "a/..", "%2e%2e", "a%2fb", "a\\b", "a\x00b", None, True, ["x"], {}],
)
def test_a_value_that_would_change_the_path_is_refused(value: object) -> None:
    with pytest.raises(RenderError, match="of the path"):
        one("DELETE", "/notes/{id}", {"id": value})


@given(st.one_of(st.text(max_size=12), st.text("./%2eF\\?#&x", max_size=8)))
def test_whatever_value_fills_a_segment_the_request_keeps_its_shape(value: str) -> None:
    try:
        made = one("DELETE", "/notes/{id}/tags", {"id": value})
    except RenderError:
        return
    path = parse(made.path)
    assert made.query == ""
    assert (len(path.segments), path.segments[0], path.segments[2]) == (3, "notes", "tags")


def test_a_parameter_written_in_place_comes_before_one_of_that_name() -> None:
    step = StepTemplate(
        method="GET", path=parse_template("/notes/{id}"), path_texts={"id": text("res['id']")}
    )
    assert rendered(step, id="1", res={"id": "9"})[0].request.target == "/notes/9"


@pytest.mark.parametrize(
    ("condition", "made"), [("True", 1), ("False", 0), ("None", 0), ("1", 0), ("'true'", 0)]
)
def test_a_step_is_made_only_if_its_condition_is_true(condition: str, made: int) -> None:
    assert len(rendered(a_step("POST", "/x", when=Py(condition)))) == made


def test_a_step_for_each_item_is_a_request_for_each_item() -> None:
    step = a_step("POST", "/notes/{it}", each=Py("items"), json={"n": text("it")})
    made = rendered(step, items=["a", "b/c"], it="mine")
    assert [r.request.target for r in made] == ["/notes/a", "/notes/b%2Fc"]
    assert [r.item for r in made] == ["a", "b/c"]
    assert [r.json for r in made] == [{"n": "a"}, {"n": "b/c"}]
    assert rendered(step, items=[]) == []
    assert rendered(a_step("POST", "/x"))[0].item is ABSENT


@pytest.mark.parametrize("items", ["text", None, {"a": 1}])
def test_items_that_are_no_list_are_refused(items: object) -> None:
    with pytest.raises(RenderError, match="is not a list"):
        rendered(a_step("POST", "/x", each=Py("items")), items=items)


def test_an_expression_that_fails_makes_no_request() -> None:
    for step in (
        a_step("POST", "/x", json={"a": text("missing")}),
        a_step("POST", "/x", query={"a?": text("missing")}),
        a_step("POST", "/x", when=Py("missing")),
    ):
        with pytest.raises(ExpressionError):
            rendered(step)


def test_what_came_from_outside_is_never_parsed_again() -> None:
    evil = "${secret} {id} ?x=1#f"
    made = one("POST", "/notes/{id}", {"id": evil, "secret": "s"}, json={"t": text("id")})
    assert made.body == exact.dumps({"t": evil})
    assert "secret" in parse(made.path).segments[1]
    assert made.query == ""

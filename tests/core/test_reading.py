# ruff: noqa: ANN401 - what a factory is given goes to the type that it makes
"""Taking images: pages, sets, picks; what is cut short never passes for all."""

from dataclasses import replace
from typing import Any

import pytest

from goex_proxy.core.command import Fetch
from goex_proxy.core.exchange import Headers, Request, Response
from goex_proxy.core.reading import MAX_MARKS, ImageFailed, locate, look, next_link, take
from goex_proxy.core.resource import Form, Instance, Pages, Resource
from tests.core.story import Story
from tests.core.world import (
    Py,
    a_book,
    a_call,
    a_request,
    a_resource,
    a_service,
    a_step,
    a_subject,
    a_use,
    an_answer,
    an_operation,
    text,
)

TAGS = a_resource("tags", "/tags/{id}", form=Form.SET)


def taking(resource: Resource, **service: Any) -> Story[Any]:
    book = a_book(a_service(an_operation("x", "PATCH /notes/{id}"), **service))
    subject = a_subject(a_call(a_request("PATCH")), book)
    return Story(
        take(subject, resource, Instance(use="", resource=resource.name, params={"id": "1"}))
    )


def read(target: str = "/tags/1", request: Request | None = None) -> Fetch:
    return Fetch(request=request or a_request(target=target), credential="c1")


def linked(items: list[str], link: str = "") -> Response:
    answer = an_answer(items)
    return replace(answer, headers=Headers((*answer.headers, ("Link", link)))) if link else answer


def test_pages_by_link_are_read_to_the_end() -> None:
    told = taking(replace(TAGS, pages=Pages(collect="")))
    told.asks(read(), told=linked(["a"], '<https://other.example/else?page=2&q=a,b>; rel="next"'))
    told.asks(read("/tags/1?page=2&q=a,b"), told=linked(["b"]))
    assert told.result.value == ["a", "b"]


def test_a_page_that_cannot_be_reached_fails_the_image() -> None:
    told = taking(replace(TAGS, pages=Pages(collect="")))
    with pytest.raises(ImageFailed, match="next page"):
        told.asks(read(), told=linked(["a"], '</tags/page/2>; rel="next"'))
    endless = taking(replace(TAGS, pages=Pages(collect="", most=1)))
    endless.asks(read(), told=linked(["a"], '</t?p=2>; rel="next"'))
    with pytest.raises(ImageFailed, match="more than 1 pages"):
        endless.asks(read("/tags/1?p=2"), told=linked(["b"], '</t?p=3>; rel="next"'))


def test_pages_that_hold_too_much_together_fail_the_image() -> None:
    told = taking(replace(TAGS, pages=Pages(collect="")))
    told.asks(read(), told=linked(["a"] * (MAX_MARKS // 2), '</t?p=2>; rel="next"'))
    with pytest.raises(ImageFailed, match="more than is read"):
        told.asks(read("/tags/1?p=2"), told=linked(["b"] * (MAX_MARKS // 2 + 1)))


@pytest.mark.parametrize(
    ("header", "target"),
    [
        ("", None),
        ('</a?p=1>; rel="prev"', None),
        ("</a?p=2>; rel=next", "/notes/1?p=2"),
        ('</a?p=1>; rel="prev", </a?p=2>; title="x"; rel="last next"', "/notes/1?p=2"),
    ],
)
def test_the_next_link(header: str, target: str | None) -> None:
    assert next_link(header, a_request()) == target


def test_pages_by_cursor_in_query_form_and_json() -> None:
    pages = Pages(collect="items", cursor="next")
    first, last = (
        an_answer({"items": ["a"], "next": "c 2"}),
        an_answer({"items": ["b"], "next": ""}),
    )
    told = taking(replace(TAGS, pages=pages)).asks(read(), told=first)
    assert told.asks(read("/tags/1?cursor=c+2"), told=last).result.value == ["a", "b"]
    form = replace(TAGS, pages=pages, read=a_step("POST", "/list", form={"x": ""}))
    told = taking(form).asks(
        read(
            request=a_request(
                "POST",
                "/list",
                body=b"x=",
                headers=Headers((("Content-Type", "application/x-www-form-urlencoded"),)),
            )
        ),
        told=first,
    )
    assert told.asks(
        read(
            request=a_request(
                "POST",
                "/list",
                body=b"x=&cursor=c+2",
                headers=Headers((("Content-Type", "application/x-www-form-urlencoded"),)),
            )
        ),
        told=last,
    ).result.value == ["a", "b"]
    json = replace(TAGS, pages=pages, read=a_step("POST", "/list", json={"x": 1}))
    told = taking(json).asks(read(request=a_request("POST", "/list", json={"x": 1})), told=first)
    assert told.asks(
        read(request=a_request("POST", "/list", json={"x": 1, "cursor": "c 2"})), told=last
    ).result.value == ["a", "b"]


@pytest.mark.parametrize(
    ("pick", "form", "answer", "value"),
    [
        ("res['n']", Form.JSON, {"n": {"a": 1}}, {"a": 1}),
        ("res['n']", Form.JSON, {"n": [{"a": 1}]}, {"a": 1}),
        ("res['n']", Form.SET, {"n": None}, []),
    ],
)
def test_a_pick_is_the_part_that_is_meant(
    pick: str, form: Form, answer: object, value: object
) -> None:
    told = taking(replace(TAGS, pick=Py(pick), form=form)).asks(read(), told=an_answer(answer))
    assert told.result.value == value


def test_an_empty_pick_is_absent_and_a_broken_one_fails() -> None:
    assert (
        not taking(replace(TAGS, pick=Py("res['n']"), form=Form.JSON))
        .asks(read(), told=an_answer({"n": []}))
        .result.present
    )
    for pick in ("res['x']", "len"):
        with pytest.raises(ImageFailed):
            taking(replace(TAGS, pick=Py(pick), form=Form.JSON)).asks(
                read(), told=an_answer({"n": 1})
            )


@pytest.mark.parametrize(
    "answer",
    [
        an_answer({"a": 1}),
        Response(status=500),
        Response(status=200, body=None),
        Response(status=200, body=b"{"),
    ],
)
def test_an_answer_that_is_no_set_fails(answer: Response) -> None:
    with pytest.raises(ImageFailed):
        taking(TAGS).asks(read(), told=answer)


def test_members_are_what_identifies_them() -> None:
    told = taking(replace(TAGS, member=Py("it['n']"))).asks(read(), told=an_answer([{"n": 1}]))
    assert told.result.value == [1]
    with pytest.raises(ImageFailed):
        taking(replace(TAGS, member=Py("it['n']"))).asks(read(), told=an_answer([{}]))


def test_a_service_says_what_is_done_and_what_is_absent() -> None:
    with pytest.raises(ImageFailed):
        taking(TAGS, done=Py("res['ok']")).asks(read(), told=an_answer({}))
    assert (
        not taking(replace(TAGS, absent=Py("status == 200")))
        .asks(read(), told=an_answer([]))
        .result.present
    )


def test_a_scrubbed_answer_makes_a_scrubbed_image() -> None:
    assert taking(TAGS).asks(read(), told=replace(an_answer([]), scrubbed=True)).result.scrubbed


def test_a_read_that_cannot_be_rendered_fails() -> None:
    with pytest.raises(ImageFailed):
        taking(replace(TAGS, read=a_step("GET", "/x", query={"q": text("missing")})))


def test_a_use_may_not_apply_and_its_reads_are_counted() -> None:
    book = a_book(a_service(an_operation("x", "PATCH /notes/{id}")))
    book = replace(book, limits=replace(book.limits, image_requests=0))
    subject = a_subject(a_call(a_request("PATCH")), book)
    assert locate(subject.service, a_use(when=Py("False")), subject.names) is None
    with pytest.raises(ImageFailed, match="image_requests"):
        Story(look(subject, [a_use()], subject.names))
    with pytest.raises(ImageFailed, match="not known"):
        Story(look(subject, [a_use(params={"id": Py("True")})], subject.names))

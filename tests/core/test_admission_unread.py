"""A call whose arguments nobody here has read is neither promised an undo nor let past a rule."""

from dataclasses import replace

import pytest

from goex_proxy.core.admission import arrive
from goex_proxy.core.book import Book
from goex_proxy.core.call import arguments
from goex_proxy.core.catalog import Catalog, Classified, Unreadable
from goex_proxy.core.decoded import BodyState, Decoded
from goex_proxy.core.exchange import Headers, Request
from goex_proxy.core.expression import ExpressionError
from goex_proxy.core.operation import Fidelity, Kind, Match
from goex_proxy.core.resource import Form, Use
from goex_proxy.core.service import NamedRead
from goex_proxy.core.template import parse_template
from tests.core.world import (
    Py,
    a_book,
    a_call,
    a_request,
    a_resource,
    a_service,
    an_operation,
    as_decoded,
    classified,
    decode,
)

EXACT = a_book(a_service(an_operation("notes/edit", "PATCH /notes/{id}", fidelity=Fidelity.EXACT,
                                      promise=Fidelity.EXACT)))  # fmt: skip
NONE = a_book(a_service(an_operation("notes/edit", "PATCH /notes/{id}", fidelity=Fidelity.NONE,
                                     promise=Fidelity.NONE)))  # fmt: skip
UNREAD = [
    a_request("PATCH", "/notes/1").with_body(b'{"title":"x"}', "text/plain"),
    replace(a_request("PATCH", "/notes/1"), body=b'{"title":"x"}'),
    replace(a_request("PATCH", "/notes/1?title=a"), body=None),
]


@pytest.mark.parametrize("request_", UNREAD)
def test_a_call_that_is_promised_an_undo_must_have_a_body_that_was_read(request_: Request) -> None:
    """GitHub takes JSON under any Content-Type: the undo wrote `{}` back and said `already`."""
    assert "cannot be read" in arrive(a_call(request_), EXACT).problem
    assert arrive(a_call(request_), NONE).problem == ""


@pytest.mark.parametrize("request_", UNREAD)
@pytest.mark.parametrize("book", [EXACT, NONE])
def test_a_rule_that_asks_for_arguments_nobody_read_gets_an_error(
    book: object, request_: Request
) -> None:
    """`?channel=allowed` with another channel in a body of 1 MiB and a byte passed a deny."""
    seen = classified(a_call(request_), EXACT)
    with pytest.raises(ExpressionError, match="cannot be read"):
        arguments(seen)


@pytest.mark.parametrize("request_", UNREAD)
def test_of_a_read_too_a_rule_gets_no_arguments_that_nobody_read(request_: Request) -> None:
    """A read of another channel passed a deny by the channel that its URL named."""
    seen = replace(classified(a_call(request_), EXACT), operation=None, kind=Kind.READ)
    with pytest.raises(ExpressionError, match="cannot be read"):
        arguments(seen)


ASKED = [
    replace(a_request("POST", "/search?q=1"), body=None),
    a_request("POST", "/search?q=1").with_body(b"q=2", "text/plain"),
    a_request("POST", "/search?q=1").with_body(b'{"q":1,"q":2}', "application/json"),
]


@pytest.mark.parametrize("request_", ASKED)
@pytest.mark.parametrize("what", ["args['q']", "body['q']", "'q' in query"])
def test_a_condition_on_a_body_that_nobody_read_makes_no_read_of_a_call(
    request_: Request, what: str
) -> None:
    """`POST /graphql?query={viewer}` with a mutation of 1 MiB and a byte left as a read."""
    service = a_service(
        an_operation("any", "POST /{x+}", fidelity=Fidelity.NONE), reads=(a_search(what),)
    )
    arrival = arrive(a_call(request_), a_book(service))
    assert "hangs on its body" in arrival.problem
    assert arrival.opened.operation == "example.unregistered"


@pytest.mark.parametrize("request_", ASKED)
def test_a_condition_on_the_path_asks_for_no_body(request_: Request) -> None:
    book = a_book(a_service(reads=(a_search("method == 'POST'"),)))
    arrival = arrive(a_call(request_), book)
    assert (arrival.problem, arrival.opened.operation) == ("", "example.search")


def a_search(when: str) -> NamedRead:
    match = Match(template=parse_template("/search"), methods=frozenset({"POST"}), when=Py(when))
    return NamedRead(name="search", match=match)


@pytest.mark.parametrize("book", [EXACT, NONE, a_book()])
def test_a_change_with_two_readings_is_refused_of_services_without_a_file_too(
    book: Book,
) -> None:
    """A person approved the last of two amounts, and the service took the first."""
    twice = Decoded(state=BodyState.INVALID, why="duplicate key: 'amount'", ambiguous=True)
    asked = a_request("PATCH", "/notes/1").with_body(b"x", "application/json")
    assert (
        "duplicate key" in arrive(a_call(asked), replace(book, decode=lambda r, c: twice)).problem
    )
    odd = replace(twice, ambiguous=False)
    where = replace(book, decode=lambda r, c: odd)
    assert bool(arrive(a_call(asked), where).problem) == bool(book.catalog.services)


def test_query_and_body_that_differ_have_no_arguments() -> None:
    seen = classified(a_call(a_request("PATCH", "/notes/1?c=a", json={"c": "b"})), EXACT)
    clashing = replace(seen, once=as_decoded(replace(seen.decoded, clash=("c",))))
    with pytest.raises(ExpressionError, match="different things: c"):
        arguments(clashing)


def test_the_content_of_a_file_needs_no_reading() -> None:
    file = replace(a_resource(), form=Form.BYTES)
    operation = an_operation("files/put", "PUT /notes/{id}", images=(Use(resource=file, name=""),))
    body = Decoded(state=BodyState.UNSUPPORTED, why="the content type 'image/png'")
    seen = replace(classified(a_call(), EXACT), operation=operation, once=as_decoded(body))
    assert isinstance(seen, Classified)
    assert seen.unread == ""


@pytest.mark.parametrize(
    "field",
    [
        ("X-HTTP-Method-Override", "DELETE"),
        ("X_HTTP_Method_Override", "DELETE"),
        ("X-Original-URL", "/admin"),
        ("x-rewrite-url", "/admin"),
    ],
)
def test_a_field_that_overrides_method_or_path_is_refused_however_it_is_spelled(
    field: tuple[str, str],
) -> None:
    with pytest.raises(Unreadable, match="overridden"):
        Catalog().classify(a_request(headers=Headers((field,))), decode)

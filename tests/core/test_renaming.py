"""What was made anew is found under its new id."""

from goex_proxy.core.event import Aliased
from goex_proxy.core.exchange import Headers, Origin, Request
from goex_proxy.core.renaming import redirected, renamed
from goex_proxy.core.resource import Instance

ORIGIN = Origin(scheme="https", host="api.example", port=443)
COMMENT = Aliased(
    resource="comment",
    old={"owner": "a", "id": "5"},
    new={"owner": "a", "id": "9"},
    old_path="/repos/a/comments/5",
    new_path="/repos/a/comments/9",
)
AGAIN = Aliased(
    resource="comment",
    old={"owner": "a", "id": "9"},
    new={"owner": "a", "id": "12"},
    old_path="/repos/a/comments/9",
    new_path="/repos/a/comments/12",
)
MESSAGE = Aliased(
    resource="message",
    old={"c": "C1", "ts": "1700000000.000100"},
    new={"c": "C1", "ts": "1800000000.000200"},
)


def instance(resource: str, **params: str) -> Instance:
    return Instance(use="", resource=resource, params=params)


def get(target: str) -> Request:
    return Request(method="PATCH", origin=ORIGIN, target=target)


def test_a_resource_is_read_under_its_newest_id() -> None:
    found = renamed(instance("comment", owner="a", id="5"), [COMMENT, AGAIN])
    assert found.params == {"owner": "a", "id": "12"}


def test_another_owner_s_resource_keeps_its_id() -> None:
    other = instance("comment", owner="b", id="5")
    assert renamed(other, [COMMENT]) == other


def test_what_hangs_on_it_follows() -> None:
    found = renamed(instance("reaction", owner="a", id="5", r="1"), [COMMENT])
    assert found.params == {"owner": "a", "id": "9", "r": "1"}


def test_a_resource_without_that_parameter_is_left_alone() -> None:
    issue = instance("issue", owner="a", n="5")
    assert renamed(issue, [COMMENT]) == issue


def test_a_request_goes_to_the_newest_path() -> None:
    assert redirected(get("/repos/a/comments/5"), [COMMENT, AGAIN]).path == "/repos/a/comments/12"


def test_a_request_below_it_goes_along() -> None:
    found = redirected(get("/repos/a/comments/5/reactions"), [COMMENT])
    assert found.path == "/repos/a/comments/9/reactions"


def test_a_path_that_only_begins_alike_stays() -> None:
    assert redirected(get("/repos/a/comments/55"), [COMMENT]).path == "/repos/a/comments/55"


def test_a_form_names_the_new_message() -> None:
    form = get("/api/chat.delete").with_body(
        b"channel=C1&ts=1700000000.000100", "application/x-www-form-urlencoded"
    )
    assert redirected(form, [MESSAGE]).body == b"channel=C1&ts=1800000000.000200"


def test_a_short_id_is_not_replaced_wherever_it_stands() -> None:
    form = get("/x?page=5").with_body(b"n=5", "application/x-www-form-urlencoded")
    assert redirected(form, [COMMENT]) == form


def test_other_bodies_are_not_touched() -> None:
    body = get("/x").with_body(b'{"ts":"1700000000.000100"}', "application/json")
    assert redirected(body, [MESSAGE]) == body


def test_headers_survive() -> None:
    request = Request(method="GET", origin=ORIGIN, target="/a?b=c", headers=Headers((("X", "1"),)))
    assert redirected(request, [MESSAGE]).headers.get("x") == "1"

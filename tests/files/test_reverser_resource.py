"""Resources: how one thing is read."""

import pytest

from goex_proxy.core.resource import Form
from tests.files.reverser_parts import service, wrong


def test_a_path_is_enough() -> None:
    found = service('resources: {thing: {at: "/t/{id}", query: {full: 1}}}\n').resources["thing"]
    assert (found.read.method, found.read.path.text) == ("GET", "/t/{id}")
    assert found.read.query == {"full": 1}
    assert found.keys == ("id",)


def test_read_and_written_in_two_places() -> None:
    found = service('resources: {ref: {at: "/refs/{r+}", read: {get: "/ref/{r+}"}}}\n').resources[
        "ref"
    ]
    assert found.at is not None
    assert (found.at.text, found.read.path.text) == ("/refs/{r+}", "/ref/{r+}")


def test_parameters_stand_in_the_texts_of_a_read_as_values() -> None:
    made = service(
        'resources: {m: {read: {post: /r, form: {c: "{c}", both: "{c}/{ts}", one: x}}}}\n'
    )
    found = made.resources["m"]
    assert found.keys == ("c", "ts")
    scope = made.language.scope({"c": "${x}", "ts": "{c}"})
    assert found.read.form["c"].render(scope) == "${x}"  # type: ignore[union-attr]
    assert found.read.form["both"].render(scope) == "${x}/{c}"  # type: ignore[union-attr]
    assert found.read.form["one"] == "x"


def test_a_quoted_parameter_in_an_expression_is_the_parameter_and_never_text() -> None:
    made = service(
        "resources: {m: {read: {post: /r, form: {ts: '{ts}'}}, pick: \"res.filter(m, m == '{ts}')\"}}\n"
    )
    pick = made.resources["m"].pick
    assert pick is not None
    evil = "' || true || m == '"
    assert pick.evaluate(made.language.scope({"res": ["a"], "ts": evil})) == []
    assert pick.evaluate(made.language.scope({"res": ["a", evil], "ts": evil})) == [evil]


def test_a_set_has_members_and_pages() -> None:
    found = service(
        'resources: {s: {read: {get: "/s/{c}", pages: {cursor: meta.next, collect: all, param: at, most: 3}}, set: it.id}}\n'
    ).resources["s"]
    assert found.form is Form.SET
    assert found.pages is not None
    assert (found.pages.cursor, found.pages.collect, found.pages.most) == ("meta.next", "all", 3)
    link = service('resources: {s: {at: "/s/{c}", pages: link, set: it}}\n').resources["s"]
    assert link.pages is not None
    assert link.pages.cursor == ""


def test_guards_are_fields_or_headers() -> None:
    found = service(
        'resources: {f: {at: "/f/{p+}", guard: {json: {sha: it.sha}, query: {v: it.v}, if-match: etag}}}\n'
    ).resources["f"]
    assert [(place, name) for place, name, _ in found.guard] == [
        ("json", "sha"),
        ("query", "v"),
        ("header", "If-Match"),
    ]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{}", "a resource that cannot be read"),
        ("{read: {}}", "a read names one request"),
        ("{read: {get: /a, post: /b}}", "not several"),
        ('{at: "/t/{id}", kind: text}', "one of: json, bytes"),
        ('{at: "/t/{id}", kind: json, set: it}', "a set is always of JSON"),
        ('{at: "/t/{id}", decode: yaml}', "one of: form"),
        ('{at: "/t/{id}", absent: "id == \'x\'"}', "id has no value here"),
        ('{at: "/t/{id}", pages: all}', "pages: is not 'all'"),
        ('{at: "/t/{id}", guard: {if-match: [a]}}', "is one expression"),
        ('{read: {get: "/t/{id}", query: {a: "${res.x}"}}}', "res has no value here"),
        ('{at: "/t/{id}", for: args.ids}', "for: comes in a later issue"),
    ],
)
def test_a_resource_that_is_none_is_refused(body: str, said: str) -> None:
    assert said in wrong(f"resources: {{thing: {body}}}\n")

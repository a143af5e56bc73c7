"""Operations: what they refer to, and contradictions in them."""

import pytest

from goex_proxy.core.operation import Fidelity, Kind, Undo
from tests.files.reverser_parts import operation, wrong_operation

SET = 'resources: {tags: {at: "/things/{id:int}/tags", set: it}, thing: {at: "/things/{id:int}"}}\n'


def test_the_resource_of_the_match_is_the_image() -> None:
    found = operation('match: "PATCH {thing}", fidelity: exact, undo: restore')
    assert [(use.name, use.resource.name) for use in found.images] == [("", "thing")]
    assert found.undo is Undo.RESTORE
    assert found.kind is Kind.WRITE


def test_without_an_undo_nothing_is_read() -> None:
    assert operation('match: "DELETE {thing}", fidelity: none').images == ()
    assert operation('match: "DELETE {thing}", fidelity: none').kind is Kind.DELETE


def test_the_promise_is_the_worst_that_the_expression_names() -> None:
    found = operation(
        "match: 'PUT {thing}', undo: restore, fidelity: \"before == null ? 'exact' : 'compensating'\""
    )
    assert found.promise is Fidelity.COMPENSATING
    assert found.reads_before


def test_what_is_created_has_its_parameters_from_the_answer() -> None:
    found = operation(
        "match: POST /things, creates: {thing: {id: res.id}}, fidelity: exact, undo: delete"
    )
    assert found.creates is not None
    assert found.creates.name == ""
    assert found.creates.params["id"].names == {"res"}


def test_beside_another_image_the_creation_has_a_name() -> None:
    found = operation(
        'match: "POST /things/{id:int}/copy", image: thing, creates: {thing: {id: res.id}},'
        " fidelity: exact, undo: delete"
    )
    assert [use.name for use in found.images] == [""]
    assert found.creates is not None
    assert found.creates.name == "thing"


def test_images_may_be_bound_named_and_conditional() -> None:
    found = operation(
        'match: "POST /move/{a}/{b}", images: {src: {thing: {id: a}, if: "b != \'1\'"}, dst: {thing: {id: b}}},'
        ' fidelity: exact, undo: [{delete: "{dst}"}]'
    )
    assert [use.name for use in found.images] == ["src", "dst"]
    assert found.images[0].when is not None
    assert isinstance(found.undo, tuple)
    assert found.undo[0].path_texts["id"].render is not None


def test_a_size_is_bytes_or_has_a_unit() -> None:
    made = "match: DELETE /x, fidelity: none, prefix: "
    assert operation(made + "64KiB").prefix == 65536
    assert operation(made + "7").prefix == 7
    assert "not a size" in wrong_operation(made + "64KB")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('match: "PATCH {thing}", fidelity: exact', "nothing says how it is undone"),
        ('match: "PATCH {thing}", fidelity: none, undo: restore', "there is no undo"),
        ('match: "PATCH {thing}", fidelity: fine, undo: restore', "a fidelity that names none"),
        ('match: "PATCH {thing}", fidelity: exact, undo: back', "undo: is restore, delete, or"),
        ("match: POST /x, fidelity: exact, undo: restore", "needs a before-image"),
        (
            'match: "DELETE {thing}", fidelity: exact, undo: restore',
            "not taken back by another one",
        ),
        ("match: POST /x, fidelity: exact, undo: delete", "needs to know what was created"),
        ("match: POST /x, fidelity: exact, undo: [{post: /y}]", "nothing would be read"),
        ("match: POST /x, fidelity: exact, on: {thing: {}}, undo: restore", "id of thing has no"),
        (
            "match: POST /x, fidelity: exact, on: {thing: {id: '1', x: '2'}}, undo: restore",
            "no parameter 'x'",
        ),
        ("match: POST /x, fidelity: exact, image: thng, undo: restore", "no resource 'thng'"),
        ("match: POST /x, fidelity: none, kind: read", "one of: write, delete, admin"),
        ("match: POST /x, fidelity: none, leaves: {a: true}", "speaks of what was created"),
        ("match: POST /x, fidelity: none, outside: res.ok", "res has no value here"),
        ("match: POST /x, fidelity: none, bind: {args: method}", "has a meaning already"),
        ("match: POST /x, fidelity: none, undoes: [a]", "no key 'undoes'"),
        ("fidelity: none", "an operation without match:"),
        ("match: DELETE /x", "an operation without fidelity:"),
    ],
)
def test_a_contradiction_is_refused(body: str, said: str) -> None:
    assert said in wrong_operation(body)


def test_a_set_is_never_written_back_as_a_whole() -> None:
    body = 'match: "PUT {tags}", fidelity: exact, undo: restore'
    assert "a set is not written back" in wrong_operation(body, SET)


def test_one_image_is_named_in_one_way() -> None:
    body = 'match: "PUT /x/{id:int}", image: thing, on: {thing: {}}, fidelity: exact, undo: restore'
    assert "both name the image" in wrong_operation(body)


LOCK = 'match: "PUT {thing}/lock", image: thing, fidelity: none, evidence: '


def test_evidence_speaks_of_what_was_of_what_is_and_of_the_call() -> None:
    found = operation(LOCK + "{applied: now.why == args.why, not_applied: now == before}").evidence
    assert found is not None
    assert found.applied is not None
    assert found.applied.names == {"now", "args"}
    assert found.not_applied is not None
    assert found.not_applied.names == {"now", "before"}


def test_an_operation_with_evidence_is_read_before_though_nothing_undoes_it() -> None:
    body = 'match: "PUT {thing}", fidelity: none, evidence: {applied: now.done == true}'
    assert [use.resource.name for use in operation(body).images] == ["thing"]


def test_evidence_may_read_more_and_its_text_in_the_journal_holds_that() -> None:
    found = operation(
        'match: "COPY {thing}", images: {it: thing}, fidelity: none,'
        " evidence: {reads: {tags: {tags: {id: id}}}, applied: now.tags == now.it}",
        SET,
    )
    assert found.evidence is not None
    assert [use.resource.name for use in found.evidence.reads] == ["tags"]
    assert '"tags"' in found.text


def test_doubt_may_be_left_to_a_person() -> None:
    found = operation(LOCK + "person").evidence
    assert (found is not None, found and found.applied) == (True, None)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (LOCK + "nobody", "evidence: is a map, or person"),
        (LOCK + "{}", "evidence that proves nothing"),
        (LOCK + "{done: true}", "evidence has no key 'done'"),
        (LOCK + "{applied: args.x == 1}", "does not look at now"),
        (LOCK + "{applied: now.x + 1}", "true or false is wanted"),
        (LOCK + "{applied: now.x == res.x}", "res has no value here"),
        (LOCK + "{applied: now.x == nothing}", "nothing"),
        (LOCK + "{applied: now.x == 1, reads: {y: thing}}", "beside an image without a name"),
        (
            'match: "PUT {thing}", images: {it: thing}, fidelity: none,'
            " evidence: {applied: now.x == 1, reads: {it: thing}}",
            "two images have the name it",
        ),
        (
            "match: POST /x, fidelity: none, evidence: {applied: now.x == 1}",
            "evidence of what was not read before",
        ),
        (
            'match: "PATCH {thing}", fidelity: exact, undo: [{patch: "{thing}", json: {a: "${now.a}"}}]',
            "now has no value here",
        ),
    ],
)
def test_evidence_that_could_settle_nothing_is_refused(body: str, said: str) -> None:
    assert said in wrong_operation(body)

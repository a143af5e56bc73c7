"""Members, guards and unseen fields of an inverse."""

from goex_proxy.core.image import Touch
from goex_proxy.core.inverting import unreadable
from goex_proxy.core.resource import Form
from tests.core.invert_world import FILE, UPDATE, inverse_of
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
    an_image,
    an_operation,
    text,
)


def test_a_member_of_a_set_is_a_step_and_one_that_was_there_is_not() -> None:
    tags = a_resource("tags", "/notes/{id}/tags", form=Form.SET)
    undo = (
        a_step("DELETE", "/notes/{id}/tags/{it}", each=Py("added")),
        a_step("POST", "/notes/{id}/tags", json={"tag": text("it")}, each=Py("removed")),
        a_step("POST", "/log", each=Py("['log']")),
    )
    operation = an_operation("tags/set", "PUT /notes/{id}/tags", images=(a_use(tags),), undo=undo)
    before, after = an_image([1, "b"], resource="tags"), an_image(["a", "b"], resource="tags")
    made = inverse_of(
        operation, a_request("PUT", "/notes/1/tags"), (before,), (after,), added=["a"], removed=[1]
    )
    assert [(s.member, s.restores) for s in made.steps] == [
        (("", "a"), False),
        (("", 1), True),
        (None, False),
    ]
    assert made.touches == (Touch(use="", form=Form.SET, added=("a",), removed=(1,)),)


def test_a_write_carries_the_guard_of_what_it_writes() -> None:
    """Of two files only the one that is written is named by its If-Match."""
    uses = tuple(a_use(FILE, name, params={"path": Py(name)}) for name in ("src", "dst"))
    operation = an_operation(
        "files/move",
        "MOVE /files/{src+}",
        images=uses,
        undo=(
            a_step("MOVE", "/files/{dst+}"),
            a_step("PUT", "/files/{dst+}"),
            a_step("PUT", "/other"),
        ),
    )
    images = [an_image(b"1", name, "file", path=name) for name in ("src", "dst")]
    after = [an_image(None, "src", "file", path="src"), an_image(b"1", "dst", "file", path="dst")]
    made = inverse_of(
        operation, a_request("MOVE", "/files/src"), tuple(images), tuple(after), dst="dst"
    )
    assert [step.guard for step in made.steps] == ["dst", "dst", None]


def test_fields_that_no_image_shows_are_named() -> None:
    call = a_call(a_request("PATCH", json={"title": "a", "password": "x"}))
    subject = a_subject(call, a_book(a_service(UPDATE)))
    assert unreadable(subject, (an_image({}),), (an_image({"title": "a"}),)) == ["password"]
    assert unreadable(subject, (), ()) == []

"""Images: what was read, kept to the byte."""

import pytest

from goex_proxy.core import exact
from goex_proxy.core.image import Goal, Image, Touch
from goex_proxy.core.resource import Form, Instance
from goex_proxy.core.value import ABSENT
from tests.core.world import an_image

IT = Instance(use="", resource="note", params={"id": "1"})


def test_an_image_of_json_is_its_value_with_every_digit() -> None:
    image = Image(instance=IT, body=b'{"n": 9007199254740993.10, "t": "\\u00e9"}')
    assert exact.dumps(image.value) == b'{"n":9007199254740993.10,"t":"\xc3\xa9"}'
    assert image.body == b'{"n": 9007199254740993.10, "t": "\\u00e9"}'


def test_an_image_of_bytes_is_never_parsed() -> None:
    assert Image(instance=IT, form=Form.BYTES, body=b"{not json").value == b"{not json"
    assert Image(instance=IT, form=Form.BYTES).value == b""


def test_what_is_not_there_is_absent_and_not_null() -> None:
    assert an_image(None).value is ABSENT
    assert Image(instance=IT, body=b"null").value is None
    assert Image(instance=IT, form=Form.BYTES, present=False).value is ABSENT


def test_an_image_is_parsed_once() -> None:
    image = an_image({"a": [1]})
    assert image.value is image.value


@pytest.mark.parametrize("field", ["scrubbed", "tags"])
def test_of_an_image_nothing_is_assumed(field: str) -> None:
    assert not getattr(an_image({}), field)


def test_a_touch_is_the_whole_as_it_was_unless_it_says_otherwise() -> None:
    touch = Touch(use="note")
    assert (touch.fields, touch.goal, touch.form) == (None, Goal.BEFORE, Form.JSON)

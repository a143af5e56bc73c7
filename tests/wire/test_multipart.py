"""Multipart bodies: fields, and files by name, size and type."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.core.decoded import BodyState
from goex_proxy.wire import multipart


def part(head: str, content: bytes = b"x") -> bytes:
    return b"--b\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n"


def field(name: str, content: bytes = b"x") -> bytes:
    return part(f'Content-Disposition: form-data; name="{name}"', content)


END = b"--b--\r\n"


def test_fields_are_text_and_files_are_described() -> None:
    disposition = 'Content-Disposition: form-data; name="f"; filename="a.png"'
    body = field("t", "ü".encode()) + part(f"{disposition}\r\nContent-Type: image/png", b"\0\1\2")
    decoded = multipart.decode(body + field("t", b"2\r\n") + END, "form-data", "b")
    assert decoded.args == {
        "t": ["ü", "2\r\n"],
        "f": {"filename": "a.png", "size": 3, "type": "image/png"},
    }


def test_related_parts_give_the_fields_of_the_first() -> None:
    body = part("Content-Type: application/json", b'{"name":"x"}') + part("Content-Type: a/b")
    decoded = multipart.decode(body + END, "related", "b")
    assert decoded.args == {"name": "x"}
    assert decoded.value == [{"type": "application/json", "size": 12}, {"type": "a/b", "size": 1}]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        field("a"),
        END + field("a"),
        b"preamble\r\n" + field("a") + END,
        part("Content-Disposition: form-data") + END,
        part('Content-Disposition: form-data; name="a"; name="b"') + END,
        part("Content-Disposition: form-data; name*=utf-8''a") + END,
        part('Content-Disposition: form-data; name="a"\r\nContent-Disposition: form-data; name="b"')
        + END,
        part('Content-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: base64') + END,
        part('Content-Disposition: form-data; name="a"\r\n folded') + END,
        field("a", b"\xff") + END,
        field("a") + field("a[]") + END,
        field("a\0b") + END,
        field(" a") + END,
        field("a\\b") + END,
        b'--bx\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--b--\r\n',
    ],
)
def test_what_two_readers_would_read_differently_is_invalid(body: bytes) -> None:
    assert multipart.decode(body, "form-data", "b").state is BodyState.INVALID


def test_a_boundary_that_begins_with_a_blank_is_no_boundary() -> None:
    body = (field("a") + END).replace(b"--b", b"-- b")
    assert multipart.decode(body, "form-data", " b").state is BodyState.INVALID


def test_batches_are_unsupported() -> None:
    assert multipart.decode(b"", "mixed", "b").state is BodyState.UNSUPPORTED


def test_more_parts_than_anybody_sends_are_too_large() -> None:
    assert multipart.decode(field("a") * 1001 + END, "form-data", "b").state is BodyState.TOO_LARGE
    assert multipart.decode(field("a") * 9000 + END, "form-data", "b").state is BodyState.TOO_LARGE
    assert multipart.decode(field("a") * 1000 + END, "form-data", "b").state is BodyState.PARSED


@given(st.binary(), st.text(max_size=5), st.sampled_from(["form-data", "related"]))
def test_no_bytes_raise(data: bytes, boundary: str, subtype: str) -> None:
    multipart.decode(data, subtype, boundary)
    multipart.decode(b"--b\r\n" + data + b"\r\n--b--", subtype, "b")

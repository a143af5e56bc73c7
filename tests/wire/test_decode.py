"""What a request asks for, from query, headers and body."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.core.decoded import BodyState, Decoded
from goex_proxy.core.exchange import Origin, Request, Response, headers
from goex_proxy.wire.decode import REQUEST_VALUES, decode, decode_answer, media_type, opaque

ORIGIN = Origin(scheme="https", host="api.example.com", port=443)


def request(body: bytes | None, kind: str = "", target: str = "/", **more: str) -> Request:
    fields = [("Content-Type", kind)] if kind else []
    fields += [(name.replace("_", "-"), value) for name, value in more.items()]
    return Request(method="POST", origin=ORIGIN, target=target, headers=headers(fields), body=body)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b'{"a":"1"}'),
        ("application/vnd.github+json; charset=utf-8", b'{"a":"1"}'),
        ("application/x-www-form-urlencoded", b"a=1"),
        (
            'multipart/form-data; boundary="b"',
            b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\n',
        ),
    ],
)
def test_a_body_is_read_by_its_content_type(kind: str, body: bytes) -> None:
    assert decode(request(body, kind)).args == {"a": "1"}


def test_the_body_wins_over_the_query_and_the_clash_is_told() -> None:
    decoded = decode(request(b'{"a":1,"b":"2"}', "application/json", "/?a=x&b=2&c=3&c=4"))
    assert decoded.args == {"a": 1, "b": "2", "c": ["3", "4"]}
    assert decoded.query == {"a": "x", "b": "2", "c": "4"}
    assert decoded.clash == ("a",)


def test_without_a_body_the_query_is_all() -> None:
    decoded = decode(request(b"", "application/json", "/?a=1"))
    assert (decoded.state, decoded.args) == (BodyState.ABSENT, {"a": "1"})


def test_json_sent_as_text_is_read_only_by_a_declared_codec() -> None:
    sent = request(b'{"a":1}', "text/plain")
    assert decode(sent).state is BodyState.UNSUPPORTED
    assert decode(sent, "json").args == {"a": 1}


@pytest.mark.parametrize(
    ("sent", "state"),
    [
        (request(None, "application/json"), BodyState.TOO_LARGE),
        (request(b"x" * (1 << 20) + b"x", "text/plain"), BodyState.TOO_LARGE),
        (
            request(gzip.compress(bytes(2 << 20)), "a/b", Content_Encoding="gzip"),
            BodyState.TOO_LARGE,
        ),
        (request(b"x", "application/json", Content_Encoding="gzip"), BodyState.INVALID),
        (request(b"x", "application/json", Content_Encoding="lzw"), BodyState.UNSUPPORTED),
        (request(b"a=1", "application/x-www-form-urlencoded; charset=utf-16"), BodyState.INVALID),
        (request(b"{}", "application/json; charset=utf-16"), BodyState.INVALID),
        (request(b"{}", "application/json", "/?a=%ff"), BodyState.INVALID),
        (request(b"{}", "application/json", content_type="text/plain"), BodyState.INVALID),
        (request(b"{}"), BodyState.UNSUPPORTED),
    ],
)
def test_a_body_that_is_not_understood_says_so(sent: Request, state: BodyState) -> None:
    decoded = decode(sent)
    assert decoded.state is state
    assert decoded.why
    assert opaque(decoded)


A = b'--a\r\nContent-Disposition: form-data; name="to"\r\n\r\nme\r\n--a--\r\n'
TWICE = [
    "boundary=a; boundary=b",
    "boundary=a; boundary=a",
    "boundary=a; BOUNDARY=b",
    "boundary=a; boundary*=utf-8''b",
    "boundary=a; boundary*0=b",
    "boundary*0=a; boundary=a",
    "boundary=a; x=boundary=b",
    'boundary=a; x="boundary=b"',
    'boundary=a; x="; y=z"',
    "xboundary=b; boundary=a",
    "boundary=a, boundary=b",
    "boundary=a; boundary =b",
    "boundary=a b",
    "boundary=a; charset",
]


@pytest.mark.parametrize("parameters", TWICE)
def test_a_multipart_of_which_some_read_another_boundary_has_two_readings(parameters: str) -> None:
    """Of two boundaries we took the first and Flask the last: another body."""
    decoded = decode(request(A, f"multipart/form-data; {parameters}"))
    assert decoded.state is BodyState.INVALID
    assert decoded.args == {}
    assert decoded.ambiguous


@pytest.mark.parametrize(
    "parameters", ["boundary=a", 'boundary="a"', "BOUNDARY=a;", "charset=utf-8 ; boundary=a"]
)
def test_a_multipart_of_one_boundary_is_read(parameters: str) -> None:
    assert decode(request(A, f"Multipart/Form-Data; {parameters}")).args == {"to": "me"}


@pytest.mark.parametrize(
    ("kind", "ambiguous"),
    [
        ("application/json; charset=utf-8; charset=utf-16", True),
        ("application/json; charset=utf-8; Charset*=utf-16", True),
        ("application/json; charset=utf-8; charset=UTF-8;", False),
        ("text/plain; charset=utf-8; charset=utf-16", False),
    ],
)
def test_a_charset_that_stands_twice_has_two_readings_where_it_says_two(
    kind: str, ambiguous: bool
) -> None:
    assert decode(request(b"{}", kind)).ambiguous is ambiguous


def test_a_key_that_stands_twice_and_two_types_are_two_readings() -> None:
    assert decode(request(b'{"a":1,"a":2}', "application/json")).ambiguous
    assert decode(request(b"{}", "application/json", content_type="text/plain")).ambiguous
    assert not decode(request(b"{", "application/json")).ambiguous


def test_a_packed_body_is_unpacked() -> None:
    sent = request(gzip.compress(b'{"a":1}'), "application/json", Content_Encoding="gzip")
    assert decode(sent).args == {"a": 1}


def test_an_unknown_codec_is_unsupported_and_not_guessed() -> None:
    assert decode(request(b"{}", "application/json"), "yaml").state is BodyState.UNSUPPORTED


def test_a_header_codec_needs_no_body() -> None:
    sent = request(None, Dropbox_API_Arg='{"path":"/x"}')
    assert decode(sent, "header-json").args == {"path": "/x"}


def test_of_a_request_fewer_values_are_decoded_than_of_an_answer() -> None:
    body = b"[" + b"0," * REQUEST_VALUES + b"0]"
    assert decode(request(body, "application/json")).state is BodyState.TOO_LARGE
    fields = headers([("Content-Type", "application/json")])
    answer = Response(status=200, headers=fields, body=body)
    assert decode_answer(answer).state is BodyState.PARSED


def test_an_answer_is_read_the_same_way() -> None:
    fields = headers([("Content-Type", "application/json")])
    assert decode_answer(Response(status=200, headers=fields, body=b"[1]")).value == [1]


def test_parameters_of_a_media_type_are_read() -> None:
    assert media_type('Text/Plain; Charset="UTF-8"; x') == (
        "text/plain",
        {"charset": "UTF-8", "x": ""},
    )


KINDS = st.sampled_from(
    [
        "application/json",
        "application/x-www-form-urlencoded",
        "text/xml",
        "multipart/form-data; boundary=b",
        "multipart/related; boundary=b",
        "x",
    ]
)
CODINGS = st.sampled_from(["", "gzip", "br", "deflate", "zstd", "x"])


@given(st.binary(), KINDS, CODINGS, st.text(st.characters(codec="latin-1")))
def test_no_request_raises(body: bytes, kind: str, coding: str, query: str) -> None:
    sent = request(body, kind, f"/?{query}", Content_Encoding=coding)
    assert isinstance(decode(sent), Decoded)

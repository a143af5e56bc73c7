"""XML as plain values, without DTDs, entities or depth."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.core.decoded import BodyState
from goex_proxy.wire import xml

MULTISTATUS = b"""<?xml version="1.0" encoding="utf-8"?>
<d:multistatus xmlns:d="DAV:" xmlns:x="urn:x">
 <d:response><d:href>/a%20b.txt</d:href>
  <d:propstat><d:prop><d:getetag>"e1"</d:getetag><x:p>v</x:p></d:prop>
   <d:status>HTTP/1.1 200 OK</d:status></d:propstat>
  <d:propstat><d:prop><d:quota/></d:prop><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat>
 </d:response>
 <d:response><d:href>/gone</d:href><d:status>HTTP/1.1 404 Not Found</d:status></d:response>
</d:multistatus>"""


def test_an_element_is_its_children_attributes_and_text() -> None:
    decoded = xml.decode(b'<a k="1"><b>x</b><b>y</b><c/>t</a>')
    assert decoded.value == {"a": {"@k": "1", "b": ["x", "y"], "c": "", "#text": "t"}}


def test_a_multistatus_is_properties_by_href() -> None:
    assert xml.multistatus(MULTISTATUS).value == {
        "/a%20b.txt": {"status": 200, "props": {"{DAV:}getetag": '"e1"', "{urn:x}p": "v"}},
        "/gone": {"status": 404, "props": {}},
    }


def test_another_document_is_no_multistatus() -> None:
    assert xml.multistatus(b"<a/>").state is BodyState.INVALID


def test_more_elements_than_are_decoded_are_too_large() -> None:
    assert xml.decode(b"<a>" + b"<b/>" * 90_000 + b"</a>").state is BodyState.PARSED
    for item in (b"<b/>", b"<b c='d' e='f'/>"):
        assert xml.decode(b"<a>" + item * 100_000 + b"</a>").state is BodyState.TOO_LARGE


@pytest.mark.parametrize(
    "data",
    [
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b"<a>" * 65 + b"</a>" * 65,
        b"<a>" * 100_000,
        b'<?xml version="1.0" encoding="utf-7"?><a/>',
        "<a/>".encode("utf-16"),
        b"<a>",
        b"",
        b"<a/><b/>",
    ],
)
def test_what_is_dangerous_or_no_xml_is_invalid(data: bytes) -> None:
    assert xml.decode(data).state is BodyState.INVALID


def test_nesting_up_to_the_cap_is_read() -> None:
    assert xml.decode(b"<a>" * 64 + b"</a>" * 64).state is BodyState.PARSED


@given(st.binary() | st.text(st.sampled_from("<>/ab='!?&;[] \"x")).map(str.encode))
def test_no_bytes_raise(data: bytes) -> None:
    xml.multistatus(data)
    xml.decode(b"<a>" + data + b"</a>")

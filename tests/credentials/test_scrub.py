"""Whatever a service echoes in the listed forms comes out as the placeholder."""

import html
import json
from base64 import b64encode, urlsafe_b64encode
from itertools import pairwise
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goex_proxy.core.exchange import Headers, Response
from goex_proxy.credentials.scrub import Scrubs
from goex_proxy.stores.secret import Secret

REAL = b'ghp_CA"NA/RY&<canary>+?=~\xc3\xa9'
SECRETS = [(Secret(REAL), "PLACEHOLDER"), (Secret(b"aaaaaaaab"), "SECOND"), (Secret(b"aaaaaaaabaaaaaaaac"), "THIRD")]  # fmt: skip
SCRUBS = Scrubs(SECRETS)
TEXT = REAL.decode()

FORMS = {
    "raw": REAL,
    "quoted": quote(TEXT, safe="").encode(),
    "quoted lower": b"".join(b"%%%02x" % byte for byte in REAL),
    "json": json.dumps(TEXT).encode(),
    "json utf-8": json.dumps(TEXT, ensure_ascii=False).encode(),
    "json slashes": json.dumps(TEXT).replace("/", "\\/").encode(),
    "json go": json.dumps(TEXT).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e").encode(),
    "html": html.escape(TEXT).encode(),
    "hex": REAL.hex().encode(),
    "json every": "".join(f"\\u{byte:04x}" for byte in REAL).encode(),
    "json EVERY": "".join(f"\\u{byte:04X}" for byte in REAL).encode(),
    "html every": "".join(f"&#{byte};" for byte in REAL).encode(),
    "html every, hex": "".join(f"&#x{byte:X};" for byte in REAL).encode(),
    "HEX": REAL.hex().upper().encode(),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_replaced(form: str) -> None:
    clean = SCRUBS.data(b"before " + FORMS[form] + b" after")
    assert b"PLACEHOLDER" in clean
    assert FORMS[form].strip(b'"') not in clean
    assert clean.startswith(b"before ")
    assert clean.endswith(b" after")


@pytest.mark.parametrize("before", range(6))
@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
def test_base64_is_found_at_every_alignment(before: int, encode: object) -> None:
    assert callable(encode)
    text = encode(b"u" * before + REAL + b"tail")
    clean = SCRUBS.data(text)
    assert b"PLACEHOLDER" in clean
    longest = b64encode(REAL)[4:-4]
    assert longest not in clean


def test_innocent_data_comes_back_as_the_same_object() -> None:
    data, text = b"nothing to see" * 100, "nothing"
    assert SCRUBS.data(data) is data
    assert SCRUBS.text(text) is text
    response = Response(status=200, headers=Headers((("A", "b"),)), body=data)
    assert SCRUBS.response(response) == (response, False)


def test_a_response_is_scrubbed_in_head_and_body() -> None:
    head = Headers((("Location", f"/x?t={quote(TEXT)}"), ("Content-Length", "99")))
    clean, touched = SCRUBS.response(
        Response(status=200, headers=head, body=b"<" + REAL + b">", reason="aaaaaaaab")
    )
    assert touched
    assert clean.headers.fields == (("Location", "/x?t=PLACEHOLDER"), ("Content-Length", "13"))
    assert (clean.body, clean.reason) == (b"<PLACEHOLDER>", "SECOND")


def test_a_compressed_body_is_an_error_not_a_pass() -> None:
    head = Headers((("Content-Encoding", "br"),))
    with pytest.raises(ValueError, match="decode it first"):
        SCRUBS.response(Response(status=200, headers=head, body=b"x"))


def test_a_short_secret_is_named_as_not_looked_for() -> None:
    scrubs = Scrubs([(Secret(b"short12"), "BLIND")])
    assert scrubs.blind == ("BLIND",)
    assert not scrubs
    assert scrubs.data(b"short12") == b"short12"


def test_an_event_is_not_held_back() -> None:
    scrubber = SCRUBS.scrubber()
    assert scrubber.feed(b"data: hello\n\n") == b"data: hello\n\n"
    assert scrubber.feed(b"data: " + REAL[:9]) == b"data: "
    assert scrubber.feed(REAL[9:] + b"\n\n") == b"PLACEHOLDER\n\n"
    assert scrubber.touched
    assert scrubber.flush() == b""


def test_the_longer_of_two_secrets_wins_however_it_is_cut() -> None:
    data = b"aaaaaaaabaaaaaaaac"
    for cut in range(len(data) + 1):
        scrubber = SCRUBS.scrubber()
        assert scrubber.feed(data[:cut]) + scrubber.feed(data[cut:]) + scrubber.flush() == b"THIRD"


pieces = st.sampled_from([*FORMS.values(), b"aaaaaaaab", b"aaaaaaaac", b"a", b"ghp_", b"%67%68", REAL[:7], REAL[3:]])  # fmt: skip


@settings(deadline=None)
@given(parts=st.lists(pieces | st.binary(max_size=12), max_size=8), data=st.data())
def test_any_chunking_gives_what_the_whole_gives(parts: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=12)))
    scrubber = SCRUBS.scrubber()
    ends = [0, *cuts, len(whole)]
    out = b"".join(scrubber.feed(whole[a:b]) for a, b in pairwise(ends))
    out += scrubber.flush()
    assert out == SCRUBS.data(whole)
    assert REAL not in out
    assert scrubber.touched == (out != whole)


@given(secret=st.binary(min_size=8, max_size=40), before=st.binary(max_size=7), after=st.binary(max_size=7))  # fmt: skip
@settings(deadline=None, max_examples=50)
def test_any_secret_is_found_in_any_form(secret: bytes, before: bytes, after: bytes) -> None:
    scrubs = Scrubs([(Secret(secret), "GONE")])
    assert b"GONE" in scrubs.data(b64encode(before + secret + after + b"123"))
    assert b"GONE" in scrubs.data(quote(secret, safe="").encode())
    assert b"GONE" in scrubs.data(before + secret + after)


@pytest.mark.parametrize("tail", [b"", b"x", b"abcd", b"abcdabcd1abcd"])
def test_the_end_of_a_secret_may_look_like_its_beginning(tail: bytes) -> None:
    scrubs = Scrubs([(Secret(b"abcdabcd1abcd"), "GONE")])
    scrubber = scrubs.scrubber()
    out = scrubber.feed(b"abcdabcd1abcd") + scrubber.feed(tail) + scrubber.flush()
    assert (
        out
        == scrubs.data(b"abcdabcd1abcd" + tail)
        == b"GONE" + tail.replace(b"abcdabcd1abcd", b"GONE")
    )

"""What is decided is what is sent: no path that two readers could read differently."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.core.path import Path, canonical, encode_segment, parse

segments = st.text(
    st.characters(codec="utf-8", exclude_characters="\\/%;", exclude_categories=["Cc"]), min_size=1
).filter(lambda s: s not in {".", ".."})


@given(st.lists(segments), st.booleans())
def test_a_path_that_is_written_reads_as_the_same_path(parts: list[str], slash: bool) -> None:
    path = Path(tuple(parts), slash and bool(parts))
    assert parse(str(path)) == path


@given(st.from_regex(r"/[a-z.;%2FfEe5C/\\]{0,12}", fullmatch=True))
def test_what_is_read_and_written_again_is_read_alike(raw: str) -> None:
    try:
        path = parse(raw)
    except ValueError:
        return
    assert parse(str(path)) == path
    assert str(parse(str(path))) == str(path)
    assert str(path).count("/") == raw.count("/")


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("a", "begin"),
        ("*", "begin"),
        ("/a b", "raw"),
        ("/a\\b", "raw"),
        ("/é", "raw"),
        ("/a#b", "raw"),
        ("//a", "empty"),
        ("/a//b", "empty"),
        ("/a//", "empty"),
        ("/%", "encodes nothing"),
        ("/%4", "encodes nothing"),
        ("/%zz", "encodes nothing"),
        ("/%ff", "UTF-8"),
        ("/%c0%af", "UTF-8"),
        ("/.", "dot"),
        ("/a/../b", "dot"),
        ("/a/%2e%2E/b", "dot"),
        ("/a/..%2fb", "dot"),
        ("/a/..;/b", "dot"),
        ("/a/..;x=1/b", "dot"),
        ("/a/.%2F", "dot"),
        ("/a%00", "control"),
        ("/a%5cb", "backslash"),
        ("/%252e", "twice"),
        ("/%252F", "twice"),
        ("/%252f", "twice"),
        ("/a%2Fb%2541", "twice"),
        ("/%25252F", "twice"),
    ],
)
def test_a_path_that_could_be_read_in_two_ways_is_refused(raw: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse(raw)


def test_an_encoded_slash_stays_in_its_segment() -> None:
    path = parse("/repos/a%2fb/x")
    assert path == Path(("repos", "a%2Fb", "x"))
    assert str(path) == "/repos/a%2Fb/x"
    assert path.shown == "/repos/a%2Fb/x"


def test_the_root_and_a_slash_at_the_end() -> None:
    assert parse("/") == Path(())
    assert str(parse("/")) == parse("/").shown == "/"
    assert parse("/a/") == Path(("a",), slash=True)
    assert str(parse("/a/")) == parse("/a/").shown == "/a/"
    assert parse("/a") != parse("/a/")


def test_a_percent_that_is_one_is_sent_encoded() -> None:
    assert parse("/100%25") == Path(("100%",))
    assert str(parse("/100%25")) == "/100%25"
    assert encode_segment("a b%2Fc?") == "a%20b%2Fc%3F"


def test_a_target_is_written_anew_and_its_query_kept() -> None:
    assert canonical("/%61?q=%61&r") == "/a?q=%61&r"
    with pytest.raises(ValueError, match="query"):
        canonical("/a?b c")

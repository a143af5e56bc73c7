"""What the functions of policies and reversers say, and what they refuse to answer."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.files import cel_functions as functions
from tests.files.cel_world import EXACT, HERE, error, run


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("domain('a@Example.COM.')", "example.com"), ("domain('A B <a@b.co>')", "b.co"), ("domain('evil@x.com, a@example.com')", ""),
        ("domain('a@b@example.com')", ""), ("domain('nobody')", ""), ("domain('\"x@evil.com\"@example.com')", ""), ("domain('<a@evil.com> <b@example.com>')", ""),
        ("glob('github.issues/create', 'github.*')", True), ("glob('a', 'b')", False),
        ("rx('abc', 'b')", True), ("rx('abc', '^b')", False),
        ("cidr('10.1.2.3', '10.0.0.0/8')", True), ("cidr('::ffff:10.1.2.3', '10.0.0.0/8')", True), ("cidr('[::1]', '::/8')", True), ("cidr('11.0.0.1', '10.0.0.0/8')", False),
        ("names(['a', {'name': 'b'}])", ["a", "b"]), ("names(null)", []), ("pluck([{'k': 1}, {'k': 2}], 'k')", [1, 2]),
        ("pick({'a': 1, 'b': 2}, ['a', 'z'])", {"a": 1}), ("omit({'a': 1, 'b': 2}, ['a'])", {"b": 2}), ("keys({'a': 1})", ["a"]),
        ("minus([1, 2, 3], [2])", [1, 3]), ("minus([true], [1])", [True]), ("intersect([1, 2, 2], [2])", [2]), ("merge({'a': 1}, {'a': 2, 'b': 3})", {"a": 2, "b": 3}),
        ("find([{'i': 1}, {'i': 2}], 'i', 2)", {"i": 2}), ("find([], 'i', 2)", None), ("chunk([1, 2, 3], 2)", [[1, 2], [3]]),
        ("b64('hé')", "aMOp"), ("b64d('aMOp')", "hé"), ("b64d('aMOp'.replace('+', '-'))", "hé"), ("url('a/b c?')", "a%2Fb%20c%3F"),
        ("split('a,b', ',')", ["a", "b"]), ("'a,b'.split(',')", ["a", "b"]), ("join(['a', 1], '-')", "a-1"), ("['a'].join('-')", "a"), ("basename('/a/b/')", "b"),
        ("swap([{'ref': 'r', 'old': 'a', 'new': 'b'}])", [{"ref": "r", "old": "b", "new": "a"}]),
        ("is_list([1])", True), ("is_list({})", False), ("is_list(null)", False), ("is_file('x')", True), ("is_file(null)", False),
        ("abs('a b/ü')", "https://dav.example/a%20b/%C3%BC"), ("same_host_path('https://dav.example/a%20b/c/')", "a b/c/"), ("same_host_path('/x')", "x"),
    ],
)  # fmt: skip
def test_functions(source: str, value: object) -> None:
    assert run(source, HERE) == value
    assert run(source, HERE, cel=EXACT) == value


@pytest.mark.parametrize(
    "source",
    [
        "cidr('host', '10.0.0.0/8')",
        "rx('a', s)",
        "pluck([{}], 'k')",
        "b64d('%%')",
        "chunk([1], 0)",
        "abs('a/../b')",
        "same_host_path('https://evil.example/a')",
        "same_host_path('//evil.example/a')",
        r"same_host_path('/a\tb')",
        "same_host_path(' /a')",
        "same_host_path('https://dav.example@evil.example/a')",
        "same_host_path('https://dav.example/a/%2e%2e/b')",
        "same_host_path('http://dav.example/a')",
        "same_host_path('https://dav.example/a?b')",
        "join([{}], ',')",
    ],
)
def test_functions_that_cannot_answer_are_an_error(source: str) -> None:
    assert error(source, {**HERE, "s": "("})


# --- by themselves: what CEL's types would keep from them -------------------------------------


@pytest.mark.parametrize(
    "address",
    ["a@b@c.co", "a@b.co c", "a b@c.co", "@c.co", "a@", "a@-b.co", "<a@b.co", "a@b.co>", "x <a@b.co> y", "x <a@b.co>, y <c@d.co>",
     "a@b.co,c@d.co", "a@b.co;c@d.co", "a@b.co\nc@d.co", "a:b@c.co;", "a@[1.2.3.4]", "a@b.co\0", ""],
)  # fmt: skip
def test_what_is_not_one_plain_address_has_no_domain(address: str) -> None:
    assert functions.domain(address) == ""


@given(st.text(max_size=30), st.sampled_from([",", ";", " ", "\n", ":", '"', "<", ">"]))
def test_a_domain_is_never_that_of_one_address_among_several(text: str, between: str) -> None:
    assert functions.domain(f"{text}{between}evil@evil.com,a@ours.com") == ""
    assert functions.domain(f"evil@evil.com{between}{text},a@ours.com") == ""


def test_re2_says_what_is_wrong_with_a_pattern_and_prints_nothing(
    capfd: pytest.CaptureFixture[str],
) -> None:
    for pattern in ("(", "a(?!b)", "(?<name", "\\8", "a{2000}"):
        with pytest.raises(ValueError, match=r".+"):
            functions.pattern_of(pattern)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("address", "network", "inside"),
    [
        ("127.0.0.1", "127.0.0.0/8", True), ("[::ffff:127.0.0.1]", "127.0.0.0/8", True), ("::1", "::1", True), ("::1", "127.0.0.0/8", False),
        ("10.1.2.3", "10.1.2.99/24", True), ("10.1.2.3", "::/0", False),
    ],
)  # fmt: skip
def test_an_address_is_in_a_network_however_either_is_written(
    address: str, network: str, inside: bool
) -> None:
    assert functions.cidr(address, network) is inside


@pytest.mark.parametrize("address", ["", "localhost", "010.0.0.1", "0x7f.1", "127.1", "1.2.3.4:80"])
def test_what_only_looks_like_an_address_is_an_error(address: str) -> None:
    with pytest.raises(ValueError, match="does not appear"):
        functions.cidr(address, "0.0.0.0/0")


def test_items_without_the_field_are_an_error_and_never_left_out() -> None:
    for items in ([{"login": "a"}, {}], ["a"], [None], [["login"]]):
        with pytest.raises(ValueError, match="an item without 'login'"):
            functions.pluck(items, "login")
    with pytest.raises(ValueError, match="without 'name'"):
        functions.names(["a", 7])
    with pytest.raises(ValueError, match="without 'old'"):
        functions.swap([{"ref": "r", "new": "b"}])


def test_null_counts_as_empty_where_a_list_or_a_map_is_wanted() -> None:
    assert functions.pluck(None, "k") == functions.chunk(None, 1) == functions.swap(None) == []
    assert functions.pick(None, ["a"]) == functions.omit(None, ["a"]) == {}
    assert (functions.find(None, "k", 1), functions.joined(None, ",")) == (None, "")


@given(
    st.lists(st.integers(0, 3) | st.booleans(), max_size=6),
    st.lists(st.integers(0, 3) | st.booleans(), max_size=6),
)
def test_what_two_lists_have_in_common_is_in_both_and_once(
    left: list[object], right: list[object]
) -> None:
    def key(item: object) -> tuple[type, object]:
        return type(item), item

    both = [key(item) for item in functions.intersect(left, right)]
    assert len(both) == len(set(both))
    assert set(both) == set(map(key, left)) & set(map(key, right))


def test_found_is_the_first_whose_field_is_the_same_and_true_is_not_one() -> None:
    items = ["x", {"i": True}, {"i": 1, "n": 1}, {"i": 1, "n": 2}]
    assert functions.find(items, "i", 1) == {"i": 1, "n": 1}


@given(st.binary(max_size=40))
def test_base64_of_any_bytes_comes_back_in_every_alphabet(data: bytes) -> None:
    text = functions.b64(data)
    wanted: object = data  # bytes that are no text stay bytes
    with suppress(UnicodeDecodeError):
        wanted = data.decode()
    for written in (text, text.rstrip("="), text.replace("+", "-").replace("/", "_"), f" {text}\n"):
        assert functions.b64d(written) == wanted


@pytest.mark.parametrize("text", ["a", "ab=c", "a\u00e4==", "!!!!", "a==="])
def test_what_is_not_base64_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"base64|ASCII"):
        functions.b64d(text)


def test_truth_and_lists_have_no_one_way_to_be_written_in_a_text() -> None:
    others: list[object] = [True, None, [], {}]
    for item in others:
        with pytest.raises(ValueError, match="a list of texts and numbers"):
            functions.joined(["a", item], ",")


# --- where the request goes ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "values", [{}, {"origin": ""}, {"origin": None}, {"origin": "dav.example"}]
)
def test_without_an_origin_there_is_no_url(values: dict[str, object]) -> None:
    for ask in (functions.absolute, functions.same_host_path):
        with pytest.raises(ValueError, match="origin is not known here"):
            ask(values, "/a")


@pytest.mark.parametrize(
    ("origin", "url", "path"),
    [
        ("https://dav.example", "https://dav.example:443/a", "a"), ("https://dav.example:8443", "https://dav.example:8443/a/b", "a/b"),
        ("https://dav.example", "https://DAV.example./a", "a"), ("http://127.0.0.1:80", "http://127.0.0.1/a%20b", "a b"),
    ],
)  # fmt: skip
def test_a_url_of_the_same_place_is_known_however_it_is_written(
    origin: str, url: str, path: str
) -> None:
    assert functions.same_host_path({"origin": origin}, url) == path


@pytest.mark.parametrize(
    "url",
    ["https://dav.example:8443/a", "http://dav.example/a", "https://dav.example.evil.com/a", "https://user@dav.example/a", "https://:p@dav.example/a",
     "https://dav.example/a?x=1", "https://dav.example/a#x", "https://dav.example/a/../b", "https://dav.example/a%2f..%2fb/..", "https://dav.example/a//b",
     "https://dav.example", "https://dav.example/", "\\\\evil.example\\a", "/a/%2e%2e/b", "ftp://dav.example/a", "@evil.example/a", ".evil.example/a"],
)  # fmt: skip
def test_a_url_that_leaves_the_place_or_hides_its_path_is_an_error(url: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        functions.same_host_path({"origin": "https://dav.example"}, url)


@given(
    st.lists(
        st.text("xy /%ü?#", min_size=1, max_size=5).filter(lambda s: "/" not in s),
        min_size=1,
        max_size=3,
    ).map("/".join)
)
def test_a_path_made_into_a_url_comes_back_as_it_was(path: str) -> None:
    here = {"origin": "https://dav.example:8443"}
    assert functions.same_host_path(here, functions.absolute(here, path)) == path

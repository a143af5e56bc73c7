"""One map of a file, key by key."""

import pytest

from goex_proxy.files import yamltext
from goex_proxy.files.issue import Issues
from goex_proxy.files.reverser_language import Tongue
from goex_proxy.files.reverser_schema import OPERATION, PAGES
from goex_proxy.files.reverser_section import Section


def section(text: str, keys: object = PAGES) -> Section:
    tongue = Tongue([], [], Issues())
    return Section(yamltext.parse(text, "x"), keys, tongue)  # type: ignore[arg-type]


def test_a_wrong_value_is_noted_and_reads_as_nothing() -> None:
    made = section("{most: many, cursor: 7, collect: [a]}")
    assert made.whole("most", 3) == 3
    made.text("cursor")
    assert made.text("collect") == ""
    assert [str(issue.at) for issue in made.tongue.issues.found] == ["x:1:8", "x:1:22", "x:1:34"]


@pytest.mark.parametrize("text", ["7", "[a]", "x"])
def test_what_is_no_map_is_noted(text: str) -> None:
    assert "is a map" in section(text).tongue.issues.found[0].what


def test_whole_numbers_begin_at_one_and_are_not_true() -> None:
    for text in ("0", "-1", "true", "1.5"):
        made = section(f"{{most: {text}}}")
        assert made.whole("most", 20) == 20
        assert made.tongue.issues.found


def test_texts_are_one_or_several() -> None:
    made = section("{match: x, fidelity: none, residue: [a, b], nonce: c}", OPERATION)
    assert made.texts("residue") == ("a", "b")
    assert made.texts("nonce") == ("c",)
    assert made.texts("undoes_with") == ()

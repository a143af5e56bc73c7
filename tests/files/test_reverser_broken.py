"""Whatever is done to a file, its loader says so in its own words, and never anything else."""

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from goex_proxy.files.issue import FileError, Issue
from goex_proxy.files.reverser_file import load

SHIPPED = Path(__file__).parents[2] / "reversers"
LINES = {
    name: (SHIPPED / f"{name}.yaml").read_text().split("\n") for name in ("webdav", "git", "slack")
}
JUNK = st.sampled_from(
    [
        "",
        "x",
        "{",
        "}",
        "[",
        "]",
        "${",
        "'",
        '"',
        ": ",
        "null",
        "{}",
        "[]",
        "7",
        "res",
        "before",
        "{x}",
        "/",
        "\t",
    ]
)


def mistakes(text: str) -> tuple[Issue, ...]:
    """What is wrong with a text; any other error than a `FileError` fails the test."""
    try:
        load(text, "broken.yaml")
    except FileError as error:
        return error.issues
    return ()


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(sorted(LINES)), data=st.data())
def test_a_mangled_file_loads_or_says_where_it_is_wrong(name: str, data: st.DataObject) -> None:
    lines = list(LINES[name])
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(lines) - 1))
        line = lines[at]
        start = data.draw(st.integers(0, len(line)))
        end = data.draw(st.integers(start, min(len(line), start + 12)))
        lines[at] = line[:start] + data.draw(JUNK) + line[end:]
    said = mistakes("\n".join(lines))
    assert all(issue.at.path == "broken.yaml" and issue.what for issue in said)


@settings(max_examples=40, deadline=None)
@given(
    st.recursive(
        JUNK,
        lambda s: (
            st.lists(s, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "match",
                        "undo",
                        "fidelity",
                        "at",
                        "read",
                        "creates",
                        "images",
                        "on",
                        "if",
                        "get",
                        "op",
                    ]
                ),
                s,
                max_size=4,
            )
        ),
    )
)
def test_any_shape_of_a_value_is_read_or_refused(value: object) -> None:
    head = "version: 1\nservice: x\n"
    shaped = json.dumps(value)
    for key in ("operations", "resources", "reads", "credential", "errors", "hosts", "volatile"):
        for text in (f"{key}: {shaped}\n", f"{key}: {{op: {shaped}}}\n"):
            assert all(issue.at.line for issue in mistakes(head + text))

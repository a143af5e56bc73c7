"""Globs: of operations, where a star crosses; of paths, where it stays in its segment."""

import pytest

from goex_proxy.core.glob import matches, path_matches


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("*", "github.issues/create", True),
        ("github.*", "github.issues/create", True),
        ("github.issues/*", "github.issues/create", True),
        ("github.issues/creat?", "github.issues/create", True),
        ("github", "github.issues", False),
        ("github.issues", "githubXissues", False),
        ("a(b", "a(b", True),
        ("*.create", "x.create\n", False),
    ],
)
def test_an_operation_glob_crosses_everything(pattern: str, text: str, expected: bool) -> None:
    assert matches(pattern, text) is expected


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("/repos/*/*", "/repos/a/b", True),
        ("/repos/*/*", "/repos/a/b/c", False),
        ("/repos/**", "/repos/a/b/c", True),
        ("/a?", "/ab", True),
        ("/a?", "/a/", False),
    ],
)
def test_a_path_glob_stays_in_its_segment(pattern: str, path: str, expected: bool) -> None:
    assert path_matches(pattern, path) is expected

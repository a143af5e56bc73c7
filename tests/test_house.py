"""The house rules find what they are there for, and nothing in a tidy house."""

import pytest

from scripts import house

LONG_FUNCTION = "def f() -> None:\n" + "    x = 1\n" * 61
SHORT = "def f() -> None:\n    return None\n"
MARK = "TO" + "DO"
KEY = "-----BEGIN " + "PRIVATE KEY-----\n" + "A" * 64 + "\n"
PROMISES = "\n".join(f"| {p} | tests/behaviour/test_it.py |" for p in house.PROMISES)
TIDY = {
    "README.md": PROMISES,
    "certs/README.md": "The key lies in the home, mode 0600.",
    "goex_proxy/wire/__init__.py": "",
    "goex_proxy/wire/limit.py": "LIMIT = 1\n",
    "goex_proxy/x.py": f"if step is Step.{MARK}:\n    try:\n        f()\n    except KeyError:\n        pass  # gone\n",
    "goex_proxy/wire/form.py": SHORT,
    "tests/wire/test_form.py": SHORT,
    "tests/behaviour/test_it.py": SHORT,
    "scripts/x": "for p in ~/.pyenv/versions; $HOME/work; /tmp/... https://example.com/root/",
}


def test_a_tidy_house_has_no_complaints() -> None:
    assert house.complaints(TIDY) == []


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("goex_proxy/x.py", "x = 1\n" * 401, "401 lines"),
        ("goex_proxy/x.py", LONG_FUNCTION, "f has 62 lines"),
        ("goex_proxy/wire/json.py", SHORT, "has no tests/wire/test_json.py"),
        ("docs/x.md", f"{MARK}: later", MARK),
        ("goex_proxy/x.py", f"host = flow.{house.SPOOFABLE}", "Host header"),
        ("docs/x.md", "see /" + "root/notes", "one machine"),
        ("scripts/x", "pip -i https://pypi" + ".org/simple", "one machine"),
        ("tests/key.pem", KEY, "holds a private key"),
        ("certs/ca.pem", "", "only README.md"),
        ("README.md", PROMISES.replace("P3", "--"), "P3 names no file"),
        ("README.md", PROMISES.replace("it.py", "gone.py"), "does not exist"),
        ("goex_proxy/x.py", "try:\n    f()\nexcept OSError:\n    pass\n", "swallowed"),
        ("goex_proxy/x.py", "try:\n    f()\nexcept Exception:\n    pass  # so\n", "swallowed"),
    ],
)
def test_each_rule_finds_what_it_is_there_for(name: str, text: str, complaint: str) -> None:
    found = house.complaints({**TIDY, name: text})
    assert any(complaint in line for line in found), found


def test_nine_in_ten_functions_are_short() -> None:
    middling = "def f() -> None:\n" + "    x = 1\n" * 30
    found = house.complaints({**TIDY, "goex_proxy/x.py": middling})
    assert any("want 9 in 10" in line for line in found)


def test_a_docstring_does_not_count_as_length() -> None:
    explained = 'def f() -> None:\n    """' + "a\n" * 70 + '    """\n'
    assert house.complaints({**TIDY, "goex_proxy/x.py": explained}) == []


def test_the_list_of_files_is_gits() -> None:
    assert "scripts/house.py" in house.tracked()
    assert not any(name.startswith(".venv/") for name in house.tracked())


ABOVE = "from goex_proxy.wire import b\n"
GUARDED = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from goex_proxy.a import A\n"


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (ABOVE, "from goex_proxy.a import A\n"),
        (ABOVE, "import goex_proxy.a\n"),
        (ABOVE, "from goex_proxy import a\n"),
        (ABOVE, GUARDED),
        (ABOVE, "def f() -> None:\n    from goex_proxy.a import A\n    return A\n"),
        ("from .wire.b import B\n", "from .. import a\n"),
        ("from .wire import b\n", "from ..a import A\n"),
    ],
)
def test_imports_run_in_no_circle_however_they_are_written(a: str, b: str) -> None:
    circle = {"goex_proxy/a.py": a, "goex_proxy/wire/b.py": b}
    (found,) = house.imports_run_in_no_circle({**TIDY, **circle})
    assert "a circle of imports: goex_proxy.a -> goex_proxy.wire.b -> goex_proxy.a" in found
    for name in circle:
        assert not list(house.imports_run_in_no_circle({**TIDY, **circle, name: "import os\n"}))


def test_each_circle_is_named_and_what_only_leads_to_one_is_not() -> None:
    texts = {"a": "b", "b": "c", "c": "a", "x": "y", "y": "x", "first": "a", "last": ""}
    modules = {
        f"goex_proxy/{name}.py": f"import goex_proxy.{other or 'last'}\n"
        for name, other in texts.items()
    }
    modules["goex_proxy/c.py"] += "import goex_proxy.last\n"
    modules["goex_proxy/last.py"] = ""
    found = list(house.imports_run_in_no_circle(modules))
    assert [line.partition(": ")[0] for line in found] == ["goex_proxy/a.py", "goex_proxy/x.py"]


def test_the_packages_of_a_module_are_no_circle() -> None:
    files = {
        "goex_proxy/wire/__init__.py": "",
        "goex_proxy/wire/a.py": "from goex_proxy.wire import b\n",
        "goex_proxy/wire/b.py": "from goex_proxy.wire.c import c\nfrom . import c\n",
        "goex_proxy/wire/c.py": "import goex_proxy.wire\n",
    }
    assert list(house.imports_run_in_no_circle(files)) == []

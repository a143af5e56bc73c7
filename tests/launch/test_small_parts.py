"""Sessions, formats, what passes, logins, client files: the parts without processes."""

import json
import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goex_proxy.launch.ambient import ambient
from goex_proxy.launch.credential_files import hide_plan
from goex_proxy.launch.formats import FORMATS, render
from goex_proxy.launch.local_sockets import listening_sockets
from goex_proxy.launch.logins import Login, find_logins
from goex_proxy.launch.note import note
from goex_proxy.launch.session import Session, open_session, sealed_proxy_url


def test_a_session_has_its_own_password_and_never_shows_it() -> None:
    one, other = open_session("claude"), open_session("claude")
    assert one.password != other.password
    assert one.name != other.name
    assert len(one.password) >= 43
    assert one.password not in repr(one)


def test_a_proxy_url_is_percent_encoded() -> None:
    session = Session(name="s1", agent="a", password="p@ss/w:rd")
    assert session.proxy_url("::1", 80) == "http://s1:p%40ss%2Fw%3Ard@[::1]:80"
    assert sealed_proxy_url(8080) == "http://127.0.0.1:8080"


@pytest.mark.parametrize("name", ["", "a:b", "a b", "a\n", "-a", "x" * 65])
def test_a_name_that_basic_authentication_cannot_carry_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="session name"):
        Session(name=name, agent="a", password="p")


def test_only_what_is_listed_passes() -> None:
    user = {"PATH": "/bin", "LC_ALL": "C", "AWS_SECRET_ACCESS_KEY": "x", "GH_TOKEN": "y"}
    user |= {"ANTHROPIC_API_KEY": "z", "SSH_AUTH_SOCK": "/s", "HTTPS_PROXY": "p", "MINE": "m"}
    assert set(ambient(user)) == {"PATH", "LC_ALL", "ANTHROPIC_API_KEY"}
    assert set(ambient(user, held=["anthropic"], passed=["MINE"])) == {"PATH", "LC_ALL", "MINE"}


def test_passing_a_variable_that_is_not_set_is_an_error() -> None:
    with pytest.raises(ValueError, match="--pass NOPE"):
        ambient({}, passed=["NOPE"])


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_a_shell_reads_back_what_was_rendered(value: str) -> None:
    (line,) = [render({"A": value}, "sh")]
    assert shlex.split(line) == ["export", f"A={value}"]


def test_a_real_shell_reads_it_too() -> None:
    script = render({"A": "it's $HOME `x`\n2"}, "sh") + 'printf %s "$A"'
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "it's $HOME `x`\n2"


def test_the_other_formats_say_the_same() -> None:
    variables = {"A": "1 2", "B": "x"}
    assert json.loads(render(variables, "json")) == variables
    assert json.loads(render(variables, "claude")) == {"env": variables}
    assert render(variables, "docker") == render(variables, "github-actions") == "A=1 2\nB=x\n"
    assert render({"A": "GOEX\n2"}, "github-actions") == "A<<GOEX_\nGOEX\n2\nGOEX_\n"
    with pytest.raises(ValueError, match="cannot hold a line break"):
        render({"A": "1\n2"}, "docker")
    with pytest.raises(ValueError, match="write one of claude, docker"):
        render(variables, "yaml")
    with pytest.raises(ValueError, match="is no name"):
        render({"A;rm": "1"}, sorted(FORMATS)[0])


def test_the_note_is_ten_lines_or_so_and_says_what_matters() -> None:
    text = note()
    assert len(text.splitlines()) <= 12
    for words in ("placeholders", "Do not retry", "http://goex.internal/", "goex approve"):
        assert words in text


def test_logins_are_found_by_name_and_no_value_is_kept(tmp_path: Path) -> None:
    (tmp_path / ".config/gh").mkdir(parents=True)
    gh = tmp_path / ".config/gh/hosts.yml"
    gh.write_text("github.com:\n    oauth_token: SECRET\nghe.example.com:\n    user: u\n")
    (tmp_path / ".netrc").write_text("machine api.example.com login u password SECRET\n")
    (tmp_path / ".netrc").chmod(0o600)
    (tmp_path / ".git-credentials").write_text("https://u:SECRET@git.example.com\n")
    found = find_logins({"SLACK_TOKEN": "SECRET", "GH_TOKEN": ""}, tmp_path)
    assert {login.service for login in found} == {
        *("api.example.com", "ghe.example.com", "git.example.com", "github", "slack")
    }
    assert Login("slack", "SLACK_TOKEN") in found
    assert "SECRET" not in repr(found)


def test_a_netrc_that_nobody_can_parse_is_still_reported(tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine")
    assert [login.service for login in find_logins({}, tmp_path)] == ["(unreadable netrc)"]


def plan_of(tmp_path: Path, goex_home: Path) -> object:
    return hide_plan(goex_home=goex_home, user_home=tmp_path / "u", environment={})


def test_a_gateways_home_that_holds_the_users_is_refused(tmp_path: Path) -> None:
    (tmp_path / "u").mkdir()
    for home in (tmp_path, tmp_path / "u"):
        with pytest.raises(ValueError, match="give it its own"):
            plan_of(tmp_path, home)


def test_a_table_of_sockets_with_odd_paths_is_read(tmp_path: Path) -> None:
    table = tmp_path / "unix"
    head = "Num       RefCount Protocol Flags    Type St Inode Path\n"
    rows = "0: 00000002 00000000 00010000 0001 01 1 @abstract\n"
    rows += "0: 00000002 00000000 00010000 0001 01 2 /no such/path with spaces\n"
    rows += "0: 00000002 00000000 00010000 0001 01 3\n"
    table.write_text(head + rows)
    assert listening_sockets(table) == []

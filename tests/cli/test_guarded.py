"""`doctor` names what leaves a home unguarded: links, modes, the folders above, git."""

import os
import subprocess
from pathlib import Path

import pytest

from goex_proxy.cli.guarded import Check, guarded
from goex_proxy.founding import found
from goex_proxy.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "around" / "home")
    found(made)
    made.path.parent.chmod(0o755)
    return made


def looked(home: Home) -> dict[str, Check]:
    return {check.name: check for check in guarded(home)}


def test_a_fresh_home_is_guarded(home: Home) -> None:
    checks = looked(home)
    assert checks["files"].ok
    assert "git" not in checks


@pytest.mark.parametrize("name", ["vault.key", "keys.db", "ca/ca-key.pem"])
def test_a_second_name_of_a_secret_file_is_found(home: Home, name: str) -> None:
    os.link(home.path / name, home.path.parent / "other")
    check = looked(home)["files"]
    assert not check.ok
    assert f"{name} has 2 names" in check.what
    assert "-samefile" in check.fix


def test_a_key_that_others_can_read_is_found(home: Home) -> None:
    home.vault_key.chmod(0o640)
    check = looked(home)["files"]
    assert (check.ok, check.fix) == (False, f"chmod 600 {home.vault_key}")


def test_a_key_of_another_user_is_found(home: Home) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(home.vault_key, 65534, -1)
    assert "belongs to another user" in looked(home)["files"].what


def test_a_link_in_place_of_a_key_is_found(home: Home) -> None:
    home.vault_key.rename(home.path / "elsewhere")
    home.vault_key.symlink_to("elsewhere")
    assert "no plain file" in looked(home)["files"].what


@pytest.mark.parametrize("mode", [0o777, 0o1777])
def test_a_home_in_a_folder_that_everybody_writes_to_is_found(home: Home, mode: int) -> None:
    home.path.parent.chmod(mode)
    check = looked(home)["place"]
    assert not check.ok
    assert f"{home.path.parent} can be written by everybody" in check.what


def test_a_home_that_git_does_not_ignore_is_found(home: Home) -> None:
    around = home.path.parent
    subprocess.run(["git", "init", "-q", str(around)], check=True)
    check = looked(home)["git"]
    assert not check.ok
    assert check.fix == f"echo /home/ >> {around}/.gitignore"
    subprocess.run(["sh", "-c", check.fix], check=True)
    assert looked(home)["git"].ok

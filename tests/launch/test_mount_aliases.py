"""What is mounted at a second path is found there."""

import os
import subprocess
from pathlib import Path

import pytest

from goex_proxy.launch.credential_files import hide_plan
from goex_proxy.launch.mount_aliases import aliases, mounts


def a_table(at: Path, *rows: tuple[str, str, Path]) -> Path:
    lines = [
        f"{20 + n} 1 {device} {root} {str(where).replace(' ', chr(92) + '040')} rw - ext4 /dev/x rw"
        for n, (device, root, where) in enumerate(rows)
    ]
    table = at / "mountinfo"
    table.write_text("\n".join(lines) + "\n")
    return table


def test_a_directory_that_is_mounted_twice_has_two_paths(tmp_path: Path) -> None:
    home, second = tmp_path / "disk" / "home", tmp_path / "se cond"
    home.mkdir(parents=True)
    second.symlink_to(tmp_path / "disk")  # stands for the mount: the same file by both names
    known = mounts(a_table(tmp_path, ("8:1", "/", tmp_path / "disk"), ("8:1", "/", second)))
    assert list(aliases(home, known)) == [second / "home"]


def test_a_part_that_is_mounted_elsewhere_is_found(tmp_path: Path) -> None:
    home, part = tmp_path / "disk" / "home", tmp_path / "part"
    home.mkdir(parents=True)
    keys = "/".join(("", "home", "keys"))
    rows = ("8:1", "/", tmp_path / "disk"), ("8:1", keys, part), ("8:2", "/home", part)
    assert list(aliases(home, mounts(a_table(tmp_path, *rows)))) == [part]


def test_what_lies_under_another_mount_is_none(tmp_path: Path) -> None:
    home, other = tmp_path / "disk" / "home", tmp_path / "other"
    home.mkdir(parents=True)
    (other / "home").mkdir(parents=True)
    known = mounts(a_table(tmp_path, ("8:1", "/", tmp_path / "disk"), ("8:1", "/", other)))
    assert list(aliases(home, known)) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_the_gateways_home_is_hidden_at_its_second_path(tmp_path: Path) -> None:
    home, second, user = tmp_path / "disk" / "goex", tmp_path / "second", tmp_path / "user"
    for path in (home, second, user):
        path.mkdir(parents=True)
    made = subprocess.run(
        ["mount", "--bind", str(tmp_path / "disk"), str(second)], check=False, capture_output=True
    )
    if made.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        plan = hide_plan(goex_home=home, user_home=user, environment={})
        assert {home, second / "goex"} <= set(plan.empty)
    finally:
        subprocess.run(["umount", str(second)], check=True)

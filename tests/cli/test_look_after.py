"""`doctor`, `verify`, `ca`: what is well, what is not, and what to do."""

import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing

from tests.cli.place import Place


def test_doctor_names_what_is_wrong_and_what_to_do(place: Place) -> None:
    nothing = place.goex("doctor")
    assert nothing.code == 1
    assert "bad  home" in nothing.out
    assert "hint: goex init" in nothing.err
    place.found(listen="127.0.0.1:0")
    checks = {each["name"]: each for each in place.goex("doctor", "--json").json}
    wanted = ("home", "configuration", "vault", "CA", "journal", "disk", "port")
    assert all(checks[name]["ok"] for name in wanted)
    assert {"level hidden", "level sealed"} <= checks.keys()
    (place.home / "goex.yaml").write_text("version: 1\nnope: 1\n")
    (place.home / "vault.key").write_bytes(b"x" * 32)
    (place.home / "vault.key").chmod(0o600)
    for command in ("status", "doctor"):
        said = place.goex(command).out
        assert "unknown key 'nope'; hint: " in said
        assert "\\n" not in said
    broken = {each["name"]: each for each in place.goex("doctor", "--json").json}
    assert "unknown key 'nope'" in broken["configuration"]["what"]
    assert not broken["vault"]["ok"]
    assert broken["vault"]["fix"]


def test_settings_that_wait_for_a_restart_are_said_by_whoever_looks(place: Place) -> None:
    place.found()
    with place.gateway() as proxy:
        assert place.goex("status", "--json").json["outdated"] == []
        config = place.home / "goex.yaml"
        before = config.read_text()
        config.write_text(before.replace(str(place.service.port), "9", 1))
        done = place.goex("status", "--json")
        assert (done.code, done.json["outdated"], done.json["files"]) == (1, ["upstreams"], "good")
        said = "goex.yaml changed since the gateway started (upstreams): restart it"
        checks = {each["name"]: each for each in place.goex("doctor", "--json").json}
        assert said in checks["gateway"]["what"]
        assert not checks["gateway"]["ok"]
        for line in (
            ("status",),
            ("run", "--cooperative", "--", "true"),
            ("secret", "add", "x", "--host", "x.example", "--in", "bearer"),
        ):
            assert f"warning: {said}" in place.goex(*line, given="value-of-a-secret").err
        assert place.agent(proxy, "PUT", "a.txt", "one") == "201 e1", "it goes by the older one"
        config.write_text(before)
        assert place.goex("status").code == 0


def test_verify_prints_a_head_that_later_proves_that_nothing_was_cut_off(lived: Place) -> None:
    done = lived.goex("verify")
    assert done.code == 0, done.err
    assert "sound: " in done.err
    head = lived.user / "head"
    head.write_text(done.out)
    assert lived.goex("verify", "--head", str(head)).code == 0
    head.write_text("99999 " + "0" * 64)
    cut = lived.goex("verify", "--head", str(head), "--json")
    assert cut.code == 1
    assert "cut short" in cut.json["defects"][0]["what"]
    head.write_text("nonsense")
    assert lived.goex("verify", "--head", str(head)).code == 2


def test_verify_finds_an_altered_event(lived: Place) -> None:
    copy = lived.folder / "copy"
    shutil.copytree(lived.home, copy, ignore=shutil.ignore_patterns("*.sock"))
    with closing(sqlite3.connect(copy / "journal.db")) as db:
        for (name,) in db.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            db.execute(f"DROP TRIGGER {name}")
        (body,) = db.execute("SELECT body FROM event WHERE seq = 1").fetchone()
        altered = body.replace(b"webdav.put", b"webdav.xxx")
        assert altered != body
        db.execute("UPDATE event SET body = ? WHERE seq = 1", (altered,))
        db.commit()
    done = lived.goex("--home", str(copy), "verify")
    assert done.code == 1
    assert "event 1: " in done.err


def test_ca_shows_the_certificate_and_never_the_key(lived: Place) -> None:
    path = lived.goex("ca", "path").out.strip()
    assert path == str(lived.home / "client" / "ca.pem")
    pem = lived.goex("ca", "export").out
    assert pem.startswith("-----BEGIN CERTIFICATE-----")
    assert "KEY" not in pem
    assert lived.goex("ca", "path", "--bundle").out.strip().endswith("bundle.pem")
    told = lived.goex("ca", "install")
    assert told.code in (0, 1)  # 1: a system whose store is not known
    if told.code == 0:
        assert "sudo" in told.out
        assert "--yes" in told.err


def test_a_folder_that_goex_yaml_names_later_is_followed_too(place: Place) -> None:
    place.found()
    later = place.home / "later"
    later.mkdir()
    rules = later / "mine.yaml"
    rules.write_text("version: 1\nrules:\n  - {deny: webdav.put, reason: first}\n")
    with place.gateway() as proxy:
        assert place.agent(proxy, "PUT", "a.txt", "one").startswith("201 ")
        place.found(policies=["./later"])
        _until(lambda: "first" in place.agent(proxy, "PUT", "a.txt", "two"))
        rules.write_text("version: 1\nrules:\n  - {deny: webdav.put, reason: second}\n")
        _until(lambda: "second" in place.agent(proxy, "PUT", "a.txt", "two"))
        rules.write_text("version: 1\nrules: [")
        _until(lambda: place.goex("status").code == 1)
        told = place.goex("status")
        assert "mine.yaml:" in told.out
        assert place.goex("status", "--json").json["files"] != "good"
    told = place.goex("status")
    assert (told.code, "mine.yaml:" in told.out) == (1, True)
    rules.unlink()
    assert place.goex("status").code == 0


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.2)

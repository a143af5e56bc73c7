"""What nobody foresaw is one line, without a value; what is wrong of the vault is the vault's."""

import pytest

from goex_proxy.cli import outcome
from goex_proxy.console.fault import trail, where
from tests.cli.place import Place
from tests.cli.test_lease import until

VALUE = "acme_0123456789abcdefghijABCDEFGHIJ"


def test_a_fault_in_the_gateway_is_one_line_and_counted(place: Place) -> None:
    place.found()
    with place.gateway():
        (place.home / "paused").mkdir()
        told = place.goex("resume")
        (place.home / "paused").rmdir()
        assert told.code == 1
        assert told.err.startswith("error: resume failed in the gateway, a fault of goex-proxy: ")
        assert " in engine/engine.py:" in told.err
        assert "Traceback" not in told.err
        assert len(told.err.splitlines()) == 1
        troubles = place.goex("status", "--json").json["troubles"]
        assert str(troubles["control resume: IsADirectoryError"]).startswith("1")


def test_where_a_fault_was_is_told_without_its_text() -> None:
    with pytest.raises(KeyError) as caught:
        outcome.tell([{VALUE: VALUE}], as_json=False)
    told = where(caught.value) + trail(caught.value)
    assert "cli/outcome.py:" in told
    assert VALUE not in told


def test_an_unreadable_vault_does_not_keep_a_policy_from_being_followed(place: Place) -> None:
    place.found()
    rules = place.home / "policies" / "mine.yaml"
    with place.gateway() as proxy:
        assert place.agent(proxy, "PUT", "a.txt", "one") == "201 e1"
        vault = place.home / "vault.db"
        good = vault.read_bytes()
        vault.write_bytes(b"no database" * 1000)
        place.wait("status", "--json", word='"vault": "the vault')
        rules.write_text("version: 1\nrules:\n  - {deny: webdav.put, reason: first}\n")
        until(lambda: "first" in place.agent(proxy, "PUT", "a.txt", "two"))
        told = place.goex("status")
        assert told.code == 1
        assert place.goex("status", "--json").json["files"] == "good"
        rules.write_text("version: 1\nrules: [")
        until(lambda: "mine.yaml" in place.goex("status", "--json").json["files"])
        vault.write_bytes(good)
        until(lambda: place.goex("status", "--json").json["vault"] == "good")


def test_an_unreadable_vault_is_said_without_a_gateway_too(place: Place) -> None:
    place.found()
    (place.home / "vault.db").write_bytes(b"no database" * 1000)
    told = place.goex("status", "--json")
    assert told.code == 1
    assert told.json["vault"] != "good"
    assert told.json["files"] == "good"

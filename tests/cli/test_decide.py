"""`held`, `approve`, `reject`, `resolve`, `pause`: a person decides."""

from tests.cli.place import Place

HOLD = "  - {hold: webdav.put, reason: a person looks}\n"


def test_what_is_held_is_sent_after_an_approval_also_without_a_gateway(place: Place) -> None:
    place.found(HOLD)
    with place.gateway() as proxy:
        told = place.agent(proxy, "PUT", "a.txt", "hello")
        assert told.startswith("403 e1 ")
        assert "goex approve e1" in told
        [line] = place.goex("held", "--json").lines
        assert (line["id"], line["state"], line["reason"]) == ("e1", "held", "a person looks")
        assert "hint: goex show e1" in place.goex("held").err
    assert not (place.files / "a.txt").exists()
    done = place.goex("approve", "e1")
    assert (done.code, done.out) == (0, "e1  applied  webdav.put  201\n")
    assert (place.files / "a.txt").read_text() == "hello"
    assert place.goex("approve", "e1").code == 1
    assert place.goex("held").err == "nothing is held\n"


def test_what_is_rejected_is_never_sent(place: Place) -> None:
    place.found(HOLD)
    with place.gateway() as proxy:
        place.agent(proxy, "PUT", "a.txt", "hello")
        done = place.goex("reject", "e1", "--reason", "not today", "--json")
        assert done.code == 0
        assert (done.json["state"], done.json["reason"]) == ("refused", "not today")
    assert not (place.files / "a.txt").exists()


def test_an_approval_of_what_has_changed_since_is_held_again(place: Place) -> None:
    place.found(HOLD)
    (place.files / "a.txt").write_text("one")
    with place.gateway() as proxy:
        place.agent(proxy, "PUT", "a.txt", "two")
    (place.files / "a.txt").write_text("somebody else's")
    done = place.goex("approve", "e1")
    assert done.code == 3
    assert "e1  held" in done.out
    assert (place.files / "a.txt").read_text() == "somebody else's"


def test_resolve_wants_to_know_which_and_only_of_what_is_in_doubt(lived: Place) -> None:
    assert lived.goex("resolve", "e1").code == 2
    done = lived.goex("resolve", "e1", "--applied")
    assert done.code == 1
    assert "e1 is not in doubt" in done.err


def test_a_pause_refuses_every_change_until_resume(place: Place) -> None:
    place.found()
    (place.files / "a.txt").write_text("one")
    assert place.goex("pause").code == 0
    with place.gateway() as proxy:
        assert place.agent(proxy, "PUT", "a.txt", "two").startswith("403 ")
        assert place.agent(proxy, "GET", "a.txt").startswith("200 ")
        assert place.goex("status", "--json").json["paused"] is True
        assert place.goex("resume").code == 0
        assert place.agent(proxy, "PUT", "a.txt", "two").startswith("204 ")


def test_named_agents_have_a_proxy_url_of_their_own(place: Place) -> None:
    place.found()
    with place.gateway():
        url = place.goex("agent", "add", "bob").out.strip()
        assert url.startswith("http://bob:")
        assert place.agent(url, "PUT", "a.txt", "x") == "201 e1"
        assert place.goex("log", "--json").lines[0]["agent"] == "bob"
        assert place.goex("agent", "revoke", "bob").code == 0
        known = place.goex("agent", "list", "--json").json
        assert known[0]["ended"]
        assert "digest" not in known[0]
        assert place.goex("agent", "revoke", "bob").code == 1


def test_what_was_sent_is_told_also_if_the_next_cannot_be(place: Place) -> None:
    place.found('  - {hold: webdav.put, reason: "look at it"}\n')
    with place.gateway() as proxy:
        assert place.agent(proxy, "PUT", "a.txt", "one").startswith("403 e1 ")
        done = place.goex("approve", "e1", "e9")
    assert done.code == 1
    assert done.out == "e1  applied  webdav.put  201\n"
    assert "there is no entry e9" in done.err


def test_a_held_call_without_an_image_shows_what_it_asks_for(place: Place) -> None:
    place.found('  - {hold: "*", match: {method: POST}, reason: "look at it"}\n')
    with place.gateway() as proxy:
        assert place.agent(proxy, "POST", "a", "text=a+b&to=me").startswith("403 e1 ")
        assert place.agent(proxy, "POST", "a", '{"amount":9,"amount":1}').startswith("403 e2 ")
    form, twice = place.goex("diff", "e1"), place.goex("diff", "e2")
    assert "+ text: a b" in form.out
    assert '+ {"amount":9,"amount":1}' in twice.out, "as it was sent: it is no form"
    assert '{"amount":9,"amount":1}' in place.goex("show", "e2").out

"""Who may call: named agents, sessions, and nobody else while one is open."""

from pathlib import Path

import pytest

from goex_proxy.engine.callers import Callers


def test_without_a_session_a_loopback_caller_is_anonymous(tmp_path: Path) -> None:
    caller = Callers(tmp_path / "c.json").identify(None, None, None)
    assert caller is not None
    assert caller.agent == "anonymous"


def test_while_a_session_is_open_nobody_is_anonymous(tmp_path: Path) -> None:
    callers = Callers(tmp_path / "c.json")
    callers.open_session("s1", "bot")
    assert callers.identify(None, None, None) is None
    callers.close_session("s1")
    assert callers.identify(None, None, None) is not None


def test_beyond_loopback_nobody_is_anonymous(tmp_path: Path) -> None:
    assert Callers(tmp_path / "c.json", anonymous=False).identify(None, None, None) is None


def test_a_session_is_known_by_its_password_and_by_its_socket(tmp_path: Path) -> None:
    callers = Callers(tmp_path / "c.json")
    password = callers.open_session("s1", "bot")
    by_password = callers.identify("s1", password, None)
    assert by_password == callers.identify(None, None, "s1")
    assert by_password is not None
    assert (by_password.agent, by_password.session) == ("bot", "s1")


@pytest.mark.parametrize(("user", "password"), [("s1", "wrong"), ("s2", ""), ("", "")])
def test_a_wrong_password_is_nobody(tmp_path: Path, user: str, password: str) -> None:
    callers = Callers(tmp_path / "c.json")
    callers.open_session("s1", "bot")
    assert callers.identify(user, password, None) is None


def test_after_its_end_a_session_is_nobody(tmp_path: Path) -> None:
    callers = Callers(tmp_path / "c.json")
    password = callers.open_session("s1", "bot")
    callers.close_session("s1")
    assert callers.identify("s1", password, None) is None
    assert callers.identify(None, None, "s1") is None


def test_two_sessions_of_one_name_are_not_open_at_once(tmp_path: Path) -> None:
    callers = Callers(tmp_path / "c.json")
    callers.open_session("s1", "bot")
    with pytest.raises(ValueError, match="open already"):
        callers.open_session("s1", "bot")


def test_an_agent_outlives_the_process_and_its_password_is_not_kept(tmp_path: Path) -> None:
    file = tmp_path / "c.json"
    password = Callers(file).add_agent("bot")
    assert password not in file.read_text()
    assert file.stat().st_mode & 0o077 == 0
    caller = Callers(file).identify("bot", password, None)
    assert caller is not None
    assert caller.agent == "bot"


def test_a_revoked_agent_is_nobody(tmp_path: Path) -> None:
    callers = Callers(tmp_path / "c.json")
    password = callers.add_agent("bot")
    callers.revoke_agent("bot")
    assert callers.identify("bot", password, None) is None


def test_sessions_of_a_gateway_that_is_gone_are_over(tmp_path: Path) -> None:
    file = tmp_path / "c.json"
    password = Callers(file).open_session("s1", "bot")
    again = Callers(file)
    again.close_all()
    assert again.identify("s1", password, None) is None


@pytest.mark.parametrize("name", ["", "a b", "a/b", "x" * 65, "a:b"])
def test_a_name_that_could_be_mistaken_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="not a name"):
        Callers(tmp_path / "c.json").add_agent(name)


def test_a_caller_of_an_open_tunnel_stands_until_it_is_over(tmp_path: Path) -> None:
    """A tunnel outlives the session that opened it: each request asks anew."""
    callers = Callers(tmp_path / "c.json")
    anonymous = callers.identify(None, None, None)
    bot = callers.identify("bot", callers.add_agent("bot"), None)
    assert anonymous is not None
    assert bot is not None
    assert callers.stands(anonymous)
    assert callers.stands(bot)
    session = callers.identify("s1", callers.open_session("s1", "bot"), None)
    assert session is not None
    assert callers.stands(session)
    assert not callers.stands(anonymous)
    callers.close_session("s1")
    callers.revoke_agent("bot")
    assert not callers.stands(session)
    assert not callers.stands(bot)
    assert callers.stands(anonymous)


def test_a_session_of_the_same_name_is_another(tmp_path: Path) -> None:
    callers = Callers(tmp_path / "c.json")
    first = callers.identify("s1", callers.open_session("s1", "bot"), None)
    assert first is not None
    callers.close_session("s1")
    second = callers.identify("s1", callers.open_session("s1", "bot"), None)
    assert second is not None
    assert callers.stands(second)
    assert not callers.stands(first)


def test_with_an_agent_its_sessions_end(tmp_path: Path) -> None:
    callers = Callers(tmp_path / "c.json")
    callers.add_agent("bot")
    password = callers.open_session("s1", "bot")
    callers.revoke_agent("bot")
    assert callers.identify("s1", password, None) is None


def test_a_session_that_lost_its_gateway_is_taken_up_under_its_own_password(
    tmp_path: Path,
) -> None:
    file = tmp_path / "c.json"
    password = Callers(file).open_session("s1", "bot", "sealed")
    again = Callers(file)
    before = again.identify("s1", password, None)
    again.close_all()
    with pytest.raises(ValueError, match="s1 is over"):
        again.take_up("s1", "another")
    again.take_up("s1", password)
    assert again.identify("s1", password, None) == before
    assert [known.level for known in again.open_sessions()] == ["sealed"]


def test_a_session_that_somebody_closed_is_not_taken_up(tmp_path: Path) -> None:
    """Neither one that was closed while its gateway was away."""
    file = tmp_path / "c.json"
    password = Callers(file).open_session("s1", "bot")
    again = Callers(file)
    again.close_all()
    again.close_session("s1")
    with pytest.raises(ValueError, match="s1 is over"):
        again.take_up("s1", password)

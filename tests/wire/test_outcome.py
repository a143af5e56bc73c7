"""One constructor per state."""

from goex_proxy.core.decoded import BodyState
from goex_proxy.wire import outcome


def test_fields_of_the_value_are_the_args() -> None:
    assert outcome.parsed({"a": 1}).args == {"a": 1}
    assert outcome.parsed([1]).args == {}


def test_what_failed_has_its_state_its_reason_and_no_value() -> None:
    made = [outcome.invalid("x"), outcome.unsupported("x"), outcome.too_large("x")]
    assert [(d.state, d.value, d.why) for d in made] == [
        (BodyState.INVALID, None, "x"),
        (BodyState.UNSUPPORTED, None, "x"),
        (BodyState.TOO_LARGE, None, "x"),
    ]

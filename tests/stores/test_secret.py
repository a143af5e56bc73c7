"""Every accidental way to print a secret is closed."""

import copy
import json
import logging
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from goex_proxy.stores.secret import Secret

VALUE = b"ghp_RealSecretOfTess"
SECRET = Secret(VALUE)


@dataclass
class Holder:
    value: Secret


@pytest.mark.parametrize(
    "shown",
    [
        repr(SECRET),
        str(SECRET),
        f"{SECRET}",
        f"{SECRET!s:>40}",
        f"{SECRET:x}",
        "%s %r" % (SECRET, SECRET),  # noqa: UP031 - the way that logging formats
        repr([SECRET, {"k": SECRET}]),
        repr(Holder(SECRET)),
        str(ValueError(SECRET)),
    ],
)
def test_no_text_made_of_it_shows_it(shown: str) -> None:
    assert "Real" not in shown
    assert "redacted" in shown


def test_a_log_line_does_not_show_it(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("test").warning("swapped %s", SECRET)
    assert caplog.messages == ["swapped Secret(redacted)"]


@pytest.mark.parametrize("copied", [pickle.dumps, copy.copy, copy.deepcopy])
def test_it_is_neither_pickled_nor_copied(copied: Callable[[Secret], object]) -> None:
    with pytest.raises(TypeError, match="neither pickled nor copied"):
        copied(SECRET)


def test_it_has_no_json_no_length_no_hash_and_no_dict() -> None:
    asks: list[Callable[[Any], object]] = [json.dumps, len, hash, vars, bytes, list]
    for ask in asks:
        with pytest.raises(TypeError):
            ask(SECRET)


def test_it_equals_a_secret_of_the_same_bytes_and_nothing_else() -> None:
    secret = Secret(VALUE)
    assert secret == Secret(b"ghp_RealSecret" + b"OfTess")
    assert secret != Secret(VALUE[:-1])
    assert secret != Secret(VALUE[::-1])
    assert secret != VALUE


def test_it_is_revealed_to_who_asks_for_it() -> None:
    assert Secret(b"\0\xff").reveal() == b"\0\xff"

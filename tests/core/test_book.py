"""The book: what a phase goes by, as one value."""

from dataclasses import FrozenInstanceError

import pytest

from goex_proxy.core.book import Limits
from goex_proxy.core.decision import Posture
from goex_proxy.core.decoded import BodyState, Decoded
from goex_proxy.core.exchange import Response
from tests.core.world import a_book, an_answer


def test_an_answer_is_read_by_the_decoders_of_the_book_with_the_codec_that_is_named() -> None:
    asked: list[tuple[Response, str | None]] = []

    def decode_answer(response: Response, codec: str | None) -> Decoded:
        asked.append((response, codec))
        return Decoded(state=BodyState.PARSED, value=1)

    book = a_book(decode_answer=decode_answer)
    answer = an_answer({"a": 1})
    assert book.read(answer).value == 1
    book.read(answer, "xml")
    assert asked == [(answer, None), (answer, "xml")]


def test_the_limits_are_those_of_the_design() -> None:
    limits = Limits()
    assert (limits.body, limits.image, limits.image_requests) == (1 << 20, 32 << 20, 50)
    assert limits.upstream_timeout == 600.0


def test_a_book_is_replaced_and_never_altered() -> None:
    book = a_book()
    assert book.posture is Posture.BALANCED
    with pytest.raises(FrozenInstanceError):
        book.posture = Posture.OPEN  # type: ignore[misc]

"""What a session has written, and may yet: no restart forgets it, no burst gets past it."""

import asyncio
import threading

from goex_proxy.core.call import Caller
from goex_proxy.engine.tally import UNKNOWN, Tally
from goex_proxy.stores.journal_errors import JournalBusy

BOT = Caller(agent="bot", session="s1")


def test_what_the_journal_has_counts_from_the_start() -> None:
    tally = Tally(lambda caller: 7)
    assert tally.of(BOT) == 7
    tally.wrote(BOT)
    assert tally.of(BOT) == 8


def test_what_is_being_decided_counts_until_it_is_known_not_to_be_sent() -> None:
    tally = Tally(lambda caller: 0)
    first, second = tally.of(BOT), tally.reserve(BOT)
    third = tally.reserve(BOT)
    assert (first, tally.of(BOT)) == (0, 2)
    second.release()
    second.release()
    assert tally.of(BOT) == 1
    third.sent()
    third.release()
    third.sent()
    assert tally.of(BOT) == 1


def test_what_was_sent_before_the_first_question_is_counted_once() -> None:
    journal = [0]
    tally = Tally(lambda caller: journal[0])
    place = tally.reserve(BOT)
    journal[0] = 1
    place.sent()
    assert tally.of(BOT) == 1


def test_a_journal_that_cannot_be_read_is_no_zero_and_is_asked_again() -> None:
    broken = [True]

    def count(caller: Caller) -> int:
        if broken[0]:
            raise JournalBusy("locked")
        return 3

    tally = Tally(count)
    assert tally.of(BOT) == UNKNOWN
    broken[0] = False
    assert tally.of(BOT) == 3


def test_the_first_count_is_made_once_and_beside_the_event_loop() -> None:
    async def story() -> None:
        begun, go_on, counted = threading.Event(), threading.Event(), []

        def count(caller: Caller) -> int:
            counted.append(caller)
            begun.set()
            assert go_on.wait(5)
            return 7

        tally = Tally(count)
        learning = [asyncio.create_task(tally.learn(BOT)) for _ in range(3)]
        while not begun.is_set():
            await asyncio.sleep(0.01)
        assert not tally.knows(BOT)
        tally.wrote(BOT)
        learning[0].cancel()
        go_on.set()
        await asyncio.gather(*learning[1:])
        assert (tally.knows(BOT), tally.of(BOT), len(counted)) == (True, 8, 1)

    asyncio.run(story())


def test_a_count_that_fails_is_no_number_and_is_tried_again() -> None:
    async def story() -> None:
        broken = [True]

        def count(caller: Caller) -> int:
            if broken[0]:
                raise JournalBusy("locked")
            return 3

        tally = Tally(count)
        await tally.learn(BOT)
        assert (tally.knows(BOT), tally.of(BOT)) == (False, UNKNOWN)
        broken[0] = False
        await tally.learn(BOT)
        assert tally.of(BOT) == 3

    asyncio.run(story())

"""Chores are done when woken; one that fails is named and harms no other."""

import sqlite3
import threading
import time
from collections.abc import Callable

import pytest

from goex_proxy.stores.housekeeper import Chore, Housekeeper
from goex_proxy.stores.journal_errors import JournalBusy


def until(done: Callable[[], bool]) -> None:
    for _ in range(500):
        if done():
            return
        time.sleep(0.01)
    raise AssertionError("it was not done in five seconds")


def yes() -> bool:
    return True


def test_what_is_due_is_done_after_waking_and_nothing_before() -> None:
    done: list[str] = []
    keeper = Housekeeper(
        [
            Chore("a", yes, lambda: done.append("a")),
            Chore("never", lambda: False, lambda: done.append("never")),
            Chore("b", yes, lambda: done.append("b")),
        ]
    )
    time.sleep(0.02)
    assert done == []
    keeper.wake()
    until(lambda: len(done) == 2)
    keeper.close(5)
    assert done == ["a", "b"]


@pytest.mark.parametrize(
    "error", [JournalBusy("a reader is in the way"), sqlite3.OperationalError("locked"), OSError(5, "no")]
)  # fmt: skip
def test_a_chore_that_fails_is_named_until_it_succeeds_and_stops_no_other(error: Exception) -> None:
    tried: list[int] = []
    others: list[int] = []

    def fail_once() -> None:
        tried.append(1)
        if len(tried) == 1:
            raise error

    keeper = Housekeeper([Chore("log", yes, fail_once), Chore("b", yes, lambda: others.append(1))])
    keeper.wake()
    until(lambda: len(others) == 1)
    assert keeper.troubles == {"log": str(error)}
    keeper.wake()
    until(lambda: len(others) == 2)
    assert keeper.troubles == {}
    keeper.close(5)


def test_a_chore_that_cannot_even_say_whether_it_is_due_is_a_trouble_too() -> None:
    def due() -> bool:
        raise OSError("no such log")

    keeper = Housekeeper([Chore("log", due, lambda: None)])
    keeper.wake()
    until(lambda: keeper.troubles == {"log": "no such log"})
    keeper.close(5)


def test_a_wake_in_the_middle_of_a_chore_is_not_lost() -> None:
    begun, go_on = threading.Event(), threading.Event()
    done: list[int] = []

    def chore() -> None:
        begun.set()
        assert go_on.wait(5)
        done.append(1)

    keeper = Housekeeper([Chore("a", yes, chore)])
    keeper.wake()
    assert begun.wait(5)
    keeper.wake()
    go_on.set()
    until(lambda: len(done) == 2)
    keeper.close(5)


def test_many_that_wake_it_at_once_start_one_thread() -> None:
    names: set[int] = set()
    keeper = Housekeeper([Chore("a", yes, lambda: names.add(threading.get_ident()))])
    before = threading.active_count()
    together = threading.Barrier(8)

    def wake() -> None:
        together.wait(5)
        keeper.wake()

    wakers = [threading.Thread(target=wake) for _ in range(8)]
    for waker in wakers:
        waker.start()
    for waker in wakers:
        waker.join()
    until(lambda: bool(names))
    assert (len(names), threading.active_count()) == (1, before + 1)
    keeper.close(5)
    assert threading.active_count() == before


def test_closing_waits_for_what_is_being_done_and_nothing_is_begun_after_it() -> None:
    begun = threading.Event()
    done: list[int] = []

    def slow() -> None:
        begun.set()
        time.sleep(0.1)
        done.append(1)

    keeper = Housekeeper([Chore("a", yes, slow)])
    keeper.wake()
    assert begun.wait(5)
    keeper.close(5)
    assert done == [1]
    keeper.wake()
    time.sleep(0.05)
    assert done == [1]


def test_a_housekeeper_that_was_never_woken_has_no_thread_and_closes() -> None:
    before = threading.active_count()
    keeper = Housekeeper([Chore("a", yes, lambda: None)])
    keeper.close(5)
    keeper.wake()
    assert threading.active_count() == before

"""A course tells and does only what the journal has: also when the journal takes nothing."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from goex_proxy.core.admission import arrive
from goex_proxy.core.command import Append, Fetch
from goex_proxy.core.event import Answered, Applied, Sent
from goex_proxy.core.exchange import Response
from goex_proxy.core.journal import JournalError as Impossible
from goex_proxy.core.journal import State
from goex_proxy.core.operation import Undo
from goex_proxy.engine.course import Course, Stop
from goex_proxy.engine.ledger import Ledger
from goex_proxy.engine.locks import LockTable
from goex_proxy.stores.database import Database
from goex_proxy.stores.journal import Journal
from goex_proxy.stores.journal_errors import JournalBusy, JournalError
from goex_proxy.stores.reader import JOURNAL_FILE
from goex_proxy.stores.rows import Options
from tests.core.world import (
    a_book,
    a_call,
    a_request,
    a_service,
    a_use,
    an_answer,
    an_operation,
)

BOOK = a_book(
    a_service(
        an_operation("notes/update", "PATCH /notes/{id}", images=(a_use(),), undo=Undo.RESTORE)
    )
)


async def fetch(asked: Fetch) -> Response:
    return an_answer({"title": "old"})


async def spawn(*_: object) -> object:
    raise AssertionError("nothing is spawned here")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path, options=Options(busy_timeout=0.1))
    yield made
    made.close()


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Another writer has the journal's lock, for longer than anybody waits."""
    taken, over = threading.Event(), threading.Event()

    def hold() -> None:
        database = Database(folder / JOURNAL_FILE, busy_timeout=1)
        with database.locked():
            taken.set()
            assert over.wait(20)
        database.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert taken.wait(5)
    try:
        yield
    finally:
        over.set()
        holder.join()


async def begun(ledger: Ledger) -> Course:
    """A course that waits at its dial."""
    course = Course(ledger, BOOK, fetch, spawn, LockTable().holder())  # type: ignore[arg-type]
    outcome = await course.decide(arrive(a_call(a_request("PATCH", json={"title": "x"})), BOOK))
    assert isinstance(outcome, Append)
    course.begin(outcome.events)
    assert await course.go() is Stop.DIAL
    return course


async def until_free(ledger: Ledger, course: Course) -> None:
    """Until the writer has seen that the lock is free again."""
    for _ in range(100):
        try:
            await course.lost("the answer was cut")
        except JournalBusy:
            await asyncio.sleep(0.02)
        else:
            return
    raise AssertionError("the journal did not come back")


def test_what_could_not_be_recorded_did_not_happen_to_the_entry(
    journal: Journal, tmp_path: Path
) -> None:
    ledger = Ledger(journal, 1e6)

    async def story() -> Course:
        course = await begun(ledger)
        await course.dialled()
        with held(tmp_path), pytest.raises(JournalBusy):
            await course.headed(an_answer({"title": "x"}))
        assert course.entry.state is State.SENT
        await until_free(ledger, course)
        return course

    course = asyncio.run(story())
    known = ledger.load(course.entry.id)
    assert known is not None
    assert known.state is course.entry.state is State.IN_DOUBT
    assert [event.type for event in journal.events(known.id)][:4] == [
        "Opened", "Admitted", "Sent", "Lost",
    ]  # fmt: skip


def test_nothing_follows_a_beginning_that_was_not_recorded(
    journal: Journal, tmp_path: Path
) -> None:
    ledger = Ledger(journal, 1e6)

    async def story() -> None:
        course = await begun(ledger)
        with held(tmp_path), pytest.raises(JournalBusy):
            await course.dialled()
        for after in (course.lost("it was cut"), course.answered(an_answer({}))):
            with pytest.raises(JournalError, match="beginning could not be recorded"):
                await after

    asyncio.run(story())
    assert list(journal.log()) == []


def test_a_ledger_takes_no_state_that_its_events_do_not_make(journal: Journal) -> None:
    ledger = Ledger(journal, 1e6)

    async def story() -> None:
        course = await begun(ledger)
        await course.dialled()
        entry = course.entry
        answered, applied = Answered(response=an_answer({})), Applied(why="it is so")
        with pytest.raises(Impossible, match="Applied is not possible after sent"):
            await ledger.append(entry, (applied,), after=entry)
        with pytest.raises(ValueError, match="cannot be sent by these events"):
            await ledger.append(entry, (answered,), after=entry)

    asyncio.run(story())
    assert [event.type for event in journal.events(1)] == ["Opened", "Admitted", Sent.__name__]

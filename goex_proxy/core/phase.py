"""What happens next to an entry. Traffic, approval, recovery, undo are this one question."""

from goex_proxy.core.admission import Arrival
from goex_proxy.core.book import Book
from goex_proxy.core.command import Phase
from goex_proxy.core.entry import Entry
from goex_proxy.core.journal import State
from goex_proxy.core.preparation import prepare
from goex_proxy.core.probing import probe
from goex_proxy.core.settling import settle
from goex_proxy.core.undoing import undo_step


def next_phase(entry: Entry, book: Book, known: Arrival | None = None) -> Phase | None:
    """The phase that can run now; None: somebody has to come (a person, an answer).

    `known`: the call as it arrived, if that was in this process; the journal says the same.

    A new call's first phase is `admission.admit`: it has no entry yet.
    """
    match entry.state:
        case State.ADMITTED:
            return prepare(entry, book, known)
        case State.ANSWERED:
            return settle(entry, book, known)
        case State.IN_DOUBT:
            return probe(entry, book)
        case State.UNDOING:
            return undo_step(entry, book)
        case _:
            return None

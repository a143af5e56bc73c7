"""The journal against a dictionary: any order of appends, reopenings, shreddings."""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from goex_proxy.stores.journal import Journal
from goex_proxy.stores.journal_errors import Shredded, Stale, Taken
from goex_proxy.stores.rows import JSON, Append, Filters
from goex_proxy.stores.verify import verify
from tests.stores.conftest import SMALL
from tests.stores.helpers import more, opening, row

NAMES = st.sampled_from(["a", "b", "applied", "held"])
PAYLOADS = st.dictionaries(st.text(max_size=5), st.binary(max_size=40), max_size=2)
FIELDS = st.dictionaries(
    st.text(max_size=4).filter(lambda name: name not in ("type", "blobs")),
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.lists(st.integers()),
    max_size=3,
)

type ModelEvent = tuple[str, dict[str, JSON], dict[str, bytes] | None]


class JournalModel(RuleBasedStateMachine):
    entries: Bundle[int] = Bundle("entries")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.journal = Journal(self.folder, options=SMALL)
        self.events: dict[int, list[ModelEvent]] = {}
        self.columns: dict[int, dict[str, JSON]] = {}
        self.steps: set[tuple[int, str]] = set()

    def teardown(self) -> None:
        self.journal.close()
        shutil.rmtree(self.folder)

    def _append(self, append: Append, event: ModelEvent) -> int:
        entry = self.journal.append_now(append)
        self.events.setdefault(entry, []).append(event)
        self.columns.setdefault(entry, {}).update(append.index)
        return entry

    @initialize(target=entries)
    def first(self) -> int:
        return self._append(opening(row("sent")), ("sent", {}, {}))

    @rule(target=entries, state=NAMES, fields=FIELDS, blobs=PAYLOADS)
    def opens(self, state: str, fields: dict[str, JSON], blobs: dict[str, bytes]) -> int:
        new = self._append(
            opening(row("sent", blobs, **fields), state=state), ("sent", fields, dict(blobs))
        )
        assert new == len(self.events)
        return new

    @rule(entry=entries, state=NAMES, fields=FIELDS, blobs=PAYLOADS)
    def continues(
        self, entry: int, state: str, fields: dict[str, JSON], blobs: dict[str, bytes]
    ) -> None:
        append = more(entry, len(self.events[entry]), row("more", blobs, **fields), state=state)
        self._append(append, ("more", fields, dict(blobs)))

    @rule(entry=entries, off=st.integers(-3, 3).filter(bool))
    def a_stale_writer_is_refused(self, entry: int, off: int) -> None:
        expected = len(self.events[entry]) + off
        if expected > 0:
            with pytest.raises(Stale):
                self.journal.append_now(more(entry, expected, state="stale"))

    @rule(entry=entries, step=NAMES)
    def takes_an_undo_step(self, entry: int, step: str) -> None:
        append = opening(row("undo"), undo_of=entry, run="r", step=step)
        if (entry, step) in self.steps:
            with pytest.raises(Taken):
                self.journal.append_now(append)
        else:
            self._append(append, ("undo", {}, {}))
            self.steps.add((entry, step))

    @rule(entry=entries)
    def shreds(self, entry: int) -> None:
        self.journal.shred(entry)
        self.events[entry] = [
            (type, fields, {} if blobs == {} else None)
            for type, fields, blobs in self.events[entry]
        ]

    @rule()
    def reopens(self) -> None:
        self.journal.close()
        self.journal = Journal(self.folder, options=SMALL)

    @rule(state=NAMES, last=st.none() | st.integers(1, 3))
    def lists(self, state: str, last: int | None) -> None:
        wanted = [entry for entry, columns in self.columns.items() if columns["state"] == state]
        found = self.journal.log(Filters(states=(state,), last=last))
        assert [listed.id for listed in found] == (wanted if last is None else wanted[-last:])

    @invariant()
    def every_event_is_as_it_was_written(self) -> None:
        for entry, events in self.events.items():
            found = self.journal.events(entry)
            assert [event.n for event in found] == list(range(1, len(events) + 1))
            for event, (type, fields, blobs) in zip(found, events, strict=True):
                assert (event.type, event.fields) == (type, fields)
                if blobs is None:
                    for ref in event.blobs:
                        with pytest.raises(Shredded):
                            self.journal.blob(ref)
                else:
                    assert {ref.name: self.journal.blob(ref) for ref in event.blobs} == blobs

    @invariant()
    def it_verifies(self) -> None:
        def fold(events: object) -> dict[str, JSON]:
            return self.columns[events[0].entry]  # type: ignore[index]

        found = verify(self.journal, fold=fold)
        assert found.sound, found.defects
        assert found.events == sum(map(len, self.events.values()))


TestJournalModel = JournalModel.TestCase
TestJournalModel.settings = settings(
    max_examples=15,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)

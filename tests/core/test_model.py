"""A service, an agent, a person at the same time, losses and crashes: nobody's edit is lost.

The core's phases are driven by a small driver with a journal in memory. The machine acts at
random; after each act it is checked that a person's edits stand, that nobody's things were
deleted, and that what an entry says of itself is so. The numbers of the invariants are those
of the study (I3, I4, I5, I6, I7, I8, I12, I16, I18, I20).
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from goex_proxy.core.entry import Entry
from goex_proxy.core.event import Applied, Failed, Redone
from goex_proxy.core.journal import State
from goex_proxy.core.operation import Fidelity
from tests.core.driver import Driver, Trouble
from tests.core.shop import Shop, shop_book

FIELDS = ("title", "text")
TROUBLE = st.sampled_from([*[Trouble.NONE] * 4, *Trouble])
PICK = st.integers(0, 99)


class AgentAndPerson(RuleBasedStateMachine):
    """The agent's values begin with `a`, a person's with `p`; none comes twice."""

    def __init__(self) -> None:
        super().__init__()
        self.shop = Shop(seed=["n1", "n2"])
        self.driver = Driver(self.shop, shop_book())
        self.count = 0
        self.edits: dict[tuple[str, str], object] = {}
        """What a person wrote last into a field."""
        self.members: dict[str, set[str]] = {}
        """What a person put into a set."""
        self.made: set[str] = set()
        """What a person created."""
        self.by_person: set[str] = set()
        """What a person deleted."""

    def fresh(self, who: str) -> str:
        self.count += 1
        return f"{who}{self.count}"

    def note(self, pick: int) -> str:
        return sorted(self.shop.notes)[pick % len(self.shop.notes)]

    # The agent.

    @precondition(lambda self: self.shop.notes)
    @rule(pick=PICK, fields=st.sets(st.sampled_from(FIELDS), min_size=1), trouble=TROUBLE)
    def agent_updates(self, pick: int, fields: set[str], trouble: Trouble) -> None:
        body = {name: self.fresh("a") for name in sorted(fields)}
        self.agent("PATCH", f"/notes/{self.note(pick)}", body, trouble)

    @precondition(lambda self: self.shop.notes)
    @rule(pick=PICK, trouble=TROUBLE)
    def agent_replaces(self, pick: int, trouble: Trouble) -> None:
        self.agent("PUT", f"/notes/{self.note(pick)}", {"title": self.fresh("a")}, trouble)

    @rule(trouble=TROUBLE)
    def agent_creates(self, trouble: Trouble) -> None:
        self.agent("POST", "/notes", {"title": self.fresh("a")}, trouble)

    @precondition(lambda self: self.shop.notes)
    @rule(pick=PICK, trouble=TROUBLE)
    def agent_deletes(self, pick: int, trouble: Trouble) -> None:
        self.agent("DELETE", f"/notes/{self.note(pick)}", None, trouble)

    @precondition(lambda self: self.shop.notes)
    @rule(pick=PICK, known=st.booleans(), trouble=TROUBLE)
    def agent_adds_members(self, pick: int, known: bool, trouble: Trouble) -> None:
        note = self.note(pick)
        asked = [self.fresh("a")] + (sorted(self.shop.notes[note].tags)[:1] if known else [])
        self.agent("POST", f"/notes/{note}/tags", {"tags": asked}, trouble)

    @precondition(lambda self: any(n.tags for n in self.shop.notes.values()))
    @rule(pick=PICK, trouble=TROUBLE)
    def agent_removes_a_member(self, pick: int, trouble: Trouble) -> None:
        pairs = sorted((n, t) for n, note in self.shop.notes.items() for t in note.tags)
        note, tag = pairs[pick % len(pairs)]
        self.agent("DELETE", f"/notes/{note}/tags/{tag}", None, trouble)

    def agent(self, method: str, target: str, body: object, trouble: Trouble) -> None:
        before = self.shop.snapshot()
        self.driver.call(method, target, body, trouble)
        self.forget(before)

    def forget(self, before: dict[str, object]) -> None:
        """What the agent itself overwrites or deletes is the agent's doing, not an undo's."""
        now = self.shop.snapshot()
        for note, name in list(self.edits):
            if (
                now.get(note) != before.get(note)
                and self.shop.field(note, name) != self.edits[note, name]
            ):
                del self.edits[note, name]
        for note in list(self.members):
            self.members[note] &= set(self.shop.tags(note))
        self.made &= set(self.shop.notes)

    # A person.

    @precondition(lambda self: self.shop.notes)
    @rule(pick=PICK, name=st.sampled_from([*FIELDS, "other"]))
    def person_edits(self, pick: int, name: str) -> None:
        note, value = self.note(pick), self.fresh("p")
        self.shop.notes[note].fields[name] = value
        self.shop.touched(note)
        self.edits[note, name] = value

    @rule()
    def person_creates(self) -> None:
        self.made.add(self.shop.create({"title": self.fresh("p")}))

    @precondition(lambda self: self.shop.notes)
    @rule(pick=PICK)
    def person_tags(self, pick: int) -> None:
        note, tag = self.note(pick), self.fresh("p")
        self.shop.notes[note].tags.append(tag)
        self.members.setdefault(note, set()).add(tag)

    @precondition(lambda self: len(self.shop.notes) > 2)
    @rule(pick=PICK)
    def person_deletes(self, pick: int) -> None:
        note = self.note(pick)
        del self.shop.notes[note]
        self.by_person.add(note)
        self.made.discard(note)
        self.members.pop(note, None)
        self.edits = {k: v for k, v in self.edits.items() if k[0] != note}

    # Undo, redo, recovery.

    @precondition(lambda self: self.undoable())
    @rule(pick=PICK, trouble=TROUBLE)
    def undo(self, pick: int, trouble: Trouble) -> None:
        entry = self.undoable()[pick % len(self.undoable())]
        self.undo_one(entry, trouble)

    def undo_one(self, entry: Entry, trouble: Trouble = Trouble.NONE) -> None:
        planned, before = self.driver.plan(entry), self.shop.snapshot()
        assert self.shop.snapshot() == before, "a plan wrote something (I18)"
        writes = self.shop.writes
        after = self.driver.undo(entry, trouble)
        if after.state is State.UNDOING:
            after = self.driver.recover(after)
        self.is_true(after)
        sent = self.shop.writes - writes
        if planned in {"already", "conflict"}:
            assert sent == 0, f"a plan said {planned}, and {sent} writes went out (I18)"
        if after.state in {State.CONFLICT, State.APPLIED}:
            assert self.shop.snapshot() == before, f"{after.state}, and something was changed"
        if after.state in {State.UNDONE, State.COMPENSATED} and trouble is Trouble.NONE:
            self.again(after)

    def again(self, entry: Entry) -> None:
        writes = self.shop.writes
        assert self.driver.plan(entry) == "already", "undone, and not as it was (I6)"
        assert self.shop.writes == writes

    @rule()
    def time_passes(self) -> None:
        self.driver.later()
        for entry in self.driver.in_state(State.IN_DOUBT):
            if not entry.call.is_undo:
                before = self.shop.snapshot()
                self.is_true(self.driver.probe(entry))
                assert self.shop.snapshot() == before, "a probe wrote something"

    @precondition(lambda self: self.driver.in_state(State.UNDONE))
    @rule(pick=PICK)
    def redo(self, pick: int) -> None:
        undone = self.driver.in_state(State.UNDONE)
        entry = undone[pick % len(undone)]
        if entry.redone or self.driver.plan(entry) != "already":
            return
        before = self.shop.snapshot()
        made = self.driver.redo(entry)
        self.driver.note(entry, Redone(entry=made.id))
        self.forget(before)

    def undoable(self) -> list[Entry]:
        states = (State.APPLIED, State.CONFLICT, State.STUCK)
        return [
            e for e in self.driver.in_state(*states) if e.inverse is not None and not e.call.is_undo
        ]

    # What must be so.

    def is_true(self, entry: Entry) -> None:
        """What an entry says came of it did (I12, I3)."""
        did = self.driver.took_effect(entry)
        last = self.driver.events[entry.id][-1]
        if isinstance(last, Failed):
            assert not did, f"{entry.name} says it failed, and it took effect"
        if isinstance(last, Applied) and last.evidence:
            # Whose DELETE it was cannot be seen; every other value is of one call.
            anybodys = entry.call.request.method == "DELETE"
            assert did or anybodys, f"{entry.name} says it was applied, and it was not"
        if entry.state is State.UNDONE and entry.undo is not None:
            assert entry.fidelity in {Fidelity.EXACT, Fidelity.EQUIVALENT}

    @invariant()
    def nobodys_edit_is_lost(self) -> None:
        """I4."""
        for (note, name), value in self.edits.items():
            assert self.shop.field(note, name) == value, f"{name} of {note} was a person's"

    @invariant()
    def nobodys_thing_is_deleted(self) -> None:
        """I5, I20."""
        assert self.made <= set(self.shop.notes)
        for note, tags in self.members.items():
            if note in self.shop.notes:
                assert tags <= set(self.shop.tags(note))

    @invariant()
    def nothing_is_made_twice(self) -> None:
        """I7: a step of an undo has one entry."""
        assert self.driver.steps_are_unique()

    @invariant()
    def the_promise_covers_what_was_delivered(self) -> None:
        """I16: worse than promised only with words for it."""
        for entry in self.driver.entries():
            if entry.state is State.APPLIED and entry.fidelity is not None:
                promised = entry.opened.fidelity.rank
                assert entry.fidelity.rank <= promised or entry.reason or entry.residue

    def teardown(self) -> None:
        """I3: undo all, newest first; what is called undone is as it was."""
        for entry in reversed(self.undoable()):
            self.undo_one(self.driver.load(entry.id))
            self.nobodys_edit_is_lost()
            self.nobodys_thing_is_deleted()


TestAgentAndPerson = AgentAndPerson.TestCase
TestAgentAndPerson.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)


def test_undoing_all_that_an_agent_did_alone_restores_everything() -> None:
    """I3 without a person: the state is the first one, but for new ids."""
    shop = Shop(seed=["n1", "n2"])
    driver = Driver(shop, shop_book())
    first = shop.contents()
    driver.call("PATCH", "/notes/n1", {"title": "a1", "text": "a2"})
    driver.call("PUT", "/notes/n1", {"title": "a3"})
    driver.call("POST", "/notes", {"title": "a4"})
    driver.call("POST", "/notes/n2/tags", {"tags": ["a5", "t"]})
    driver.call("DELETE", "/notes/n2/tags/t", None)
    driver.call("DELETE", "/notes/n2", None)
    for entry in reversed([e for e in driver.entries() if e.inverse is not None]):
        after = driver.undo(entry)
        assert after.state in {State.UNDONE, State.COMPENSATED}, (after.reason, after.undo)
    assert shop.contents() == first

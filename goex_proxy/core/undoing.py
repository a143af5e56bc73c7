"""The phases of an undo: check, send step by step, read back, say what came of it.

An undo is requests like any other: each step becomes an entry of its own, decided, recorded
and sent. The entry that is undone only notes the run and its end, so that a crash at any
point is resumed by asking again which steps have their entry.
"""

from dataclasses import replace

from goex_proxy.core.book import Book
from goex_proxy.core.call import Call, Initiator, Link
from goex_proxy.core.command import Append, Asking, Child, Lock, Phase, Renames, Rest, Spawn
from goex_proxy.core.entry import Entry, differences_in_words
from goex_proxy.core.event import (
    Aliased,
    Compensated,
    Conflicted,
    Difference,
    Event,
    Stuck,
    UndoAbandoned,
    Undone,
)
from goex_proxy.core.expression import ExpressionError
from goex_proxy.core.footprint import Seen, Standing, achieved, check, member_open, traces
from goex_proxy.core.guarding import GuardError, guarded
from goex_proxy.core.image import Image
from goex_proxy.core.inverse import Inverse, InverseStep
from goex_proxy.core.inverting import sights
from goex_proxy.core.journal import State
from goex_proxy.core.operation import Fidelity
from goex_proxy.core.reading import ImageFailed, answer_names, take
from goex_proxy.core.renaming import redirected, renamed
from goex_proxy.core.subject import Subject
from goex_proxy.core.subjects import subject_of


def undo_step(entry: Entry, book: Book) -> Phase:
    """The phase of an entry that is being undone."""
    inverse, progress = entry.inverse, entry.undo
    if inverse is None or progress is None:
        return _gave_up(entry, (), "there is no inverse to send")
    children = yield from _children(progress.run, len(inverse.steps))
    if children and (rest := _waits(children[-1])) is not None:
        return rest
    try:
        subject = subject_of(entry, book)
    except (ValueError, ExpressionError) as error:
        return _gave_up(entry, children, f"its rule cannot be read: {error}")
    if subject is None:
        return _gave_up(entry, children, "it has no rule to go by")
    renames = yield from Renames(service=entry.opened.service)
    yield from Lock(keys=lock_keys(entry, subject, renames))
    try:
        seen = yield from _look_again(entry, subject, children, renames)
    except (ImageFailed, ExpressionError) as error:
        why = "it was sent, and could not be read back" if _sent(children) else "it was not checked"
        return _gave_up(entry, children, f"{why}: {error}")
    return _next(entry, inverse, subject, seen, children, renames)


def standing(entry: Entry, book: Book) -> Asking[tuple[Standing, tuple[Event, ...]]]:
    """For a plan: how the entry's footprint stands now. Sends no write. Raises `ImageFailed`."""
    subject = subject_of(entry, book)
    if subject is None or entry.inverse is None:
        return Standing.CONFLICT, ()
    renames = yield from Renames(service=entry.opened.service)
    seen = yield from _look_again(entry, subject, (), renames)
    found = check(entry.inverse.touches, seen)
    return found.standing, (Conflicted(differences=found.differences),)


def recheck(entry: Entry | None, book: Book, step: int) -> Asking[str]:
    """Why the first step of an undo must not go out any more, having waited; '' if it may.

    Of a later step this cannot be told: the steps before it have changed what was checked.
    """
    if entry is None or entry.inverse is None or entry.undo is None:
        return "the call that it undoes cannot be found"
    if entry.undo.force or _sent((yield from _children(entry.undo.run, step))):
        return ""
    try:
        found, events = yield from standing(entry, book)
    except (ImageFailed, ExpressionError, ValueError) as error:
        return f"it could not be checked again: {error}"
    if found is Standing.TODO:
        return ""
    differences = [d for e in events if isinstance(e, Conflicted) for d in e.differences]
    return f"it waited, and meanwhile {differences_in_words(differences) or 'it was done'}"


def step_done(entry: Entry, book: Book, number: int) -> Asking[bool | None]:
    """Whether a step of an undo took effect, by what the undo touches; None: it cannot be told.

    Of a step that makes something anew it never can: what it made has an id that nobody saw.
    No lock is taken: the run that the step belongs to may hold it, and wait for the step.
    Raises `ImageFailed`, `ExpressionError`, ValueError.
    """
    inverse, progress = entry.inverse, entry.undo
    subject = subject_of(entry, book)
    if subject is None or inverse is None or progress is None or number >= len(inverse.steps):
        return None
    step, steps = inverse.steps[number], subject.operation.undo
    if isinstance(steps, tuple) and steps[step.template].remakes is not None:
        return None
    earlier = yield from _children(progress.run, number)
    renames = yield from Renames(service=entry.opened.service)
    seen = yield from _look_again(entry, subject, earlier, renames)
    if step.member is not None:
        return not _is_open(step, seen)
    if not achieved(inverse.touches, seen):
        return True
    first = not earlier and check(inverse.touches, seen).standing is Standing.TODO
    return False if first else None


def _children(run: str, steps: int) -> Asking[tuple[Entry, ...]]:
    """The entries that the steps of this run have become so far, in order."""
    out = []
    for number in range(steps):
        child = yield from Child(run=run, step=number)
        if child is not None:
            out.append(child)
    return tuple(out)


_WENT_OUT = frozenset({State.APPLIED, State.PARTIAL, State.KEPT, State.EXPIRED})


def _sent(children: tuple[Entry, ...]) -> bool:
    """Whether a step of this run has changed something."""
    return any(child.state in _WENT_OUT for child in children)


def _gave_up(
    entry: Entry, children: tuple[Entry, ...], why: str, *, refused: bool = False
) -> Append:
    """It ends here. Only if nothing ever went out is the call as it was."""
    if _sent(children) or (entry.undo is not None and entry.undo.stuck):
        return Append(events=(Stuck(reason=why),))
    return Append(events=(UndoAbandoned(reason=why, refused=refused),))


def _waits(child: Entry) -> Rest | None:
    """Why nothing can be said or done before the latest step's entry has moved on."""
    match child.state:
        case State.HELD:
            return Rest(why=f"{child.name} waits for approval")
        case State.IN_DOUBT:
            return Rest(why=f"{child.name} is in doubt")
        case State.FAILED | State.REFUSED | State.ABANDONED:
            return None
        case state if state in _WENT_OUT:
            return None
        case _:
            return Rest(why=f"{child.name} is under way")


def _next(
    entry: Entry,
    inverse: Inverse,
    subject: Subject,
    seen: dict[str, Seen],
    children: tuple[Entry, ...],
    renames: tuple[Aliased, ...],
) -> Append | Spawn:
    progress = entry.undo
    assert progress is not None  # noqa: S101 - the caller looked
    if not children:
        found = check(inverse.touches, seen)
        if found.standing is Standing.ALREADY:
            return Append(events=_done(entry, inverse, seen, already=True))
        if found.standing is Standing.CONFLICT and not progress.force:
            now = tuple(s.now for s in seen.values() if s.now is not None)
            return Append(events=(Conflicted(differences=found.differences, now=now),))
    elif children[-1].state not in _WENT_OUT and not _is_moot(inverse, seen, children[-1]):
        return _ended(entry, inverse, subject, seen, children)
    latest = max((child.call.link.step for child in children), default=-1)
    for number, step in enumerate(inverse.steps):
        if number > latest and _is_open(step, seen):
            renewed = replace(step, request=redirected(step.request, renames))
            return _spawn(entry, number, renewed, seen, children)
    return _arrived(entry, inverse, subject, seen, children)


def _is_open(step: InverseStep, seen: dict[str, Seen]) -> bool:
    if step.member is None:
        return True
    use, member = step.member
    return member_open(seen[use], member, step.restores)


def _is_moot(inverse: Inverse, seen: dict[str, Seen], child: Entry) -> bool:
    """Whether the service refused a member's step because somebody else has done it."""
    step = inverse.steps[child.call.link.step]
    failed = child.state is State.FAILED and step.member is not None
    return failed and not _is_open(step, seen)


def _ended(
    entry: Entry,
    inverse: Inverse,
    subject: Subject,
    seen: dict[str, Seen],
    children: tuple[Entry, ...],
) -> Append:
    """The latest step did not go out, or the service said no: done already, too late, or stuck."""
    child, sent = children[-1], _sent(children)
    refused = child.state is State.REFUSED
    found = check(inverse.touches, seen)
    aliased = _aliases(entry, subject, children)
    if found.standing is Standing.ALREADY and not refused:
        return Append(events=(*aliased, *_done(entry, inverse, seen, already=not sent)))
    event = _too_late(child, found.differences)
    forced = entry.undo is not None and (entry.undo.force or entry.undo.stuck)
    if event is not None and not (sent or forced or refused):
        return Append(events=(event,))
    never_arrived = child.state is State.FAILED and child.response is None
    if child.state is not State.FAILED or never_arrived:
        gave_up = _gave_up(entry, children, child.reason, refused=refused)
        return Append(events=(*aliased, *gave_up.events))
    stuck = Stuck(reason=f"{child.name}: {child.reason}", differences=found.differences)
    return Append(events=(*aliased, stuck))


def _too_late(child: Entry, differences: tuple[Difference, ...]) -> Conflicted | None:
    """Whether somebody was quicker: as the resources show it, or as the service said."""
    if differences:
        return Conflicted(differences=differences)
    status = child.response.status if child.response is not None else 0
    if child.state is State.FAILED and status in {409, 412}:
        why = f"was refused by the service ({status}): it has changed since"
        return Conflicted(differences=(Difference(use="", field="", why=why),))
    return None


def _spawn(
    entry: Entry,
    number: int,
    step: InverseStep,
    seen: dict[str, Seen],
    children: tuple[Entry, ...],
) -> Append | Spawn:
    progress, rule = entry.undo, entry.rule
    assert progress is not None  # noqa: S101 - the caller looked
    if rule is None:
        return _gave_up(entry, children, "it has no rule to go by")
    try:
        request = guarded(step.request, seen.get(step.guard) if step.guard is not None else None)
    except (ExpressionError, GuardError) as error:
        return _gave_up(entry, children, f"its guard cannot be set: {error}")
    agent = progress.by.startswith("agent:")
    call = Call(
        request=entry.call.signed(request),
        caller=entry.call.caller,
        auth=entry.call.auth,
        credential=entry.call.credential,
        credential_name=entry.call.credential_name,
        credential_labels=entry.call.credential_labels,
        principal=entry.call.principal,
        initiator=Initiator.AGENT if agent else Initiator.PERSON,
        link=Link(undo_of=entry.id, run=progress.run, step=number, template=step.template),
    )
    return Spawn(call=call, rule=rule)


def _arrived(
    entry: Entry,
    inverse: Inverse,
    subject: Subject,
    seen: dict[str, Seen],
    children: tuple[Entry, ...],
) -> Append:
    """Every step went out: is it as it should be? `seen` was read after the last of them."""
    aliased = _aliases(entry, subject, children)
    try:
        missing = achieved(inverse.touches, seen)
    except ExpressionError as error:
        return Append(events=(*aliased, Stuck(reason=f"it could not be compared: {error}")))
    if missing:
        reason = "it was sent, and what it should restore reads otherwise"
        return Append(events=(*aliased, Stuck(reason=reason, differences=missing)))
    return Append(events=(*aliased, *_done(entry, inverse, seen, already=not _sent(children))))


def _done(
    entry: Entry, inverse: Inverse, seen: dict[str, Seen], *, already: bool
) -> tuple[Event, ...]:
    left = traces(inverse.touches, seen)
    residue = (*entry.residue, *(f"{name} reads as the call left it" for name in left))
    if entry.fidelity in {Fidelity.EXACT, Fidelity.EQUIVALENT}:
        return (Undone(already=already, residue=residue),)
    return (Compensated(already=already, residue=residue),)


def _look_again(
    entry: Entry, subject: Subject, children: tuple[Entry, ...], renames: tuple[Aliased, ...]
) -> Asking[dict[str, Seen]]:
    """Every touched resource as it is now, under its new id if a step has made it anew."""
    inverse = entry.inverse
    assert inverse is not None  # noqa: S101 - the caller looked
    resources = sights(subject, entry.before, entry.after)
    known_as = (*renames, *_aliases(entry, subject, children))
    now: list[Image] = []
    for touch in inverse.touches:
        images = resources[touch.use]
        known = images.left or images.before
        if known is None:
            continue
        instance = renamed(known.instance, known_as)
        now.append((yield from take(subject, images.resource, instance)))
    return sights(subject, entry.before, entry.after, now)


def _aliases(entry: Entry, subject: Subject, children: tuple[Entry, ...]) -> tuple[Aliased, ...]:
    """The new ids of what the steps made anew. Raises `ExpressionError`."""
    steps = subject.operation.undo
    out = []
    for child in children:
        template = child.call.link.template
        if not isinstance(steps, tuple) or template < 0 or child.response is None:
            continue
        remakes = steps[template].remakes
        if remakes is None or child.state not in _WENT_OUT:
            continue
        use, params = remakes
        images = sights(subject, entry.before, entry.after)[use]
        known = images.before or images.left
        if known is None:
            continue
        names = {**subject.names, **answer_names(child.response, subject.book)}
        scope = subject.service.language.scope(names)
        new = {key: str(value.evaluate(scope)) for key, value in params.items()}
        old = dict(known.instance.params)
        at = images.resource.at
        out.append(
            Aliased(
                resource=images.resource.name,
                old=old,
                new={**old, **new},
                old_path=at.fill(old) if at is not None else "",
                new_path=at.fill({**old, **new}) if at is not None else "",
            )
        )
    return tuple(out)


def lock_keys(entry: Entry, subject: Subject, renames: tuple[Aliased, ...] = ()) -> tuple[str, ...]:
    """The resources that an undo of this entry writes, under every name that they have had."""
    known = [image.instance for image in (*entry.before, *entry.after)]
    under = (*known, *(renamed(instance, renames) for instance in known))
    return tuple(sorted({instance.key(subject.service.name) for instance in under}))

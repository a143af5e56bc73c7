"""Tickets: one admitted exchange, as the gateway carries it through (`engine.mediator`)."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from goex_proxy.core.call import Call
from goex_proxy.core.exchange import Request, Response
from goex_proxy.core.journal import State
from goex_proxy.core.path import canonical
from goex_proxy.core.refusal import Told
from goex_proxy.credentials.keyring import Keyring
from goex_proxy.credentials.problem import CredentialRefusedError
from goex_proxy.engine.answers import Answers
from goex_proxy.engine.course import Course
from goex_proxy.engine.mediator import Peer, Refusal, Scrubber
from goex_proxy.stores.journal_errors import JournalError

UNRECORDED = "an outcome could not be recorded"
"""In `status`, with how often and when."""


class ReadTicket:
    """An allowed read: swapped and streamed; the journal knows nothing of it."""

    mutating = False
    streams = True
    answer_cap = 0

    def __init__(self, keyring: Keyring, call: Call, answers: Answers) -> None:
        self._keyring = keyring
        self._call = call
        self._answers = answers

    def swap(self, wire: Request, peer: Peer) -> Request:
        return swapped(self._keyring, self._call, self._answers, wire, peer)

    def scrubber(self) -> Scrubber | None:
        scrubs = self._keyring.scrubs
        return scrubs.scrubber() if scrubs else None

    async def sending(self, wire: Request, peer: Peer) -> Request:
        return self.swap(wire, peer)

    async def begun(self, head: Response) -> None:
        """Nothing of a read is recorded."""

    async def answered(self, response: Response) -> Response:
        return response

    async def lost(self, reason: str) -> Response:
        return self._answers.say(Told.FAILED, reason)

    async def abandoned(self, reason: str) -> None:
        """Nothing of a read is recorded, so there is nothing to say of it."""

    def hung_up(self) -> None:
        """Nobody waits for a read but its caller."""


class LiveTicket:
    """A change on its way through the gateway, its entry a step ahead of its bytes."""

    mutating = True
    streams = False

    def __init__(
        self,
        keyring: Keyring,
        course: Course,
        answers: Answers,
        *,
        answer_cap: int,
        settled: Callable[["LiveTicket"], None],
        sent: Callable[[], None],
        failed: Callable[[str], None],
    ) -> None:
        self._keyring = keyring
        self._course = course
        self._answers = answers
        self._settled = settled
        self._sent = sent
        self._failed = failed
        self.answer_cap = answer_cap
        self.gone = False
        """Whether the caller hung up: a retry may then join."""
        self._over = asyncio.Event()

    @property
    def course(self) -> Course:
        return self._course

    def swap(self, wire: Request, peer: Peer) -> Request:
        raise Refusal(self._answers.say(Told.UNAVAILABLE, "a change is never sent unrecorded"))

    def scrubber(self) -> Scrubber | None:
        scrubs = self._keyring.scrubs
        return scrubs.scrubber() if scrubs else None

    async def sending(self, wire: Request, peer: Peer) -> Request:
        call = self._course.entry.call
        try:
            out = swapped(self._keyring, call, self._answers, wire, peer)
        except Refusal as refusal:
            await self._abandon("its credential must not go there")
            raise refusal from None
        try:
            await self._course.dialled()
        except JournalError as error:
            self._end()
            reason = f"the journal cannot record it ({type(error).__name__})"
            raise Refusal(self._answers.say(Told.UNAVAILABLE, reason)) from error
        if self._course.entry.state is not State.SENT:
            self._end()
            raise Refusal(self._answers.entry(self._course.entry))
        self._sent()
        return out

    async def begun(self, head: Response) -> None:
        await self._course.headed(self._keyring.redact_response(head))

    async def answered(self, response: Response) -> Response:
        recorded = self._keyring.redact_response(response)
        entry = self._course.entry
        try:
            if entry.state is State.ANSWERED:
                await self._course.go()
            else:
                await self._course.answered(recorded)
        except JournalError as error:
            self._failed(UNRECORDED)
            reason = f"it was sent, and its outcome could not be recorded ({type(error).__name__})"
            return self._answers.say(Told.IN_DOUBT, reason, entry=entry.name)
        finally:
            self._end()
        return Response(
            status=response.status,
            headers=response.headers.set("X-Goex-Entry", entry.name),
            body=response.body,
            reason=response.reason,
        )

    async def lost(self, reason: str) -> Response:
        entry = self._course.entry
        try:
            if entry.state is State.SENT:
                await self._course.lost(reason)
            elif entry.state is State.ANSWERED:
                await self._course.go()  # its head is on record, and says what came of it
        except JournalError:  # it stays `sent` in the journal, which a sweep turns in doubt
            self._failed(UNRECORDED)
        finally:
            self._end()
        told = f"it was sent, and no answer was seen: {reason}"
        return self._answers.say(Told.IN_DOUBT, told, entry=entry.name)

    async def abandoned(self, reason: str) -> Response | None:
        await self._abandon(reason)
        entry = self._course.entry
        # Sent on record and not one byte of it left: `failed`, and to its agent the same.
        told = {State.ABANDONED: entry.reason, State.FAILED: entry.reason}.get(entry.state)
        if told is None or not entry.id:
            return None
        return self._answers.say(Told.UNAVAILABLE, told, entry=entry.name)

    def hung_up(self) -> None:
        self.gone = True

    async def _abandon(self, reason: str) -> None:
        try:
            if self._course.entry.state is State.SENT:
                await self._course.unsent(reason)
            elif self._course.dialling:
                await self._course.undialled(reason)
        finally:
            self._end()

    async def over(self, seconds: float) -> None:
        """Wait until it has ended, however: its entry may have no number yet to wait for."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), seconds)

    def _end(self) -> None:
        if self._over.is_set():
            return
        self._course.release()
        self._settled(self)
        self._over.set()


def swapped(keyring: Keyring, call: Call, answers: Answers, wire: Request, peer: Peer) -> Request:
    """The wire request with its credential, its path written as it was decided on.

    Raises `Refusal`.
    """
    try:
        target = canonical(wire.target)
    except ValueError as error:
        raise Refusal(answers.say(Told.REFUSED, str(error))) from None
    if target != wire.target:
        wire = replace(wire, target=target)
    try:
        return keyring.swap(wire, peer, call.credential or None)
    except CredentialRefusedError as error:
        problem = error.problem
        told = answers.say(Told.REFUSED, problem.reason, hint=problem.hint)
        raise Refusal(told) from None

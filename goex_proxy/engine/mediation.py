"""Mediation: every request of every agent, decided. The gateway's `Mediator`.

It screens on the headers what needs no more (an allowed read), waits for the body of the
rest, runs the first phase, and hands out a ticket or an answer. What it cannot do it
refuses: the gateway takes an exception for a refusal, too.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from goex_proxy.core.admission import Arrival, admit, arrive
from goex_proxy.core.call import Call, Caller
from goex_proxy.core.command import Append, Pass
from goex_proxy.core.decision import Auth, Posture
from goex_proxy.core.entry import Entry
from goex_proxy.core.event import Delivered
from goex_proxy.core.exchange import Origin, Request, Response
from goex_proxy.core.journal import TRANSITIONS, State
from goex_proxy.core.operation import Kind
from goex_proxy.core.refusal import Refusal, Told, response
from goex_proxy.credentials import keyring as rings
from goex_proxy.credentials.keyring import Keyring
from goex_proxy.credentials.peer import Upstreams
from goex_proxy.credentials.problem import Trouble
from goex_proxy.engine import answers
from goex_proxy.engine.answers import Answers
from goex_proxy.engine.course import Course, Stop
from goex_proxy.engine.engine import Engine, wall_clock
from goex_proxy.engine.joins import Joins
from goex_proxy.engine.mediator import Address, Client, Fault, NeedBody, Waiting
from goex_proxy.engine.tally import Place
from goex_proxy.engine.tickets import LiveTicket, ReadTicket
from goex_proxy.stores.journal_errors import JournalError
from goex_proxy.upstream.network import refusal as network_refusal

INTERNAL = "goex.internal"

type Internal = Callable[[Caller, Request], Response]
"""The companion that tells an agent what it may know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What of the configuration concerns mediation."""

    routes: tuple[tuple[str, Origin], ...] = ()
    """Prefix (`/github`) to origin."""
    network: frozenset[str] = frozenset()
    """Exceptions from the refusal of private addresses, `host:port`."""
    hold_wait: float = 3.0
    """Seconds that a held call waits before its agent is told."""


class Mediation:
    """One per gateway; called from its event loop only."""

    def __init__(
        self,
        engine: Engine,
        keyring: Keyring,
        upstreams: Upstreams,
        terms: Terms,
        internal: Internal,
    ) -> None:
        self._engine = engine
        self._keyring = keyring
        self._upstreams = upstreams
        self._terms = terms
        self._internal = internal
        self.joins = Joins()

    def client(
        self, proxy_authorization: tuple[str, str] | None, local: str | None
    ) -> Client | Response:
        user, password = proxy_authorization or (None, None)
        caller = self._engine.callers.identify(user, password, local)
        if caller is not None:
            return caller
        reason = "a wrong session password" if user is not None else "this proxy wants a session"
        hint = "start the agent with `goex run -- COMMAND`, or use its own proxy URL"
        told = Refusal(told=Told.REFUSED, reason=reason, status=407, hint=hint)
        answer = response(told, None)
        fields = answer.headers.set("Proxy-Authenticate", 'Basic realm="goex-proxy"')
        return replace(answer, headers=fields)

    def tunnel(self, client: Client, host: str, port: int) -> Response | None:
        target = f"{host}:{port}"
        origin = Origin(scheme="https", host=host, port=port)
        if port in {80, 443} or target in self._terms.network or self._upstreams.mapped(origin):
            return None
        hint = f"ask your user to add {target} to network.allow in goex.yaml"
        told = Refusal(told=Told.REFUSED, reason=f"port {port} is not allowed", hint=hint)
        return response(told, None)

    def route(self, path: str) -> tuple[Origin, str] | None:
        for prefix, origin in self._terms.routes:
            if path == prefix or path.startswith(prefix + "/"):
                return origin, path.removeprefix(prefix) or "/"
        return None

    def upstream(self, origin: Origin) -> Address:
        found = self._upstreams.address(origin)
        return Address(host=found.host, port=found.port, tls=found.tls, sni=found.host)

    def dialled(self, origin: Origin, peer_ip: str) -> str | None:
        address = self._upstreams.address(origin)
        allowed = self._terms.network | self._upstreams.targets()
        return network_refusal(peer_ip, address.host, address.port, allowed)

    def refuse(self, request: Request | None, outcome: Fault, reason: str) -> Response:
        told = _FAULTS.get(outcome, Told.REFUSED)
        status = None if outcome is Fault.UNAVAILABLE else outcome.status
        return answers.fault(self._engine.shelf.book, request, told, reason, status)

    def failed(self, what: str) -> None:
        self._engine.failed(what)

    def screen(self, client: Client, request: Request) -> ReadTicket | Response | NeedBody:
        caller = _caller(client)
        if not self._engine.callers.stands(caller):
            return self._over(request)
        if request.origin.host == INTERNAL:
            return self._internal(caller, request)
        if request.body is None:
            return NeedBody(self._engine.shelf.book.limits.body)
        if not self._engine.tally.knows(caller):
            return NeedBody(0)  # its changes are counted first, where that can be waited for
        arrival, said = self._arrive(caller, request)
        if arrival.seen is None or arrival.seen.kind is not Kind.READ or arrival.problem:
            return NeedBody(0)
        try:
            next(admit(arrival))
        except StopIteration as stop:
            if isinstance(stop.value, Pass):
                return ReadTicket(self._keyring, arrival.call, said)
        return NeedBody(0)

    async def admit(
        self, client: Client, request: Request, prefix: bytes, waiting: Waiting
    ) -> ReadTicket | LiveTicket | Response:
        caller = _caller(client)
        if not self._engine.callers.stands(caller):
            return self._over(request)
        if request.body is None:
            request = replace(request, prefix=prefix)
        await self._engine.tally.learn(caller)
        arrival, said = self._arrive(caller, request)
        mutating = arrival.seen is None or arrival.seen.kind is not Kind.READ
        if mutating and self._engine.paused:
            return said.say(Told.UNAVAILABLE, "changes are paused", hint="wait for `goex resume`")
        try:
            return await self._admit(arrival, said, waiting)
        except JournalError as error:
            self._engine.failed(f"journal: {type(error).__name__}")
            reason = f"the journal cannot record it ({type(error).__name__})"
            return said.say(Told.UNAVAILABLE, reason)

    async def _admit(
        self, arrival: Arrival, said: Answers, waiting: Waiting
    ) -> ReadTicket | LiveTicket | Response:
        fingerprint = arrival.opened.fingerprint
        joined = await self._join(arrival, said, waiting) if fingerprint else None
        if joined is not None:
            return joined
        arrival, place = self._counted(arrival)
        course = self._engine.course()
        try:
            outcome = await course.decide(arrival)
            if isinstance(outcome, Pass):
                place.release()
                return ReadTicket(self._keyring, arrival.call, said)
            if not isinstance(outcome, Append):
                raise RuntimeError("a new call can only be let through or recorded")
            course.begin(outcome.events)
            stop = await course.go()
        except BaseException:
            place.release()
            course.release()
            raise
        if stop is Stop.DIAL:
            return self._ticket(course, said, place)
        place.release()
        course.release()
        entry = course.entry
        if entry.state is State.HELD:
            self.joins.remember(fingerprint, entry.id)
            return await self._held(entry, said, waiting)
        return said.entry(entry)

    def _counted(self, arrival: Arrival) -> tuple[Arrival, Place]:
        """The call counts from here on; its own number is what counts before it, also if it has
        waited meanwhile."""
        call, tally = arrival.call, self._engine.tally
        if call.session_writes != (number := tally.of(call.caller)):
            again = replace(call, session_writes=number)
            arrival = arrive(again, arrival.book, kept=arrival.kept, foreign=arrival.foreign)
        return arrival, tally.reserve(call.caller)

    def _ticket(self, course: Course, said: Answers, place: Place) -> LiveTicket:
        fingerprint = course.entry.opened.fingerprint

        def settled(ticket: LiveTicket) -> None:
            place.release()
            self.joins.end(fingerprint, ticket)
            self._engine.live.discard(ticket.course.entry.id)
            if ticket.course.entry.state is State.IN_DOUBT or ticket.gone:
                self.joins.remember(fingerprint, ticket.course.entry.id)
            else:
                self.joins.forget(fingerprint)
            self._engine.changed(ticket.course.entry.id)

        def sent() -> None:
            place.sent()
            self._engine.live.add(ticket.course.entry.id)

        ticket = LiveTicket(
            self._keyring,
            course,
            said,
            answer_cap=self._engine.shelf.book.limits.body,
            settled=settled,
            sent=sent,
            failed=self._engine.failed,
        )
        self.joins.begin(fingerprint, ticket)
        return ticket

    async def _join(
        self, arrival: Arrival, said: Answers, waiting: Waiting
    ) -> LiveTicket | Response | None:
        """What a retry gets; None: it is a call of its own."""
        fingerprint = arrival.opened.fingerprint
        live = self.joins.live(fingerprint)
        if live is not None:
            if not live.gone:
                return None
            await live.over(self._engine.shelf.book.limits.upstream_timeout)
        id_ = self.joins.entry(fingerprint)
        entry = self._engine.ledger.load(id_) if id_ is not None else None
        if entry is None:
            return None
        match entry.state:
            case State.HELD:
                return await self._held(entry, said, waiting)
            case State.ADMITTED if not entry.opened.kept:
                return await self._pass(entry, said)
            case State.ADMITTED | State.SENT | State.ANSWERED:
                return await self._held(entry, said, waiting)
            case State.IN_DOUBT:
                return said.entry(entry)
            case State.REFUSED:
                self.joins.forget(fingerprint)  # told once; asked again, it is a call of its own
                return said.entry(entry)
            case _:
                return await self._deliver(entry, said)

    async def _pass(self, entry: Entry, said: Answers) -> LiveTicket | Response:
        """An approval of what could not be kept: this call carries its own credential."""
        course = self._engine.course(entry)
        try:
            stop = await course.go()
        except BaseException:
            course.release()
            raise
        if stop is Stop.DIAL:
            return self._ticket(course, said, self._engine.tally.reserve(entry.call.caller))
        course.release()
        return said.entry(course.entry)

    async def _held(self, entry: Entry, said: Answers, waiting: Waiting) -> LiveTicket | Response:
        """Wait a little for a person; then say that it is held, or give the answer."""
        if not waiting.gone:
            waiting.on_hang_up(lambda: self._engine.changed(entry.id))
            await self._engine.wait_for(entry.id, self._terms.hold_wait)
        now = self._engine.ledger.load(entry.id) or entry
        if now.state is State.ADMITTED and not now.opened.kept and not waiting.gone:
            return await self._pass(now, said)
        return await self._deliver(now, said) or said.entry(now)

    async def _deliver(self, entry: Entry, said: Answers) -> Response | None:
        """The kept answer, or that it was done, once; None: a retry is a call of its own."""
        if entry.state.settled and entry.state not in {State.HELD, State.IN_DOUBT}:
            self.joins.forget(entry.opened.fingerprint)
        else:
            self.joins.remember(entry.opened.fingerprint, entry.id)
        if entry.delivered or entry.state not in _TELLING:
            return None
        answer = answers.kept(entry)
        if answer is None and entry.state in _DONE:
            answer = said.done(entry)
        if answer is not None and Delivered in TRANSITIONS[entry.state]:
            await self._engine.ledger.append(entry, (Delivered(by=entry.call.caller.agent),))
        return answer

    def _arrive(self, caller: Caller, request: Request) -> tuple[Arrival, Answers]:
        call = self._call(caller, request)
        book = self._engine.shelf.book
        # What was marked for the journal cannot be sent from it: only its agent has it whole.
        whole = call.request is request
        kept = whole and request.body is not None and call.auth is not Auth.FOREIGN
        foreign = self._keyring.foreign(request, call.request)
        arrival = arrive(call, book, kept=kept, foreign=foreign)
        return arrival, Answers(book, arrival.seen)

    def _over(self, request: Request) -> Response:
        reason = "this session is over, its agent was revoked, or others have a session now"
        return answers.fault(self._engine.shelf.book, request, Told.REFUSED, reason, None)

    def _call(self, caller: Caller, request: Request) -> Call:
        """The request as it may be recorded, with what its credentials are."""
        agent = None if caller.agent == "anonymous" else caller.agent
        auth = self._keyring.inspect(request, agent or "anonymous")
        own = auth.credential
        return Call(
            request=self._keyring.redact(request),
            caller=caller,
            auth=Auth(auth.kind),
            credential=own.id if own is not None else "",
            credential_name=own.name if own is not None else "",
            credential_labels=own.labels if own is not None else (),
            principal=(own.principal or "") if own is not None else "",
            problem=self._problem(auth),
            at=wall_clock(),
            session_writes=self._engine.tally.of(caller),
        )

    def _problem(self, auth: "rings.Auth") -> str:
        if auth.problem is None:
            return ""
        is_open = self._engine.shelf.book.posture is Posture.OPEN
        if auth.problem.trouble is Trouble.FOREIGN and is_open:
            return ""
        return f"{auth.problem.reason}: {auth.problem.hint}"


_FAULTS: dict[Fault, Literal[Told.UNAVAILABLE, Told.IN_DOUBT, Told.FAILED]] = {
    Fault.UNAVAILABLE: Told.UNAVAILABLE,
    Fault.UNREACHABLE: Told.UNAVAILABLE,
    Fault.BAD_ANSWER: Told.FAILED,
    Fault.IN_DOUBT: Told.IN_DOUBT,
}


_DONE = frozenset(
    (State.APPLIED, State.PARTIAL, State.CONFLICT, State.STUCK, State.KEPT, State.EXPIRED)
)
_TELLING = _DONE | {State.FAILED, State.IN_DOUBT, State.PENDING}
"""States whose answer is still true. What was undone since may be made again: a new call."""


def _caller(client: Client) -> Caller:
    if not isinstance(client, Caller):
        raise TypeError("a client that this mediator did not name")
    return client

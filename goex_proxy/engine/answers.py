"""What an agent is told, made from an entry or a decision, in its service's dialect."""

from dataclasses import dataclass

from goex_proxy.core.book import Book
from goex_proxy.core.catalog import Classified
from goex_proxy.core.entry import Entry
from goex_proxy.core.exchange import Request, Response
from goex_proxy.core.journal import State
from goex_proxy.core.refusal import Refusal, Told, response
from goex_proxy.core.service import Service

_TOLD = {
    State.HELD: Told.HELD,
    State.REFUSED: Told.REFUSED,
    State.ABANDONED: Told.UNAVAILABLE,
    State.IN_DOUBT: Told.IN_DOUBT,
}


@dataclass(frozen=True, slots=True)
class Answers:
    """Says no, or not yet, for one call."""

    book: Book
    seen: Classified | None

    @property
    def service(self) -> Service | None:
        return self.seen.service if self.seen is not None else None

    def entry(self, entry: Entry) -> Response:
        """What became of an entry that was not (or not surely) carried out."""
        rule = entry.decision.rule if entry.decision is not None else "goex"
        told = _TOLD.get(entry.state, Told.IN_DOUBT)
        return self.say(told, entry.reason or told.value, rule=rule, entry=entry.name)

    def done(self, entry: Entry) -> Response:
        """It took effect, and there is no answer of the service to give to a retry."""
        reason = f"it was done, and its answer was not kept; {entry.reason}".removesuffix("; ")
        hint = f"it took effect: do not retry; ask your user to run `goex show {entry.name}`"
        return self.say(Told.IN_DOUBT, reason, entry=entry.name, hint=hint)

    def say(
        self, told: Told, reason: str, *, rule: str = "goex", entry: str = "", hint: str = ""
    ) -> Response:
        refusal = Refusal(told=told, reason=reason, rule=rule, entry=entry, hint=hint)
        args = self.seen.decoded.args if self.seen is not None else None
        return response(refusal, self.service, self.book.encode, args)


def fault(
    book: Book, request: Request | None, told: Told, reason: str, status: int | None
) -> Response:
    """An error of the gateway's own, for a request that may not even be one."""
    service = book.catalog.service(request.origin) if request is not None else None
    hint = "" if told is not Told.REFUSED else "do not retry; the request itself is at fault"
    return response(Refusal(told=told, reason=reason, status=status, hint=hint), service)


def kept(entry: Entry) -> Response | None:
    """The service's own answer, as the journal kept it for the agent that asks again."""
    answer = entry.response
    if answer is None or answer.body is None:
        return None
    fields = answer.headers.without("content-encoding", "content-length", "transfer-encoding")
    return Response(
        status=answer.status,
        headers=fields.set("X-Goex-Entry", entry.name),
        body=answer.body,
        reason=answer.reason,
    )
